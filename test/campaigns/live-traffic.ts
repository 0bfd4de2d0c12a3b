import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** How often a connection changed its state, as its status told. */
export interface TransitionCounts {
  readonly disconnected: number;
  readonly reconnected: number;
  readonly gap: number;
}

/** What became of what was published live. */
export interface LiveVerdict {
  /** Their publish has resolved. */
  readonly published: number;
  readonly refused: number;
  readonly delivered: number;
  /** Counted as lost by the subscription. */
  readonly dropped: number;
  /** Neither delivered nor counted: nothing, or what a broker that counts nothing lost in an outage that was told as one. */
  readonly uncounted: number;
  /** Delivered, and never published. */
  readonly invented: number;
  /** Delivered again. */
  readonly twice: number;
  /** Delivered for the first time, after a later one of its publisher. */
  readonly disordered: number;
  /** The first of these two kinds. */
  readonly firstFlaw?: string | undefined;
  readonly publisher: TransitionCounts;
  readonly subscriber: TransitionCounts;
}

const program = fileURLToPath(new URL("./live-actor.ts", import.meta.url));
const endMs = 60_000;

/** A publisher and a subscriber in a process of their own. */
export class LiveTraffic {
  readonly #process: ChildProcess;
  readonly #exited: Promise<readonly unknown[]>;

  private constructor(actor: ChildProcess) {
    this.#process = actor;
    this.#exited = once(actor, "exit");
  }

  /** Resolves once it publishes and is subscribed. */
  static async start(url: string): Promise<LiveTraffic> {
    const actor = fork(program, [url], { execPath: process.execPath, execArgv: [] });
    const traffic = new LiveTraffic(actor);
    await traffic.#said();
    return traffic;
  }

  async #said(): Promise<unknown> {
    const ended = this.#exited.then(([code, signal]) => {
      throw new Error(`the live traffic ended with ${code ?? signal}`);
    });
    const [said] = await Promise.race([once(this.#process, "message", { signal: AbortSignal.timeout(endMs) }), ended]);
    return said;
  }

  /** No more is published; resolves with what became of all. */
  async verdict(): Promise<LiveVerdict> {
    const said = this.#said();
    this.#process.send("end");
    return (await said) as LiveVerdict;
  }

  /** SIGKILL, where it has not ended. */
  async end(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#exited;
  }
}
