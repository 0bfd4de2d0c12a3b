import { BusError } from "./errors.ts";
import type { Subscription } from "./message.ts";

export interface FeedOptions<M> {
  /** Called once, when the feed ends for whatever reason; what it returns is awaited by dispose. */
  readonly onEnd?: ((unread: readonly M[]) => Promise<void> | void) | undefined;
  /** Called when the iterator wants an item and none is here: for feeds that fetch on demand. */
  readonly onWant?: (() => void) | undefined;
  /** Called with each item as the iterator hands it over. */
  readonly onTake?: ((item: M) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

interface Waiting<M> {
  resolve(result: IteratorResult<M, undefined>): void;
  reject(error: BusError): void;
}

/**
 * The queue behind every Subscription: filled by `push`, iterated once. Items that are there already are handed over
 * without a promise of their own being waited for. Its filler bounds it: see `size`, `shift` and `pop`.
 */
export class Feed<M> implements Subscription<M> {
  dropped = 0;
  #items: M[] = [];
  #head = 0;
  #waiting: Waiting<M>[] = [];
  #ended = false;
  #error: BusError | undefined;
  #iterating = false;
  #closed: Promise<void> | undefined;
  readonly #options: FeedOptions<M>;
  readonly #onAbort = (): void => void this.end();

  constructor(options: FeedOptions<M> = {}) {
    this.#options = options;
    if (options.signal?.aborted) this.end();
    else options.signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  /** How many items wait for the iterator. */
  get size(): number {
    return this.#items.length - this.#head;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Whether the iterator waits for an item right now. */
  get hungry(): boolean {
    return this.#waiting.length > 0;
  }

  /** Hands an item to the iterator, or keeps it for it. Ignored after the end. */
  push(item: M): void {
    if (this.#ended) return;
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#items.push(item);
    else {
      this.#options.onTake?.(item);
      waiting.resolve({ value: item, done: false });
    }
  }

  /** Removes the oldest waiting item. */
  shift(): M | undefined {
    if (this.size === 0) return undefined;
    const item = this.#items[this.#head]!;
    this.#items[this.#head] = undefined as M;
    this.#head++;
    if (this.#head === this.#items.length) {
      this.#items = [];
      this.#head = 0;
    } else if (this.#head > 1024 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  /**
   * Ends the feed. Without an error, what waits is dropped and the iteration is done; with one, the iterator gets what
   * waits first and then throws it. Returns the promise that dispose returns.
   */
  end(error?: BusError): Promise<void> {
    if (this.#closed !== undefined) {
      // Leaving after an error: what still waited for the iterator goes.
      if (error === undefined) this.#items.length = this.#head = 0;
      return this.#closed;
    }
    this.#ended = true;
    this.#error = error;
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    const unread = error === undefined ? this.#items.slice(this.#head) : [];
    if (error === undefined) {
      this.#items = [];
      this.#head = 0;
    }
    const closing = this.#options.onEnd?.(unread);
    this.#closed = Promise.resolve(closing).then(() => undefined);
    for (const waiting of this.#waiting.splice(0)) {
      if (error === undefined) waiting.resolve({ value: undefined, done: true });
      else {
        this.#error = undefined;
        waiting.reject(error);
      }
    }
    return this.#closed;
  }

  #next(): Promise<IteratorResult<M, undefined>> {
    if (this.size > 0) {
      const value = this.shift()!;
      this.#options.onTake?.(value);
      return Promise.resolve({ value, done: false });
    }
    if (this.#error !== undefined) {
      const error = this.#error;
      this.#error = undefined;
      return Promise.reject(error);
    }
    if (this.#ended) return Promise.resolve({ value: undefined, done: true });
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#options.onWant?.();
    });
  }

  [Symbol.asyncIterator](): AsyncIterator<M, undefined> {
    if (this.#iterating)
      throw new BusError("invalid", "a subscription is iterated once: subscribe again for a second loop");
    this.#iterating = true;
    return {
      next: () => this.#next(),
      return: async () => {
        await this.end();
        return { value: undefined, done: true };
      },
    };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.end();
  }
}
