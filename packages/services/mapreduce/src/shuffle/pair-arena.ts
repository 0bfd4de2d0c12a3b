import { ByteWriter } from "../job/byte-writer.ts";
import type { PairCursor } from "./cursor.ts";
import { sortKeys } from "./key-sort.ts";

const firstPairs = 1 << 10;
/** Offsets are of 32 bits. */
const mostBytes = 0xf000_0000;

/** Pairs of a map task in one buffer, with where each is and to which partition it belongs in flat arrays. */
export class PairArena {
  readonly writer: ByteWriter = new ByteWriter(1 << 16);
  #keys = new Uint32Array(firstPairs);
  #values = new Uint32Array(firstPairs);
  #ends = new Uint32Array(firstPairs);
  #partitions = new Uint16Array(firstPairs);
  #pairs = 0;

  get pairs(): number {
    return this.#pairs;
  }

  /** What is taken up by pairs, and by sorting them. Room grows by doubling, so that as much again may be held. */
  get heldBytes(): number {
    return this.writer.length + this.#pairs * 34;
  }

  /** Nearly as much as there can be? */
  get isFull(): boolean {
    return this.writer.length > mostBytes;
  }

  /** The pair whose key lies in the writer from `key` to `value`, and its value from there to the end. */
  add(key: number, value: number, partition: number): void {
    const at = this.#pairs++;
    if (at === this.#keys.length) this.#double();
    this.#keys[at] = key;
    this.#values[at] = value;
    this.#ends[at] = this.writer.length;
    this.#partitions[at] = partition;
  }

  /** For each of so many partitions its pairs, by key; equal keys in the order in which they came. */
  sorted(partitions: number, order: "ascending" | "descending"): readonly PairCursor[] {
    const places = this.#byPartition(partitions);
    const { bytes } = this.writer;
    const keys = { bytes, starts: this.#keys, ends: this.#values };
    return places.map((own) => {
      sortKeys(own, keys, order);
      return new ArenaCursor(bytes, this.#keys, this.#values, this.#ends, own);
    });
  }

  clear(): void {
    this.#pairs = 0;
    this.writer.clear();
  }

  #byPartition(partitions: number): readonly Uint32Array[] {
    const sizes = new Uint32Array(partitions);
    for (let at = 0; at < this.#pairs; at++) sizes[this.#partitions[at]!]!++;
    const places = Array.from(sizes, (size) => new Uint32Array(size));
    sizes.fill(0);
    for (let at = 0; at < this.#pairs; at++) {
      const partition = this.#partitions[at]!;
      places[partition]![sizes[partition]!++] = at;
    }
    return places;
  }

  #double(): void {
    const room = this.#keys.length * 2;
    this.#keys = grown(this.#keys, new Uint32Array(room));
    this.#values = grown(this.#values, new Uint32Array(room));
    this.#ends = grown(this.#ends, new Uint32Array(room));
    this.#partitions = grown(this.#partitions, new Uint16Array(room));
  }
}

function grown<A extends Uint32Array | Uint16Array>(old: A, room: A): A {
  room.set(old);
  return room;
}

class ArenaCursor implements PairCursor {
  readonly bytes: Buffer;
  readonly #keys: Uint32Array;
  readonly #values: Uint32Array;
  readonly #ends: Uint32Array;
  readonly #places: Uint32Array;
  #at = 0;
  key = 0;
  value = 0;
  end = 0;

  constructor(bytes: Buffer, keys: Uint32Array, values: Uint32Array, ends: Uint32Array, places: Uint32Array) {
    this.bytes = bytes;
    this.#keys = keys;
    this.#values = values;
    this.#ends = ends;
    this.#places = places;
  }

  advance(): boolean {
    if (this.#at === this.#places.length) return false;
    const place = this.#places[this.#at++]!;
    this.key = this.#keys[place]!;
    this.value = this.#values[place]!;
    this.end = this.#ends[place]!;
    return true;
  }

  close(): void {
    this.#at = this.#places.length;
  }
}
