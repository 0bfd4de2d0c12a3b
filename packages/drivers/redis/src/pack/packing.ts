import type { Headers } from "@quadrant/contract";

const firstBytes = 1_024;

/** Fields one after the other in bytes, big-endian; a text or a body after its length. */
export class Packing {
  #buffer = Buffer.allocUnsafe(firstBytes);
  #at = 0;

  get size(): number {
    return this.#at;
  }

  byte(value: number): this {
    this.#reserve(1);
    this.#buffer[this.#at++] = value;
    return this;
  }

  whole(value: number): this {
    this.#reserve(4);
    this.#at = this.#buffer.writeUInt32BE(value, this.#at);
    return this;
  }

  number(value: number): this {
    this.#reserve(8);
    this.#at = this.#buffer.writeDoubleBE(value, this.#at);
    return this;
  }

  /** A text alone, of ASCII. */
  latin(text: string): this {
    this.#reserve(text.length);
    this.#at += this.#buffer.write(text, this.#at, "latin1");
    return this;
  }

  /** At most 255 bytes. */
  short(text: string): this {
    this.#reserve(text.length * 3 + 1);
    const bytes = this.#buffer.write(text, this.#at + 1);
    this.#buffer[this.#at] = bytes;
    this.#at += bytes + 1;
    return this;
  }

  text(text: string): this {
    this.#reserve(text.length * 3 + 4);
    const bytes = this.#buffer.write(text, this.#at + 4);
    this.#buffer.writeUInt32BE(bytes, this.#at);
    this.#at += bytes + 4;
    return this;
  }

  bytes(bytes: Uint8Array): this {
    this.#reserve(bytes.length + 4);
    this.#at = this.#buffer.writeUInt32BE(bytes.length, this.#at);
    this.#buffer.set(bytes, this.#at);
    this.#at += bytes.length;
    return this;
  }

  /** The rest of what is packed. */
  rest(bytes: Uint8Array): this {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#at);
    this.#at += bytes.length;
    return this;
  }

  headers(headers: Headers): this {
    const countAt = this.#at;
    this.whole(0);
    let count = 0;
    for (const name in headers) {
      this.text(name).text(headers[name]!);
      count++;
    }
    if (count > 0) this.#buffer.writeUInt32BE(count, countAt);
    return this;
  }

  /** What was packed; it begins anew. */
  take(): Buffer {
    const taken = Buffer.from(this.#buffer.subarray(0, this.#at));
    this.#at = 0;
    if (this.#buffer.length > 262_144) this.#buffer = Buffer.allocUnsafe(firstBytes);
    return taken;
  }

  /** Puts a count where one was left open by `whole`. */
  patch(at: number, value: number): void {
    this.#buffer.writeUInt32BE(value, at);
  }

  #reserve(bytes: number): void {
    const needed = this.#at + bytes;
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(larger, 0, 0, this.#at);
    this.#buffer = larger;
  }
}

const noHeaders: Headers = Object.freeze({});

/** Reads what was packed. Throws where it ends too early. */
export class Unpacking {
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;

  /** From `at` up to `end`. */
  constructor(bytes: Buffer, at: number = 0, end: number = bytes.length) {
    this.#bytes = bytes;
    this.#at = at;
    this.#end = end;
  }

  get done(): boolean {
    return this.#at >= this.#end;
  }

  byte(): number {
    return this.#bytes.readUInt8(this.#at++);
  }

  whole(): number {
    const value = this.#bytes.readUInt32BE(this.#at);
    this.#at += 4;
    return value;
  }

  number(): number {
    const value = this.#bytes.readDoubleBE(this.#at);
    this.#at += 8;
    return value;
  }

  short(): string {
    return this.#text(this.byte());
  }

  text(): string {
    return this.#text(this.whole());
  }

  bytes(): Buffer {
    const length = this.whole();
    return this.#bytes.subarray(this.#at, this.#skip(length));
  }

  rest(): Buffer {
    const from = this.#at;
    this.#at = this.#end;
    return this.#bytes.subarray(from, this.#end);
  }

  headers(): Headers {
    const count = this.whole();
    if (count === 0) return noHeaders;
    const headers: Record<string, string> = Object.create(null) as Record<string, string>;
    for (let i = 0; i < count; i++) headers[this.text()] = this.text();
    return { ...headers };
  }

  #text(length: number): string {
    const from = this.#at;
    return this.#bytes.toString("utf8", from, this.#skip(length));
  }

  #skip(length: number): number {
    const to = this.#at + length;
    if (to > this.#end) throw new RangeError("it ends too early");
    this.#at = to;
    return to;
  }
}
