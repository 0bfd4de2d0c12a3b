import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export const root: string = join(import.meta.dirname, "../..");
export const main: string = join(root, "packages/cli/src/main.ts");

/** A running command line. */
export interface Program {
  readonly child: ChildProcess;
  readonly out: () => string;
  readonly err: () => string;
  /** Resolves once stdout and stderr satisfy the condition; rejects when it ends before. */
  until(condition: (out: string, err: string) => boolean): Promise<void>;
  /** Its exit code, or the name of the signal that ended it. */
  readonly ended: Promise<number | string>;
}

const started = new Set<ChildProcess>();

/** Kills what a test has left, with its group. */
export function killAll(): void {
  for (const child of started) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    try {
      process.kill(-child.pid!, "SIGKILL");
    } catch {
      child.kill("SIGKILL");
    }
  }
  started.clear();
}

const env: NodeJS.ProcessEnv = { ...process.env, QUADRANT_URL: undefined, FORCE_COLOR: undefined, NO_COLOR: undefined };

/** Starts a command in a process group of its own, as a terminal does. */
export function start(command: string, args: readonly string[]): Program {
  const child = spawn(command, [...args], { cwd: root, env, stdio: ["ignore", "pipe", "pipe"], detached: true });
  started.add(child);
  let out = "";
  let err = "";
  const checks = new Set<() => void>();
  const check = (): void => {
    for (const each of checks) each();
  };
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    out += chunk;
    check();
  });
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    err += chunk;
    check();
  });
  const ended = once(child, "close").then(([code, signal]) => (code ?? signal) as number | string);
  return {
    child,
    out: () => out,
    err: () => err,
    ended,
    until: (condition) =>
      new Promise((resolve, reject) => {
        const each = (): void => {
          if (!condition(out, err)) return;
          checks.delete(each);
          resolve();
        };
        checks.add(each);
        void ended.then((code) => reject(new Error(`it ended with ${code}: ${out}${err}`)));
        each();
      }),
  };
}

export function quadrant(...args: readonly string[]): Program {
  return start(process.execPath, [main, ...args]);
}

/** A command line as a user would type it; `quadrant` is the program. */
export function shell(line: string): Program {
  return start("sh", ["-c", `quadrant() { '${process.execPath}' '${main}' "$@"; }\n${line}`]);
}

/** The ids of the processes that a process has started, and those of theirs. */
export function descendants(pid: number): readonly number[] {
  const rows = execFileSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" }).trim().split("\n");
  const parents = rows.map((row) => row.trim().split(/\s+/).map(Number) as [number, number]);
  const found = [pid];
  for (const parent of found) for (const [id, above] of parents) if (above === parent) found.push(id);
  return found.slice(1);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  // What nobody has waited for yet is dead all the same.
  const states = execFileSync("ps", ["-A", "-o", "pid=,stat="], { encoding: "utf8" });
  return !new RegExp(`^\\s*${pid}\\s+Z`, "m").test(states);
}

/** Resolves once none of the processes is alive any more. */
export async function allGone(pids: readonly number[]): Promise<void> {
  while (pids.some(isAlive)) await sleep(50);
}
