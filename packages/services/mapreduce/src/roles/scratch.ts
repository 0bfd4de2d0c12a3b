import { readdir, rm } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";

/** Of this host: where hosts share a temporary folder, the ids of processes mean something on their own only. */
const prefix = `quadrant-scratch.${hostname().replace(/[^A-Za-z0-9]+/g, "-")}.`;

/** A folder of this process's own for what does not fit into its memory. */
export function scratchFolder(worker: string): string {
  return join(tmpdir(), `${prefix}${process.pid}.${worker}`);
}

export function removeScratch(worker: string): Promise<void> {
  return rm(scratchFolder(worker), { recursive: true, force: true });
}

/** Removes what processes of this host that were killed have left behind. What cannot be removed is left to its owner. */
export async function clearScratch(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    if (!name.startsWith(prefix)) continue;
    const pid = Number.parseInt(name.slice(prefix.length), 10);
    if (isAlive(pid)) continue;
    await rm(join(tmpdir(), name), { recursive: true, force: true }).catch(() => undefined);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Another user's is alive as well.
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}
