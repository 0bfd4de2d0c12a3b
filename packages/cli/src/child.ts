import { type ChildProcess, fork } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";

/** The program itself, in the sources and in what is built from them alike. */
const program = fileURLToPath(new URL(import.meta.url.endsWith(".ts") ? "./main.ts" : "./main.js", import.meta.url));

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Where Node keeps what it has compiled: a process starts in a third of the time when one before it has. */
const compileCache = join(tmpdir(), "quadrant-compile-cache");

/** How long a child may take to drain before it is killed. */
const drainMs = 5_000;

/**
 * This program once more, as a process of its own with its own command. It ends with its parent, even when that is
 * killed: see parent.ts. It is out of reach of the terminal's Ctrl-C, so that the parent decides in which order all end.
 */
export class Child {
  readonly exited: Promise<Exit>;
  readonly #process: ChildProcess;

  /** `told` gets what it says on stderr, until it is asked to stop. `env`, unlike `args`, is nobody else's to read. */
  constructor(
    args: readonly string[],
    env: Readonly<Record<string, string | undefined>>,
    told: (text: string) => void,
    stdout: "pipe" | "ignore" = "ignore",
  ) {
    this.#process = fork(program, [...args], {
      env: { NODE_COMPILE_CACHE: compileCache, ...process.env, ...env },
      execPath: process.execPath,
      execArgv: [],
      detached: true,
      stdio: ["ignore", stdout, "pipe", "ipc"],
    });
    this.#process.stderr!.setEncoding("utf8").on("data", told);
    this.exited = new Promise((resolve) => {
      this.#process.once("exit", (code, signal) => resolve({ code, signal }));
      // It could not even be started.
      this.#process.once("error", () => resolve({ code: 1, signal: null }));
    });
  }

  /** Where "pipe" was asked for. */
  get stdout(): Readable {
    return this.#process.stdout!;
  }

  /** Asks it to drain and end, and resolves when it has; kills it where it does not, or must not take time for that. */
  async stop(atOnce: boolean = false): Promise<void> {
    // From here on it tells of nothing but its end.
    this.#process.stderr!.removeAllListeners("data").resume();
    this.#process.kill(atOnce ? "SIGKILL" : "SIGTERM");
    const timer = setTimeout(() => this.#process.kill("SIGKILL"), drainMs);
    await this.exited;
    clearTimeout(timer);
  }
}
