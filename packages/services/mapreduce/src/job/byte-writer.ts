const firstRoom = 1 << 12;

/** Bytes that are written one after another into a buffer that grows. */
export class ByteWriter {
  bytes: Buffer;
  length = 0;

  constructor(room: number = firstRoom) {
    this.bytes = Buffer.allocUnsafeSlow(Math.max(room, 16));
  }

  clear(): void {
    this.length = 0;
  }

  /** What was written; valid until the next write. */
  written(): Buffer {
    return this.bytes.subarray(0, this.length);
  }

  /** Makes sure that `more` bytes fit. */
  reserve(more: number): void {
    const needed = this.length + more;
    if (needed <= this.bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.bytes.length * 2));
    this.bytes.copy(larger, 0, 0, this.length);
    this.bytes = larger;
  }

  byte(value: number): void {
    this.reserve(1);
    this.bytes[this.length++] = value;
  }

  copy(from: Uint8Array, start: number, end: number): void {
    this.reserve(end - start);
    // Below that, a loop is quicker than the call.
    if (end - start > 32) this.bytes.set(from.subarray(start, end), this.length);
    else for (let i = start, at = this.length; i < end; i++) this.bytes[at++] = from[i]!;
    this.length += end - start;
  }

  /** UTF-8; what is no character (a lone surrogate) becomes U+FFFD. */
  text(text: string): void {
    this.reserve(text.length * 3);
    this.length += this.bytes.write(text, this.length);
  }

  /** LEB128 of a whole number from 0 to 2^53 - 1: seven bits a byte, the lowest first. */
  varint(value: number): void {
    this.reserve(8);
    let rest = value;
    while (rest >= 0x80) {
      this.bytes[this.length++] = (rest % 0x80) | 0x80;
      rest = rest < 0x8000_0000 ? rest >>> 7 : Math.floor(rest / 0x80);
    }
    this.bytes[this.length++] = rest;
  }

  float64(value: number): void {
    this.reserve(8);
    this.length = this.bytes.writeDoubleBE(value, this.length);
  }
}
