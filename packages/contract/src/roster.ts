/** What can be on a roster: on one at a time, or on two that use different notes. */
export interface Seated {
  /** The roster's own note of where it is. */
  seat?: number | undefined;
  secondSeat?: number | undefined;
}

/** So many places an empty roster keeps. */
const longest = 4_096;

/**
 * A set of objects that come and go all the time, in no order. A Set replaces its table again and again then, and V8 keeps
 * each old table, with what was in it, until the next full collection once one has grown old: half of the time went
 * into that. Here nothing old ever points to what has left.
 */
export class Roster<T extends Seated> {
  /** Longer than there are: an array that shrinks and grows all the time is copied all the time. */
  readonly #items: (T | undefined)[] = [];
  #size = 0;
  readonly #seat: "seat" | "secondSeat";

  constructor(seat: "seat" | "secondSeat" = "seat") {
    this.#seat = seat;
  }

  get size(): number {
    return this.#size;
  }

  add(item: T): void {
    if (this.has(item)) return;
    item[this.#seat] = this.#size;
    this.#items[this.#size++] = item;
  }

  has(item: T): boolean {
    const seat = item[this.#seat];
    return seat !== undefined && this.#items[seat] === item;
  }

  delete(item: T): boolean {
    if (!this.has(item)) return false;
    const last = this.#items[--this.#size]!;
    this.#items[this.#size] = undefined;
    if (this.#size === 0 && this.#items.length > longest) this.#items.length = 0;
    if (last !== item) {
      const seat = item[this.#seat]!;
      last[this.#seat] = seat;
      this.#items[seat] = last;
    }
    item[this.#seat] = undefined;
    return true;
  }

  /** Those that are on it now, whatever becomes of them meanwhile. */
  [Symbol.iterator](): IterableIterator<T> {
    return (this.#items.slice(0, this.#size) as T[]).values();
  }

  clear(): void {
    for (const item of this) item[this.#seat] = undefined;
    this.#items.length = this.#size = 0;
  }
}
