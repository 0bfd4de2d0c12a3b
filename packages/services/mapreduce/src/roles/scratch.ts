import { createHash } from "node:crypto";
import { readlinkSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";

/** Among whose processes a process's id says who it is: a container has its own, also where it shares the folder with others. */
const scope = createHash("sha256").update(`${hostname()} ${pidNamespace()}`).digest("hex").slice(0, 8);
const prefix = `quadrant-worker-${scope}-`;

function pidNamespace(): string {
  try {
    return readlinkSync("/proc/self/ns/pid");
  } catch {
    // No Linux: the host's name tells.
    return "";
  }
}

/** A folder of this process's own for what does not fit into its memory; `worker` as newWorkerName gives it. */
export function scratchFolder(worker: string): string {
  return join(tmpdir(), `${prefix}${worker}`);
}

export function removeScratch(worker: string): Promise<void> {
  return rm(scratchFolder(worker), { recursive: true, force: true });
}

/**
 * Removes what workers of this machine left that were killed: their names end with the id of a process that there is no more.
 * Where another process has that id by now, theirs stays. Never rejects.
 */
export async function removeAbandonedScratch(): Promise<void> {
  const names = await readdir(tmpdir()).catch(() => []);
  for (const name of names) {
    const pid = name.startsWith(prefix) ? name.match(/-(\d+)-\d+$/)?.[1] : undefined;
    // What is another user's cannot be removed, and is theirs to remove.
    if (pid !== undefined && !isAlive(Number(pid)))
      await rm(join(tmpdir(), name), { recursive: true, force: true }).catch(() => undefined);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}
