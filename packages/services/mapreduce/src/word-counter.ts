import { wordBytes } from "./word-bytes.ts";

/** A maximal run of letters, digits and marks; lower-cased, it is a word. */
const wordPattern: RegExp = /[\p{L}\p{N}\p{M}]+/gu;

/** Longer runs seldom come twice: they are decoded at once instead of being kept. */
const longestKept = 64;

/**
 * Counts words at the speed of bytes. A *run* is a maximal row of ASCII letters, digits and bytes of longer sequences.
 * Equal runs, ASCII case folded, are counted together in a hash table over their bytes; only the distinct ones are
 * decoded, taken apart where they hold more than letters, digits and marks, and lower-cased. Folding ASCII first does
 * not change what `toLowerCase` makes of the rest: its one rule of context, the final sigma, asks for cased letters, and
 * a letter is cased in either case.
 */
export class WordCounter {
  /** Of each slot: the run's number plus one, or 0. */
  #slots = new Int32Array(1 << 12);
  #hashes = new Int32Array(1 << 11);
  #offsets = new Uint32Array((1 << 11) + 1);
  #counts = new Float64Array(1 << 11);
  #size = 0;
  #arena = new Uint8Array(1 << 15);
  readonly #words = new Map<string, number>();

  /** Counts a piece of text in UTF-8 that begins and ends where no word does: see `wordBytes`. */
  add(bytes: Uint8Array): void {
    const end = bytes.length;
    const foldings = wordBytes;
    let i = 0;
    while (i < end) {
      let folded = foldings[bytes[i]!]!;
      if (folded === 0) {
        i++;
        continue;
      }
      const start = i;
      let hash = 0x811c9dc5 | 0;
      let seen = 0;
      while (folded !== 0) {
        seen |= folded;
        hash = Math.imul(hash ^ folded, 0x01000193);
        if (++i === end) break;
        folded = foldings[bytes[i]!]!;
      }
      if (i - start <= longestKept) this.#count(bytes, start, i, hash);
      else this.#countText(decode(bytes, start, i, seen < 0x80), 1);
    }
  }

  /** The words so far and how often each came. Takes what was counted: the counter is empty afterwards. */
  take(): Map<string, number> {
    for (let run = 0; run < this.#size; run++) {
      const start = this.#offsets[run]!;
      const end = this.#offsets[run + 1]!;
      // An ASCII run, folded, is a word as it stands.
      if (isAscii(this.#arena, start, end)) this.#countWord(decode(this.#arena, start, end, true), this.#counts[run]!);
      else this.#countText(decode(this.#arena, start, end, false), this.#counts[run]!);
    }
    this.#slots.fill(0);
    this.#size = 0;
    const words = new Map(this.#words);
    this.#words.clear();
    return words;
  }

  #countText(text: string, times: number): void {
    for (const run of text.match(wordPattern) ?? []) this.#countWord(run.toLowerCase(), times);
  }

  #countWord(word: string, times: number): void {
    this.#words.set(word, (this.#words.get(word) ?? 0) + times);
  }

  #count(bytes: Uint8Array, start: number, end: number, hash: number): void {
    const mask = this.#slots.length - 1;
    let slot = (hash ^ (hash >>> 15)) & mask;
    for (;;) {
      const run = this.#slots[slot]! - 1;
      if (run < 0) break;
      if (this.#hashes[run] === hash && this.#equals(run, bytes, start, end)) {
        this.#counts[run]!++;
        return;
      }
      slot = (slot + 1) & mask;
    }
    this.#insert(slot, bytes, start, end, hash);
  }

  #equals(run: number, bytes: Uint8Array, start: number, end: number): boolean {
    let at = this.#offsets[run]!;
    if (this.#offsets[run + 1]! - at !== end - start) return false;
    for (let i = start; i < end; i++) if (this.#arena[at++] !== wordBytes[bytes[i]!]) return false;
    return true;
  }

  #insert(slot: number, bytes: Uint8Array, start: number, end: number, hash: number): void {
    const run = this.#size++;
    let at = this.#offsets[run]!;
    if (at + end - start > this.#arena.length) this.#arena = grown(this.#arena, new Uint8Array(this.#arena.length * 2));
    for (let i = start; i < end; i++) this.#arena[at++] = wordBytes[bytes[i]!]!;
    this.#offsets[run + 1] = at;
    this.#hashes[run] = hash;
    this.#counts[run] = 1;
    this.#slots[slot] = run + 1;
    if (this.#size === this.#counts.length) this.#double();
  }

  #double(): void {
    const room = this.#size * 2;
    this.#hashes = grown(this.#hashes, new Int32Array(room));
    this.#counts = grown(this.#counts, new Float64Array(room));
    this.#offsets = grown(this.#offsets, new Uint32Array(room + 1));
    const mask = room * 2 - 1;
    this.#slots = new Int32Array(room * 2);
    for (let run = 0; run < this.#size; run++) {
      const hash = this.#hashes[run]!;
      let slot = (hash ^ (hash >>> 15)) & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = run + 1;
    }
  }
}

function grown<A extends Uint8Array | Int32Array | Uint32Array | Float64Array>(old: A, room: A): A {
  room.set(old);
  return room;
}

function isAscii(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (bytes[i]! >= 0x80) return false;
  return true;
}

function decode(bytes: Uint8Array, start: number, end: number, ascii: boolean): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString(ascii ? "latin1" : "utf8");
}
