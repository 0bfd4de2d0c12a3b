import { ByteWriter } from "../job/byte-writer.ts";

/** A block is closed when it has so many bytes: few enough that many runs can be merged, each with a block in memory. */
export const blockBytes: number = 1 << 15;

/** Makes blocks of pairs that come in order: varint(key length) varint(value length) key value. */
export class BlockWriter {
  readonly #writer = new ByteWriter(blockBytes + 4096);
  readonly #emit: (block: Buffer) => void;
  pairs = 0;

  /** `emit` gets each block, which is overwritten when it returns. */
  constructor(emit: (block: Buffer) => void) {
    this.#emit = emit;
  }

  /** The key is `from[key..value]`, the value `from[value..end]`. */
  add(from: Uint8Array, key: number, value: number, end: number): void {
    const writer = this.#writer;
    writer.varint(value - key);
    writer.varint(end - value);
    writer.copy(from, key, end);
    this.#added();
  }

  addCount(key: Uint8Array, count: number): void {
    const writer = this.#writer;
    writer.varint(key.length);
    writer.varint(varintBytes(count));
    writer.copy(key, 0, key.length);
    writer.varint(count);
    this.#added();
  }

  end(): void {
    if (this.#writer.length === 0) return;
    this.#emit(this.#writer.written());
    this.#writer.clear();
  }

  #added(): void {
    this.pairs++;
    if (this.#writer.length >= blockBytes) this.end();
  }
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes++;
  return bytes;
}
