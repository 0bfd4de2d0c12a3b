import { fnvPrime, fnvStart } from "./hash.ts";

const firstKeys = 1 << 11;
/** Of an entry: FNV-1a of the key, where its bytes begin, how many there are, and nothing. */
const fields = 4;

/**
 * Numbers keys in the order in which they come. They lie as bytes in one buffer, each from a multiple of four and with zeros
 * behind it, under a hash table of flat arrays: no string is kept, and keys are compared four bytes at a time.
 */
export class KeyTable {
  #bytes: Buffer = Buffer.allocUnsafeSlow(firstKeys * 16);
  #words = new Int32Array(this.#bytes.buffer);
  #length = 0;
  /** Of each slot: the key's number plus one, or 0. At most half are taken. */
  #slots = new Int32Array(firstKeys * 2);
  #entries = new Int32Array(firstKeys * fields);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** What keys take up. Room grows by doubling, so that as much again may be held. */
  get heldBytes(): number {
    return this.#length + this.#size * (fields * 4 + 8);
  }

  /** All keys' bytes; a key's are from `start` to `end`. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  start(place: number): number {
    return this.#entries[place * fields + 1]!;
  }

  end(place: number): number {
    return this.start(place) + this.#entries[place * fields + 2]!;
  }

  /** FNV-1a of the key's bytes. */
  hash(place: number): number {
    return this.#entries[place * fields]! >>> 0;
  }

  /** The number of a string, in UTF-8; `size` before the call where it is new. */
  placeOfText(text: string): number {
    const { length } = text;
    this.#reserve(length * 3 + 4);
    const bytes = this.#bytes;
    const start = this.#length;
    let hash = fnvStart;
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code >= 0x80) return this.#placeOfWide(text);
      bytes[start + i] = code;
      hash = Math.imul(hash ^ code, fnvPrime);
    }
    return this.#place(hash, length);
  }

  /** The number of a key; `size` before the call where it is new. */
  placeOfBytes(from: Uint8Array, key: number, end: number): number {
    this.#reserve(end - key + 4);
    const bytes = this.#bytes;
    const start = this.#length;
    let hash = fnvStart;
    for (let i = key, to = start; i < end; i++, to++) {
      const byte = from[i]!;
      bytes[to] = byte;
      hash = Math.imul(hash ^ byte, fnvPrime);
    }
    return this.#place(hash, end - key);
  }

  clear(): void {
    this.#slots.fill(0);
    this.#length = 0;
    this.#size = 0;
  }

  #placeOfWide(text: string): number {
    const length = this.#bytes.write(text, this.#length);
    const end = this.#length + length;
    let hash = fnvStart;
    for (let i = this.#length; i < end; i++) hash = Math.imul(hash ^ this.#bytes[i]!, fnvPrime);
    return this.#place(hash, length);
  }

  /** Of so many bytes that lie behind the last key. */
  #place(hash: number, length: number): number {
    const start = this.#length;
    const bytes = this.#bytes;
    const end = (start + length + 3) & ~3;
    for (let at = start + length; at < end; at++) bytes[at] = 0;
    const mask = this.#slots.length - 1;
    for (let slot = spread(hash) & mask; ; slot = (slot + 1) & mask) {
      const place = this.#slots[slot]! - 1;
      if (place < 0) return this.#insert(slot, hash, length, end);
      const at = place * fields;
      if (this.#entries[at] !== hash || this.#entries[at + 2] !== length) continue;
      if (this.#isSame(this.#entries[at + 1]! >> 2, start >> 2, end >> 2)) return place;
    }
  }

  #isSame(one: number, other: number, end: number): boolean {
    const words = this.#words;
    for (let a = one, b = other; b < end; a++, b++) if (words[a] !== words[b]) return false;
    return true;
  }

  #insert(slot: number, hash: number, length: number, end: number): number {
    const place = this.#size++;
    const at = place * fields;
    this.#entries[at] = hash;
    this.#entries[at + 1] = this.#length;
    this.#entries[at + 2] = length;
    this.#length = end;
    this.#slots[slot] = place + 1;
    if (this.#size * fields === this.#entries.length) this.#double();
    return place;
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed + 3, this.#bytes.length * 2) & ~3);
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
    this.#words = new Int32Array(larger.buffer);
  }

  #double(): void {
    const entries = new Int32Array(this.#entries.length * 2);
    entries.set(this.#entries);
    this.#entries = entries;
    this.#slots = new Int32Array(this.#slots.length * 2);
    const mask = this.#slots.length - 1;
    for (let place = 0; place < this.#size; place++) {
      let slot = spread(entries[place * fields]!) & mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
      this.#slots[slot] = place + 1;
    }
  }
}

/** The high bits of FNV-1a are better than the low ones, of which the slot is made. */
function spread(hash: number): number {
  return hash ^ (hash >>> 15);
}
