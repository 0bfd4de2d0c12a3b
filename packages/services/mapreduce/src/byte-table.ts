import { fnvPrime, fnvStart } from "./partition.ts";

/** Words between spaces, and how often each came. */
export interface WordList {
  readonly words: string;
  readonly counts: readonly number[];
}

const space = 0x20;
const firstRoom = 1 << 11;

/**
 * Counts of byte sequences: a hash table that lies in a few flat arrays, without an object or string for each. The caller
 * hashes, by FNV-1a: most can do so while they look for the sequence's end.
 */
export class ByteTable {
  /** Of each slot: the entry's number plus one, or 0. At most half are taken. */
  #slots = new Int32Array(firstRoom * 2);
  #hashes = new Int32Array(firstRoom);
  #counts = new Float64Array(firstRoom);
  /** Where in the arena each entry begins; it ends where the next begins. */
  #starts = new Uint32Array(firstRoom + 1);
  #size = 0;
  arena: Uint8Array = new Uint8Array(firstRoom * 16);

  /** How many distinct sequences. */
  get size(): number {
    return this.#size;
  }

  start(entry: number): number {
    return this.#starts[entry]!;
  }

  end(entry: number): number {
    return this.#starts[entry + 1]!;
  }

  count(entry: number): number {
    return this.#counts[entry]!;
  }

  hash(entry: number): number {
    return this.#hashes[entry]!;
  }

  add(bytes: Uint8Array, start: number, end: number, hash: number, times: number): void {
    const mask = this.#slots.length - 1;
    let slot = spread(hash) & mask;
    for (;;) {
      const entry = this.#slots[slot]! - 1;
      if (entry < 0) break;
      if (this.#hashes[entry] === hash && this.#equals(entry, bytes, start, end)) {
        this.#counts[entry]! += times;
        return;
      }
      slot = (slot + 1) & mask;
    }
    this.#insert(slot, bytes, start, end, hash, times);
  }

  /** Adds a list's words. */
  addList({ words, counts }: WordList): void {
    const bytes = Buffer.from(words);
    let start = 0;
    let hash = fnvStart;
    let word = 0;
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i]!;
      if (byte !== space) {
        hash = Math.imul(hash ^ byte, fnvPrime);
        continue;
      }
      this.add(bytes, start, i, hash, counts[word++]!);
      start = i + 1;
      hash = fnvStart;
    }
    if (bytes.length > 0) this.add(bytes, start, bytes.length, hash, counts[word]!);
  }

  /** All entries, each in the list that its hash says. They have to be UTF-8, and without a space. */
  deal(lists: number): readonly WordList[] {
    const sizes = new Float64Array(lists);
    for (let entry = 0; entry < this.#size; entry++) {
      sizes[(this.#hashes[entry]! >>> 0) % lists]! += this.end(entry) - this.start(entry) + 1;
    }
    const texts = Array.from(sizes, (size) => Buffer.allocUnsafe(size));
    const counts = Array.from(sizes, (): number[] => []);
    const filled = new Float64Array(lists);
    for (let entry = 0; entry < this.#size; entry++) {
      const list = (this.#hashes[entry]! >>> 0) % lists;
      const text = texts[list]!;
      let at = filled[list]!;
      for (let i = this.start(entry); i < this.end(entry); i++) text[at++] = this.arena[i]!;
      text[at++] = space;
      filled[list] = at;
      counts[list]!.push(this.#counts[entry]!);
    }
    // Without the last space.
    return texts.map((text, list) => ({ words: text.toString("utf8", 0, text.length - 1), counts: counts[list]! }));
  }

  clear(): void {
    this.#slots.fill(0);
    this.#size = 0;
  }

  #equals(entry: number, bytes: Uint8Array, start: number, end: number): boolean {
    let at = this.#starts[entry]!;
    if (this.#starts[entry + 1]! - at !== end - start) return false;
    for (let i = start; i < end; i++) if (this.arena[at++] !== bytes[i]) return false;
    return true;
  }

  #insert(slot: number, bytes: Uint8Array, start: number, end: number, hash: number, times: number): void {
    const entry = this.#size++;
    let at = this.#starts[entry]!;
    const room = at + end - start;
    if (room > this.arena.length) this.arena = grown(this.arena, new Uint8Array(Math.max(room, this.arena.length * 2)));
    for (let i = start; i < end; i++) this.arena[at++] = bytes[i]!;
    this.#starts[entry + 1] = at;
    this.#hashes[entry] = hash;
    this.#counts[entry] = times;
    this.#slots[slot] = entry + 1;
    if (this.#size === this.#counts.length) this.#double();
  }

  #double(): void {
    const room = this.#size * 2;
    this.#hashes = grown(this.#hashes, new Int32Array(room));
    this.#counts = grown(this.#counts, new Float64Array(room));
    this.#starts = grown(this.#starts, new Uint32Array(room + 1));
    const mask = room * 2 - 1;
    this.#slots = new Int32Array(room * 2);
    for (let entry = 0; entry < this.#size; entry++) {
      let slot = spread(this.#hashes[entry]!) & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = entry + 1;
    }
  }
}

/** The high bits of FNV-1a are better than the low ones, of which the slot is made. */
function spread(hash: number): number {
  return hash ^ (hash >>> 15);
}

function grown<A extends Uint8Array | Int32Array | Uint32Array | Float64Array>(old: A, room: A): A {
  room.set(old);
  return room;
}
