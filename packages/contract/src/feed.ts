import { BusError } from "./errors.ts";
import type { Subscription } from "./message.ts";

/** What the iterator gets for an item; undefined: nothing, the item is skipped. */
export type Opened<M> = { readonly value: M; readonly done: false } | undefined;

export interface FeedOptions<M, Item = M> {
  /**
   * Turns an item into what the iterator gets, at the moment it takes it, one item at a time. Without it, items are
   * handed over as they are. A BusError thrown or rejected with ends the feed.
   */
  readonly open?: ((item: Item) => Opened<M> | Promise<Opened<M>>) | undefined;
  /** Called once, when the feed ends for whatever reason, with the items that nobody will get; what it returns is awaited by dispose. */
  readonly onEnd?: ((unread: readonly Item[]) => Promise<void> | void) | undefined;
  /** Called when the iterator is left, or the feed disposed, after it had ended. */
  readonly onLeave?: (() => void) | undefined;
  /** Called when the iterator wants an item and none is here: for feeds that fetch on demand. */
  readonly onWant?: (() => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

interface Waiting<M> {
  resolve(result: IteratorResult<M, undefined>): void;
  reject(error: BusError): void;
}

const done: IteratorReturnResult<undefined> = Object.freeze({ value: undefined, done: true });

function asBusError(cause: unknown): BusError {
  if (cause instanceof BusError) return cause;
  return new BusError("codec", `an item could not be opened: ${String(cause)}`, { cause });
}

/**
 * The queue behind every Subscription: filled by `push`, iterated once. Items that are there already are handed over
 * without a promise of their own being waited for. Its filler bounds it: see `size` and `shift`.
 */
export class Feed<M, Item = M> implements Subscription<M> {
  dropped = 0;
  #items: Item[] = [];
  #head = 0;
  #waiting: Waiting<M>[] = [];
  /** The number of the opening that is under way, at most one, and its item; 0: none. */
  #opening = 0;
  #openings = 0;
  #item: Item | undefined;
  #ended = false;
  #error: BusError | undefined;
  #iterating = false;
  #closed: Promise<void> | undefined;
  readonly #options: FeedOptions<M, Item>;
  readonly #onAbort = (): void => void this.end();

  constructor(options: FeedOptions<M, Item> = {}) {
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

  /** Whether the iterator waits for an item and none is here or being opened. */
  get hungry(): boolean {
    return this.#waiting.length > 0 && this.#opening === 0 && this.size === 0;
  }

  /** Hands an item to the iterator, or keeps it for it. Ignored after the end. */
  push(item: Item): void {
    if (this.#ended) return;
    this.#items.push(item);
    if (this.#waiting.length > 0) this.#serve();
  }

  /** Removes the oldest waiting item. */
  shift(): Item | undefined {
    if (this.size === 0) return undefined;
    const item = this.#items[this.#head]!;
    this.#items[this.#head] = undefined as Item;
    this.#head++;
    if (this.#head === this.#items.length) this.#items.length = this.#head = 0;
    else if (this.#head > 1024 && this.#head * 2 > this.#items.length) {
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
    if (this.#closed === undefined) return this.#end(error, error !== undefined);
    if (error === undefined) {
      // Leaving after the end: what still waited for the iterator goes.
      this.#items.length = this.#head = 0;
      this.#error = undefined;
      this.#options.onLeave?.();
    }
    return this.#closed;
  }

  /** Ends the feed; the iterator gets what waits, then it is done. */
  finish(): Promise<void> {
    return this.#closed ?? this.#end(undefined, true);
  }

  #end(error: BusError | undefined, keep: boolean): Promise<void> {
    this.#ended = true;
    this.#error = error;
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    const unread: Item[] = [];
    if (!keep) {
      if (this.#opening !== 0) unread.push(this.#item as Item);
      while (this.size > 0) unread.push(this.shift()!);
      this.#endOpening();
    }
    // Reentrant calls find the promise in place.
    const closing = Promise.withResolvers<void>();
    this.#closed = closing.promise;
    closing.resolve(this.#options.onEnd?.(unread));
    this.#settleWaiting();
    return this.#closed;
  }

  /** After the end, once nothing is left: who waits gets the error or is done. */
  #settleWaiting(): void {
    if (this.#opening !== 0 || this.size > 0) return;
    for (const waiting of this.#waiting.splice(0)) {
      const error = this.#error;
      this.#error = undefined;
      if (error === undefined) waiting.resolve(done);
      else waiting.reject(error);
    }
  }

  /** Opens the oldest items until one is not skipped; a promise: it is being opened; undefined: none is left. */
  #advance(): Opened<M> | Promise<void> {
    const { open } = this.#options;
    while (this.size > 0) {
      const item = this.shift()!;
      if (open === undefined) return { value: item as unknown as M, done: false };
      const opening = ++this.#openings;
      this.#opening = opening;
      this.#item = item;
      let opened: Opened<M> | Promise<Opened<M>>;
      try {
        opened = open(item);
      } catch (cause) {
        this.#fail(opening, cause);
        return undefined;
      }
      if (opened instanceof Promise) return this.#openLater(opening, opened);
      // Ended while it was opened: it was given to onEnd.
      if (this.#opening !== opening) return undefined;
      this.#endOpening();
      if (opened !== undefined) return opened;
    }
    return undefined;
  }

  #endOpening(): void {
    this.#opening = 0;
    this.#item = undefined;
  }

  async #openLater(opening: number, pending: Promise<Opened<M>>): Promise<void> {
    try {
      const opened = await pending;
      if (this.#opening !== opening) return;
      this.#endOpening();
      if (opened !== undefined) this.#waiting.shift()?.resolve(opened);
    } catch (cause) {
      this.#fail(opening, cause);
    }
    this.#serve();
  }

  #fail(opening: number, cause: unknown): void {
    if (this.#opening !== opening) return;
    this.#endOpening();
    this.#items.length = this.#head = 0;
    const error = asBusError(cause);
    if (this.#closed === undefined) this.end(error);
    else this.#error ??= error;
  }

  /** Hands what is here to who waits. */
  #serve(): void {
    while (this.#waiting.length > 0 && this.#opening === 0) {
      const next = this.#advance();
      if (next instanceof Promise) return;
      if (next === undefined) break;
      this.#waiting.shift()?.resolve(next);
    }
    if (this.#waiting.length === 0 || this.#opening !== 0) return;
    if (this.#ended) this.#settleWaiting();
    else this.#options.onWant?.();
  }

  #next(): Promise<IteratorResult<M, undefined>> {
    // Who asks while another still waits, waits behind it.
    if (this.#waiting.length === 0 && this.#opening === 0) {
      const next = this.#advance();
      if (next !== undefined && !(next instanceof Promise)) return Promise.resolve(next);
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#serve();
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
        return done;
      },
    };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.end();
  }
}
