import type { Context } from "@quadrant/contract";
import { afterTurn } from "@quadrant/contract";

/** A batch is cut at so many items, or so many bytes. */
export const maxItems: number = 256;
export const maxSize: number = 1 << 20;
/** Full batches follow each other without waiting for the answer, so many at once. */
const maxInFlight = 4;
/** What waits for a batch in flight waits at most so long, whatever that one does: deadlines count from the call. */
const guardMs = 20;

/** What stays together: one item, or many. */
interface Unit<I, O> {
  readonly item: I | undefined;
  readonly items: readonly I[] | undefined;
  readonly size: number;
  /** Of one item. */
  readonly done: ((outcome: O) => void) | undefined;
  /** Of many. */
  readonly allDone: ((outcomes: readonly O[]) => void) | undefined;
  readonly failed: (error: unknown) => void;
}

function countOf({ items }: { readonly items: readonly unknown[] | undefined }): number {
  return items === undefined ? 1 : items.length;
}

function itemsOf<I>(units: readonly Unit<I, never>[]): readonly I[] {
  const items: I[] = [];
  for (const unit of units) {
    if (unit.items === undefined) items.push(unit.item as I);
    else items.push(...unit.items);
  }
  return items;
}

/**
 * Carries together what comes in one turn of the event loop: at once when nothing is in flight, else when that has
 * returned. One outcome an item, in order. Part of the connection's drain while it is busy.
 */
export class Batches<I, O> {
  readonly #context: Pick<Context, "track">;
  readonly #carry: (items: readonly I[]) => Promise<readonly O[]>;
  #waiting: Unit<I, O>[] = [];
  #waitingItems = 0;
  #waitingSize = 0;
  #inFlight = 0;
  #scheduled = false;
  #guard: NodeJS.Timeout | undefined;
  #sinceYield = 0;
  #untrack: (() => void) | undefined;
  #idle: PromiseWithResolvers<void> | undefined;

  constructor(context: Pick<Context, "track">, carry: (items: readonly I[]) => Promise<readonly O[]>) {
    this.#context = context;
    this.#carry = carry;
  }

  add(item: I, size: number = 0): Promise<O> {
    return new Promise((resolve, reject) => this.put(item, size, resolve, reject));
  }

  /** As `add`, for who has a promise of his own. */
  put(item: I, size: number, done: (outcome: O) => void, failed: (error: unknown) => void): void {
    this.#join({ item, items: undefined, size, done, allDone: undefined, failed });
  }

  /** The items stay together, however many they are. */
  addMany(items: readonly I[], size: number = 0): Promise<readonly O[]> {
    return new Promise((allDone, failed) => {
      this.#join({ item: undefined, items, size, done: undefined, allDone, failed });
    });
  }

  #join(unit: Unit<I, O>): void {
    this.#waiting.push(unit);
    this.#waitingItems += countOf(unit);
    this.#waitingSize += unit.size;
    if (this.#idle === undefined) this.#begin();
    if (this.#inFlight === 0 || (this.#full && this.#inFlight < maxInFlight)) this.#schedule();
    else this.#guard ??= setTimeout(() => this.#flush(Number.POSITIVE_INFINITY), guardMs);
  }

  get #full(): boolean {
    return this.#waitingItems >= maxItems || this.#waitingSize >= maxSize;
  }

  #begin(): void {
    const idle = Promise.withResolvers<void>();
    this.#idle = idle;
    this.#untrack = this.#context.track({
      drain: () => idle.promise,
      abandon: () => this.#flush(Number.POSITIVE_INFINITY),
    });
  }

  #end(): void {
    this.#idle?.resolve();
    this.#idle = undefined;
    this.#untrack?.();
    this.#untrack = undefined;
  }

  /** After everything else that this turn still does. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    const flush = (): void => {
      this.#scheduled = false;
      this.#flush(maxInFlight);
    };
    // A driver in this process answers within the turn: now and then, timers and sockets get theirs.
    if (this.#sinceYield >= maxItems) {
      this.#sinceYield = 0;
      setImmediate(flush);
    } else afterTurn(flush);
  }

  #flush(limit: number): void {
    clearTimeout(this.#guard);
    this.#guard = undefined;
    while (this.#waiting.length > 0 && this.#inFlight < limit) {
      void this.#send(this.#nextBatch());
      if (this.#inFlight > 0 && limit === maxInFlight && !this.#full) break;
    }
    if (this.#waiting.length > 0) this.#guard = setTimeout(() => this.#flush(Number.POSITIVE_INFINITY), guardMs);
  }

  #nextBatch(): readonly Unit<I, O>[] {
    let count = 0;
    let items = 0;
    let size = 0;
    for (const unit of this.#waiting) {
      if (count > 0 && (items + countOf(unit) > maxItems || size + unit.size > maxSize)) break;
      count++;
      items += countOf(unit);
      size += unit.size;
    }
    this.#waitingItems -= items;
    this.#waitingSize -= size;
    this.#sinceYield += items;
    return this.#waiting.splice(0, count);
  }

  async #send(units: readonly Unit<I, O>[]): Promise<void> {
    this.#inFlight++;
    try {
      const outcomes = await this.#carry(itemsOf(units));
      let at = 0;
      for (const unit of units) {
        const from = at;
        at += countOf(unit);
        if (unit.done !== undefined) unit.done(outcomes[from]!);
        else unit.allDone!(outcomes.slice(from, at));
      }
    } catch (error) {
      for (const unit of units) unit.failed(error);
    }
    this.#inFlight--;
    if (this.#waiting.length > 0) this.#schedule();
    else if (this.#inFlight === 0) this.#end();
  }
}
