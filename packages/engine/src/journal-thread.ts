import { Worker } from "node:worker_threads";
import type { JournalAnswer, JournalOrder } from "./journal-order.ts";

/** How long a thread without a journal waits for the next one, and how many wait at most. */
const restMs = 2_000;
const mostResting = 2;

/**
 * The thread of a journal. One that has closed its journal takes the next: to start a thread costs more than to open a
 * journal, and to end it is the most delicate moment of its life.
 */
export class JournalThread {
  static readonly #resting: JournalThread[] = [];

  readonly #worker: Worker;
  /** Of the orders that are not yet answered, in order. */
  readonly #answers: ((answer: JournalAnswer) => void)[] = [];
  #failure: JournalAnswer | undefined;
  #rest: NodeJS.Timeout | undefined;

  private constructor() {
    this.#worker = new Worker(new URL("./sqlite-thread.ts", import.meta.url), {
      name: "quadrant journal",
      // Where node:sqlite is experimental, Node says so on stderr.
      execArgv: ["--disable-warning=ExperimentalWarning"],
    });
    this.#worker.unref();
    this.#worker.on("message", (answer: JournalAnswer) => this.#answered(answer));
    this.#worker.on("error", (cause) => this.#ended(`the journal's thread failed: ${cause}`));
    this.#worker.on("exit", () => this.#ended("the journal's thread has ended"));
  }

  /** One that rests, or a new one. */
  static take(): JournalThread {
    const thread = JournalThread.#resting.pop() ?? new JournalThread();
    clearTimeout(thread.#rest);
    return thread;
  }

  /** Never rejects: a thread that has ended answers with `failed`. The process is kept alive while an answer is owed, not longer. */
  tell(order: JournalOrder): Promise<JournalAnswer> {
    if (this.#failure !== undefined) return Promise.resolve(this.#failure);
    this.#worker.ref();
    const answer = new Promise<JournalAnswer>((resolve) => {
      this.#answers.push(resolve);
    });
    // Handed over, not copied.
    this.#worker.postMessage(order, order.kind === "commit" ? [order.changes.buffer] : []);
    return answer;
  }

  /** To be called when its journal is closed: another may take it. */
  release(): void {
    if (this.#failure !== undefined) return;
    if (JournalThread.#resting.length >= mostResting) {
      this.#end();
      return;
    }
    JournalThread.#resting.push(this);
    this.#rest = setTimeout(() => {
      JournalThread.#forget(this);
      this.#end();
    }, restMs).unref();
  }

  /** Of one that is in the middle of something. */
  async terminate(): Promise<void> {
    await this.#worker.terminate();
  }

  static #forget(thread: JournalThread): void {
    const at = JournalThread.#resting.indexOf(thread);
    if (at >= 0) JournalThread.#resting.splice(at, 1);
  }

  #end(): void {
    this.#worker.postMessage({ kind: "end" } satisfies JournalOrder);
  }

  #answered(answer: JournalAnswer): void {
    const resolve = this.#answers.shift();
    if (this.#answers.length === 0) this.#worker.unref();
    resolve?.(answer);
  }

  #ended(message: string): void {
    clearTimeout(this.#rest);
    JournalThread.#forget(this);
    this.#failure ??= { kind: "failed", code: "unavailable", message };
    for (const resolve of this.#answers.splice(0)) resolve(this.#failure);
  }
}
