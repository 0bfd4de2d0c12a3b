import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { descendants, main } from "../main-job/program.ts";

export type Role = "resource-manager" | "application-master" | "node-manager";

/** The roles of MapReduce as processes over a bus, each of which is started again when it dies. */
export class Cluster implements AsyncDisposable {
  readonly #url: string;
  readonly #processes = new Map<Role, ChildProcess>();
  readonly #args: Readonly<Record<Role, readonly string[]>>;
  #stopping = false;
  /** What they said on stderr. */
  said = "";

  constructor(url: string, { slots }: { readonly slots: number }) {
    this.#url = url;
    this.#args = {
      "node-manager": ["--slots", String(slots)],
      "application-master": [],
      "resource-manager": [],
    };
    for (const role of Object.keys(this.#args) as Role[]) this.#start(role);
  }

  pidOf(role: Role): number {
    return this.#processes.get(role)!.pid!;
  }

  /** Of the processes of the node manager's workers. */
  get workers(): readonly number[] {
    return descendants(this.pidOf("node-manager"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping = true;
    const running = [...this.#processes.values()].filter(
      (child) => child.exitCode === null && child.signalCode === null,
    );
    const ended = running.map((child) => once(child, "exit"));
    for (const child of running) {
      child.kill("SIGCONT");
      child.kill("SIGKILL");
    }
    await Promise.all(ended);
  }

  #start(role: Role): void {
    const args = [main, "mapreduce", role, ...this.#args[role], "--quiet", "--connect-timeout", "60s"];
    const env = {
      ...process.env,
      QUADRANT_URL: this.#url,
      NODE_COMPILE_CACHE: join(tmpdir(), "quadrant-compile-cache"),
    };
    const child = spawn(process.execPath, args, { env, stdio: ["ignore", "ignore", "pipe", "ipc"] });
    child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      this.said += `${role}: ${text}`;
    });
    this.#processes.set(role, child);
    child.once("exit", () => {
      if (!this.#stopping) this.#start(role);
    });
  }
}

/** Whether there was such a process. */
export function signal(pid: number, name: "SIGKILL" | "SIGSTOP" | "SIGCONT"): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}
