/** Pairs as they lie in the blocks of runs: varint(key length) varint(value length) key value. */
export interface BlockPair {
  readonly key: Buffer;
  readonly value: Buffer;
}

/** The pairs of a block, as views of it. For tests and small things; cursors read without an object a pair. */
export function* pairsOf(block: Buffer): Generator<BlockPair> {
  const cursor = new BlockCursor();
  cursor.open(block);
  while (cursor.advance()) {
    yield { key: block.subarray(cursor.key, cursor.value), value: block.subarray(cursor.value, cursor.end) };
  }
}

/** Goes through a block. */
export class BlockCursor {
  bytes: Buffer = Buffer.alloc(0);
  /** Of the pair at hand: where its key, its value begin, and where it ends. */
  key = 0;
  value = 0;
  end = 0;

  open(bytes: Buffer): void {
    this.bytes = bytes;
    this.end = 0;
  }

  /** To the next pair; false where there is none. Throws where the block ends within one. */
  advance(): boolean {
    const { bytes } = this;
    let at = this.end;
    if (at >= bytes.length) return false;
    let keyBytes = bytes[at++]!;
    if (keyBytes >= 0x80) {
      this.end = at - 1;
      keyBytes = this.#varint();
      at = this.end;
    }
    let valueBytes = bytes[at++]!;
    if (valueBytes >= 0x80) {
      this.end = at - 1;
      valueBytes = this.#varint();
      at = this.end;
    }
    this.key = at;
    this.value = at + keyBytes;
    this.end = this.value + valueBytes;
    if (this.end > bytes.length) throw new Error("a block ends within a pair");
    return true;
  }

  #varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = this.bytes[this.end++];
      if (byte === undefined) throw new Error("a block ends within a pair");
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }
}
