import type { Candidates } from "./bucket.ts";

/** Slots to begin with; a power of two, like every later number. */
const firstSlots = 16;

/**
 * What is found by the hash of its key, where keys are not kept: who looks something up tells by the thing itself whether
 * it is the right one. Two arrays that stay, as in `IdTable`, since tuples come and go all the time: open addressing with
 * linear probing, hashes beside the entries, so that what is passed over is not touched.
 */
export class KeyTable {
  #entries: (Candidates | undefined)[] = new Array(firstSlots).fill(undefined);
  #hashes: Int32Array = new Int32Array(firstSlots);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The slot of the first entry with this hash, or -1. */
  first(hash: number): number {
    return this.#seek(hash, hash);
  }

  /** The slot of the next entry with the hash of the one in `slot`, or -1. */
  next(slot: number): number {
    return this.#seek(this.#hashes[slot]!, slot + 1);
  }

  at(slot: number): Candidates {
    return this.#entries[slot]!;
  }

  /** Puts another in the place of the entry. */
  replace(slot: number, entry: Candidates): void {
    this.#entries[slot] = entry;
  }

  insert(hash: number, entry: Candidates): void {
    if ((this.#size + 1) * 2 > this.#entries.length) this.#resize(this.#entries.length * 2);
    this.#put(hash, entry);
    this.#size++;
  }

  /** Whether it was there. */
  delete(hash: number, entry: Candidates): boolean {
    let free = this.first(hash);
    while (free !== -1 && this.#entries[free] !== entry) free = this.next(free);
    if (free === -1) return false;
    const entries = this.#entries;
    const hashes = this.#hashes;
    const mask = entries.length - 1;
    // What stands behind it and belongs before it moves up.
    for (let at = (free + 1) & mask; entries[at] !== undefined; at = (at + 1) & mask) {
      if (((at - hashes[at]!) & mask) < ((at - free) & mask)) continue;
      entries[free] = entries[at];
      hashes[free] = hashes[at]!;
      free = at;
    }
    entries[free] = undefined;
    this.#size--;
    if (this.#size * 8 < entries.length && entries.length > firstSlots) this.#resize(entries.length / 2);
    return true;
  }

  #seek(hash: number, from: number): number {
    const entries = this.#entries;
    const mask = entries.length - 1;
    for (let at = from & mask; entries[at] !== undefined; at = (at + 1) & mask) {
      if (this.#hashes[at] === hash) return at;
    }
    return -1;
  }

  #put(hash: number, entry: Candidates): void {
    const mask = this.#entries.length - 1;
    let at = hash & mask;
    while (this.#entries[at] !== undefined) at = (at + 1) & mask;
    this.#entries[at] = entry;
    this.#hashes[at] = hash;
  }

  #resize(slots: number): void {
    const entries = this.#entries;
    const hashes = this.#hashes;
    this.#entries = new Array(slots).fill(undefined);
    this.#hashes = new Int32Array(slots);
    for (let at = 0; at < entries.length; at++) {
      const entry = entries[at];
      if (entry !== undefined) this.#put(hashes[at]!, entry);
    }
  }
}
