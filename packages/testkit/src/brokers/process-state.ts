import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";

async function stateOf(pid: number): Promise<string> {
  if (process.platform === "linux") {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2);
  }
  const { stdout } = await promisify(execFile)("ps", ["-o", "stat=", "-p", String(pid)]);
  return stdout.trim();
}

/** Resolves once the process stands still: signals are delivered in their own time. Rejects when it is gone. */
export async function stopped(pid: number): Promise<void> {
  while (!(await stateOf(pid)).startsWith("T")) await pause(1);
}
