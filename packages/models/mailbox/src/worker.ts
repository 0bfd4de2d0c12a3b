import { type Context, type Delivery, type Drainable, inTraceOf, type Worker } from "@quadrant/contract";
import { backoffMs } from "./backoff.ts";
import { LeasedLetter, type Loan } from "./loan.ts";
import type { Receiver } from "./receiver.ts";

export interface WorkerOptions<T> {
  readonly handler: (letter: Delivery<T>, signal: AbortSignal) => Promise<void> | void;
  readonly concurrency: number;
  readonly backoff: ((attempt: number) => number) | undefined;
}

/** Runs a handler on each letter of a receiver and settles by how it ended. */
export class LetterWorker<T> implements Worker, Drainable {
  processed = 0;
  failed = 0;
  readonly done: Promise<void>;
  readonly #receiver: Receiver<T>;
  readonly #options: WorkerOptions<T>;
  readonly #done: PromiseWithResolvers<void> = Promise.withResolvers<void>();
  #running = 0;
  #paused = false;
  /** Whoever waits for a handler to end. */
  #waiting: (() => void)[] = [];
  #abandoned = false;

  constructor(context: Context, receiver: Receiver<T>, options: WorkerOptions<T>) {
    this.#receiver = receiver;
    this.#options = options;
    this.done = this.#done.promise;
    // Nobody has to look at it.
    this.done.catch(() => undefined);
    const untrack = context.track(this);
    this.done.then(untrack, untrack);
    void this.#run();
  }

  async #run(): Promise<void> {
    const letters = this.#receiver.feed[Symbol.asyncIterator]();
    try {
      for (;;) {
        while (this.#running >= this.#options.concurrency && !this.#abandoned) await this.#oneEnded();
        const next = await letters.next();
        if (next.done) break;
        this.#start(LeasedLetter.loanOf(next.value), next.value);
      }
      await this.#allEnded();
      this.#done.resolve();
    } catch (error) {
      this.#done.reject(error);
    }
  }

  #oneEnded(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async #allEnded(): Promise<void> {
    while (this.#running > 0 && !this.#abandoned) await this.#oneEnded();
  }

  #start(loan: Loan, letter: LeasedLetter<T>): void {
    if (this.#paused) {
      // It was on its way when the worker paused.
      void loan.settle({ kind: "release", token: loan.leased.token });
      return;
    }
    this.#running++;
    void this.#handle(loan, letter).then(() => {
      this.#running--;
      this.#wake();
    });
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Never rejects. A handler that settled by itself is left alone. */
  async #handle(loan: Loan, letter: LeasedLetter<T>): Promise<void> {
    try {
      await inTraceOf(letter.headers, () => this.#options.handler(letter, letter.signal));
      if (!loan.touched) await letter.ack();
      this.processed++;
    } catch (error) {
      this.failed++;
      if (loan.touched) return;
      const delayMs = backoffMs(this.#options.backoff, letter.attempt);
      // Where this fails too, the lease runs out and the letter comes again.
      await letter.nak({ delayMs, error: error as Error }).catch(() => undefined);
    }
  }

  pause(): void {
    this.#paused = true;
    this.#receiver.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#receiver.resume();
  }

  /** Takes no more letters; resolves when the handlers that run have ended and their letters are settled. */
  async drain(): Promise<void> {
    await this.#receiver.drain();
    await this.#allEnded();
  }

  abandon(): void {
    this.#abandoned = true;
    this.#receiver.abandon();
    this.#wake();
    this.#done.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain();
    await this.done.catch(() => undefined);
  }
}
