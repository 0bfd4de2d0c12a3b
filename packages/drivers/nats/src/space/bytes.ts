import { failed } from "../failure.ts";

/** What a request or its answer is made of. */
export type Value = null | number | string | readonly string[];

const Tag = { null: 0, number: 1, text: 2, texts: 3 } as const;

function malformed(what: string): Error {
  return failed("invalid", `malformed: ${what}`);
}

/** Writes into a buffer that grows; big-endian. What was given out is not written again. */
export class ByteWriter {
  #buffer: Buffer;
  #length = 0;

  constructor(firstBytes: number = 1_024) {
    this.#buffer = Buffer.allocUnsafe(firstBytes);
  }

  get length(): number {
    return this.#length;
  }

  u8(value: number): this {
    this.#room(1);
    this.#buffer[this.#length++] = value;
    return this;
  }

  u32(value: number): this {
    this.#room(4);
    this.#length = this.#buffer.writeUInt32BE(value, this.#length);
    return this;
  }

  number(value: number): this {
    this.#room(8);
    this.#length = this.#buffer.writeDoubleBE(value, this.#length);
    return this;
  }

  text(value: string): this {
    this.#room(4 + value.length * 3);
    const written = this.#buffer.write(value, this.#length + 4);
    this.#length = this.#buffer.writeUInt32BE(written, this.#length) + written;
    return this;
  }

  bytes(value: Uint8Array): this {
    this.#room(value.length);
    this.#buffer.set(value, this.#length);
    this.#length += value.length;
    return this;
  }

  values(values: readonly Value[]): this {
    this.u8(values.length);
    for (const value of values) {
      if (value === null) this.u8(Tag.null);
      else if (typeof value === "number") this.u8(Tag.number).number(value);
      else if (typeof value === "string") this.u8(Tag.text).text(value);
      else {
        this.u8(Tag.texts).u32(value.length);
        for (const each of value) this.text(each);
      }
    }
    return this;
  }

  patchU32(at: number, value: number): void {
    this.#buffer.writeUInt32BE(value, at);
  }

  done(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  #room(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(grown, 0, 0, this.#length);
    this.#buffer = grown;
  }
}

/** Reads what a ByteWriter wrote. Throws "invalid" where it is something else. */
export class ByteReader {
  readonly #data: Buffer;
  #at = 0;

  constructor(data: Uint8Array) {
    this.#data = Buffer.from(data.buffer, data.byteOffset, data.length);
  }

  get left(): number {
    return this.#data.length - this.#at;
  }

  u8(): number {
    return this.#data[this.#take(1)]!;
  }

  u32(): number {
    return this.#data.readUInt32BE(this.#take(4));
  }

  number(): number {
    return this.#data.readDoubleBE(this.#take(8));
  }

  text(): string {
    const length = this.u32();
    const start = this.#take(length);
    return this.#data.toString("utf8", start, start + length);
  }

  values(): Values {
    const values: Value[] = [];
    for (let left = this.u8(); left > 0; left--) values.push(this.#value());
    return new Values(values);
  }

  #value(): Value {
    const tag = this.u8();
    if (tag === Tag.null) return null;
    if (tag === Tag.number) return this.number();
    if (tag === Tag.text) return this.text();
    if (tag !== Tag.texts) throw malformed(`a value of kind ${tag}`);
    const count = this.u32();
    if (count * 4 > this.left) throw malformed("a list longer than what holds it");
    const texts: string[] = [];
    for (let left = count; left > 0; left--) texts.push(this.text());
    return texts;
  }

  #take(bytes: number): number {
    const start = this.#at;
    if (start + bytes > this.#data.length) throw malformed("it ends too early");
    this.#at = start + bytes;
    return start;
  }
}

/** The values of one request or answer, each read as what it has to be. */
export class Values {
  readonly #values: readonly Value[];

  constructor(values: readonly Value[]) {
    this.#values = values;
  }

  isNull(index: number): boolean {
    return (this.#values[index] ?? null) === null;
  }

  text(index: number): string {
    const value = this.#values[index];
    if (typeof value !== "string") throw malformed(`value ${index} is no text`);
    return value;
  }

  optionalText(index: number): string | undefined {
    return this.isNull(index) ? undefined : this.text(index);
  }

  number(index: number): number {
    const value = this.#values[index];
    if (typeof value !== "number" || Number.isNaN(value)) throw malformed(`value ${index} is no number`);
    return value;
  }

  optionalNumber(index: number): number | undefined {
    return this.isNull(index) ? undefined : this.number(index);
  }

  texts(index: number): readonly string[] {
    const value = this.#values[index];
    if (!Array.isArray(value)) throw malformed(`value ${index} is no list`);
    return value as readonly string[];
  }
}
