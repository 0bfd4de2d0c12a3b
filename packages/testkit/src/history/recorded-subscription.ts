import type { Subscription } from "@quadrant/contract";
import type { Details } from "./event.ts";
import type { Recorder } from "./recorder.ts";

/** What is done with each item as it is handed over. */
export interface Handover<M> {
  /** What is noted down of it. */
  details(item: M): Details;
  /** What the iterator gets in its place. */
  recorded?(item: M): M;
}

/** Notes down what a subscription hands over, at the moment it does, and how many messages it has lost. */
export class RecordedSubscription<M> implements Subscription<M> {
  readonly #recorder: Recorder;
  readonly #n: number;
  readonly #inner: Subscription<M>;
  readonly #handover: Handover<M>;
  #ended = false;
  #dropped = 0;

  constructor(recorder: Recorder, n: number, inner: Subscription<M>, handover: Handover<M>) {
    this.#recorder = recorder;
    this.#n = n;
    this.#inner = inner;
    this.#handover = handover;
  }

  get dropped(): number {
    return this.#inner.dropped;
  }

  #got(item: M): M {
    const { dropped } = this.#inner;
    const details = this.#handover.details(item);
    this.#recorder.got(this.#n, dropped === this.#dropped ? details : { ...details, dropped });
    this.#dropped = dropped;
    return this.#handover.recorded?.(item) ?? item;
  }

  /** Once, however it ends. */
  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    const of = this.#n;
    this.#recorder.returned(this.#recorder.invoke("subscription.end", "", { of }), { dropped: this.#inner.dropped });
  }

  [Symbol.asyncIterator](): AsyncIterator<M, undefined> {
    const inner = this.#inner[Symbol.asyncIterator]();
    return {
      next: async () => {
        try {
          const next = await inner.next();
          if (!next.done) return { value: this.#got(next.value), done: false };
          this.#end();
          return { value: undefined, done: true };
        } catch (error) {
          this.#end();
          throw error;
        }
      },
      return: async () => {
        this.#end();
        await inner.return?.();
        return { value: undefined, done: true };
      },
    };
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#end();
    return this.#inner[Symbol.asyncDispose]() as Promise<void>;
  }
}
