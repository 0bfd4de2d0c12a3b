import { closeSync, openSync, readSync } from "node:fs";
import { setImmediate as turn } from "node:timers/promises";
import type { FileRange } from "./input.ts";

const blockBytes = 1 << 20;
/** No string could hold more. */
const longestPiece = 1 << 29;
/** Blocks are read and taken for so long before others get a turn. */
const turnMs = 20;

/** The end of the last place at or after `from` where the bytes may be cut; -1 where there is none. */
export type LastCut = (bytes: Uint8Array, from: number) => number;

/** Gets a block and its position; what takes long yields where others should get a turn. */
export type TakeBlock = (block: Buffer, position: number) => Iterable<undefined> | undefined;

/**
 * Reads a range in blocks that are cut where `lastCut` says and gives each to `take`, with its position in the file; the
 * block's memory is used again when `take` returns. Blocks are of 1 MiB, less at the end, more where there is no place to
 * cut. Rejects where the file ends before the range does, and where half a gigabyte has no place to cut.
 *
 * Reads are synchronous: what reads has nothing else to do, and a trip to the thread pool and back takes longer than a
 * megabyte from the page cache.
 */
export async function readBlocks(
  range: FileRange,
  lastCut: LastCut,
  take: TakeBlock,
  signal?: AbortSignal,
): Promise<void> {
  const file = openSync(range.path, "r");
  try {
    let since = performance.now();
    for (const blocks = new Blocks(file, range, lastCut); ; ) {
      const block = blocks.next();
      if (block === undefined) return;
      const taking = take(block, blocks.position);
      if (taking !== undefined) for (const _ of taking) await pause(signal);
      if (performance.now() - since < turnMs) continue;
      await pause(signal);
      since = performance.now();
    }
  } finally {
    closeSync(file);
  }
}

async function pause(signal: AbortSignal | undefined): Promise<void> {
  await turn();
  signal?.throwIfAborted();
}

/** Of all reads of this process one after another: a new one for each small file would be garbage of a megabyte. */
let spare: Buffer | undefined;

class Blocks {
  readonly #file: number;
  readonly #range: FileRange;
  readonly #lastCut: LastCut;
  #buffer: Buffer;
  /** What lies behind the last block, from `#from` to `#to`. */
  #from = 0;
  #to = 0;
  #read: number;
  /** Where in the file the last block began. */
  position: number;

  constructor(file: number, range: FileRange, lastCut: LastCut) {
    this.#file = file;
    this.#range = range;
    this.#lastCut = lastCut;
    this.#read = range.start;
    this.position = range.start;
    this.#buffer = spare ?? Buffer.allocUnsafeSlow(blockBytes);
    spare = undefined;
  }

  next(): Buffer | undefined {
    const { end } = this.#range;
    this.#buffer.copyWithin(0, this.#from, this.#to);
    this.#to -= this.#from;
    this.#from = 0;
    while (this.#read < end) {
      if (this.#to === this.#buffer.length) this.#double();
      const kept = this.#to;
      this.#fill();
      const held = this.#buffer.subarray(0, this.#to);
      const cut = this.#read === end ? this.#to : this.#lastCut(held, kept);
      if (cut > 0) return this.#taken(cut);
    }
    if (this.#buffer.length === blockBytes) spare ??= this.#buffer;
    return undefined;
  }

  #taken(cut: number): Buffer {
    this.position = this.#read - this.#to;
    this.#from = cut;
    return this.#buffer.subarray(0, cut);
  }

  /** Reads until the buffer, or the range, is at its end. */
  #fill(): void {
    const { path, end } = this.#range;
    while (this.#to < this.#buffer.length && this.#read < end) {
      const wanted = Math.min(this.#buffer.length - this.#to, end - this.#read);
      const bytes = readSync(this.#file, this.#buffer, this.#to, wanted, this.#read);
      if (bytes === 0) {
        throw new Error(`${path} ended at byte ${this.#read}, ${end - this.#read} before what was listed`);
      }
      this.#to += bytes;
      this.#read += bytes;
    }
  }

  #double(): void {
    if (this.#to >= longestPiece) {
      throw new Error(`${this.#range.path} has ${this.#to} bytes without a place to cut: too long for one record`);
    }
    const larger = Buffer.allocUnsafeSlow(this.#to * 2);
    this.#buffer.copy(larger, 0, 0, this.#to);
    this.#buffer = larger;
  }
}
