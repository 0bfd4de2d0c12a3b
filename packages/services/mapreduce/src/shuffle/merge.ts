import { compareKeys, type PairCursor } from "./cursor.ts";

/**
 * Many sorted cursors as one: pairs of equal keys come in the order of the cursors, those of one cursor in its own. A
 * binary heap of which the top is replaced; keys are compared by their first six bytes as a number before the rest.
 */
export class MergeCursor implements PairCursor {
  readonly #cursors: readonly PairCursor[];
  readonly #sign: 1 | -1;
  /** Places of cursors, the least first. */
  readonly #heap: Uint32Array;
  readonly #prefixes: Float64Array;
  #size = 0;
  #begun = false;
  bytes: Buffer = Buffer.alloc(0);
  key = 0;
  value = 0;
  end = 0;

  constructor(cursors: readonly PairCursor[], order: "ascending" | "descending") {
    this.#cursors = cursors;
    this.#sign = order === "ascending" ? 1 : -1;
    this.#heap = new Uint32Array(cursors.length);
    this.#prefixes = new Float64Array(cursors.length);
  }

  advance(): boolean {
    if (!this.#begun) this.#begin();
    else if (this.#size > 0) {
      const top = this.#heap[0]!;
      if (this.#step(top)) this.#sink(0);
      else {
        this.#heap[0] = this.#heap[--this.#size]!;
        if (this.#size > 0) this.#sink(0);
      }
    }
    if (this.#size === 0) return false;
    const cursor = this.#cursors[this.#heap[0]!]!;
    this.bytes = cursor.bytes;
    this.key = cursor.key;
    this.value = cursor.value;
    this.end = cursor.end;
    return true;
  }

  close(): void {
    for (const cursor of this.#cursors) cursor.close();
  }

  #begin(): void {
    this.#begun = true;
    for (let place = 0; place < this.#cursors.length; place++) if (this.#step(place)) this.#heap[this.#size++] = place;
    for (let at = (this.#size >> 1) - 1; at >= 0; at--) this.#sink(at);
  }

  #step(place: number): boolean {
    const cursor = this.#cursors[place]!;
    if (!cursor.advance()) return false;
    this.#prefixes[place] = prefixOf(cursor);
    return true;
  }

  #sink(from: number): void {
    const heap = this.#heap;
    const place = heap[from]!;
    let at = from;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= this.#size) break;
      if (child + 1 < this.#size && this.#isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!this.#isBefore(heap[child]!, place)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = place;
  }

  #isBefore(a: number, b: number): boolean {
    const difference = this.#prefixes[a]! - this.#prefixes[b]! || compareKeys(this.#cursors[a]!, this.#cursors[b]!);
    return difference === 0 ? a < b : difference * this.#sign < 0;
  }
}

function prefixOf({ bytes, key, value }: PairCursor): number {
  if (value - key >= 6) return bytes.readUIntBE(key, 6);
  let prefix = 0;
  for (let i = 0; i < 6; i++) prefix = prefix * 256 + (key + i < value ? bytes[key + i]! : 0);
  return prefix;
}
