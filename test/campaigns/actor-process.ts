import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Kind } from "./durability-record.ts";

export interface ActorOrder {
  readonly url: string;
  readonly kind: Kind;
  /** Where it notes down what it knows. */
  readonly file: string;
  /** So many are to be acknowledged. */
  readonly wanted: number;
  /** So many may be put and not yet settled. */
  readonly ahead: number;
  /** What a log may hold. */
  readonly logBytes: number;
}

export const largeSizes: Pick<ActorOrder, "ahead" | "logBytes"> = { ahead: 2_000, logBytes: 256 * 1024 * 1024 };
/** For a disk of some megabytes. */
export const smallSizes: Pick<ActorOrder, "ahead" | "logBytes"> = { ahead: 300, logBytes: 1024 * 1024 };

export interface Progress {
  readonly put: number;
  readonly settled: number;
  readonly refused: number;
  readonly reconnected: number;
  readonly done?: boolean;
}

const program = fileURLToPath(new URL("./durability-actor.ts", import.meta.url));
const stuckMs = 60_000;

/** The actor of a campaign, and how far it is. One that is started again goes on where the last was ended. */
export class ActorProcess {
  readonly #order: ActorOrder;
  #process: ChildProcess | undefined;
  #failure: Error | undefined;
  progress: Progress = { put: 0, settled: 0, refused: 0, reconnected: 0 };

  constructor(order: ActorOrder) {
    this.#order = order;
  }

  start(): void {
    const { url, kind, file, wanted, ahead, logBytes } = this.#order;
    const args = [url, kind, file, wanted, ahead, logBytes].map(String);
    const actor = fork(program, args, { execPath: process.execPath, execArgv: [] });
    this.#process = actor;
    actor.on("message", (said) => {
      this.progress = said as Progress;
    });
    actor.once("exit", (code, signal) => {
      if (signal !== "SIGKILL" && code !== 0) this.#failure = new Error(`the actor ended with ${code ?? signal}`);
    });
  }

  /** SIGKILL. */
  async end(): Promise<void> {
    const actor = this.#process;
    this.#process = undefined;
    if (actor === undefined || actor.exitCode !== null || actor.signalCode !== null) return;
    const exited = once(actor, "exit");
    actor.kill("SIGKILL");
    await exited;
  }

  /** Fails where nothing moves for a minute. */
  async until(condition: (progress: Progress) => boolean): Promise<void> {
    let last = "";
    let moved = performance.now();
    while (!condition(this.progress)) {
      if (this.#failure !== undefined) throw this.#failure;
      const now = JSON.stringify(this.progress);
      if (now !== last) moved = performance.now();
      else if (performance.now() - moved > stuckMs) throw new Error(`nothing moves any more: ${now}`);
      last = now;
      await pause(5);
    }
  }
}
