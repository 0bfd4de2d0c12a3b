import { readFileSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { createRequire } from "node:module";
import { availableParallelism, cpus, loadavg, release, tmpdir, totalmem, type } from "node:os";

/** Where a run took place: what would have to be alike for another one to give the same figures. */
export interface Environment {
  readonly node: string;
  readonly v8: string;
  readonly zeromq: string;
  readonly system: string;
  readonly processor: string;
  readonly cores: number;
  readonly memoryGiB: number;
  /** Of the folder that durable cases write to. */
  readonly disk: string;
  /** The system's load average over one minute, before and after the run. */
  readonly load: readonly [before: number, after: number];
}

const fileSystems: Readonly<Record<number, string>> = {
  61267: "ext4",
  16914836: "tmpfs",
  1481003842: "xfs",
  2435016766: "btrfs",
  2035054128: "overlayfs",
};

/** The load average over the last minute. */
export function loadNow(): number {
  return loadavg()[0] ?? 0;
}

export async function environmentOf(loadBefore: number): Promise<Environment> {
  const { type: kind } = await statfs(tmpdir());
  const manifest = createRequire(import.meta.url).resolve("zeromq/package.json");
  return {
    node: process.versions.node,
    v8: process.versions.v8,
    zeromq: JSON.parse(readFileSync(manifest, "utf8")).version,
    system: `${type()} ${release()}`,
    processor: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 1024 ** 3),
    disk: fileSystems[kind] ?? `file system 0x${kind.toString(16)}`,
    load: [loadBefore, loadNow()],
  };
}
