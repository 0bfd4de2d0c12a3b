/**
 * What the rows of a journal hold. Each begins with a byte that says its kind; integers are big-endian, numbers are
 * doubles, texts are UTF-8 behind their length. Kinds and layouts are kept on disk: a change is a new kind, or a new
 * format of the journal.
 */
import { BusError, type Headers, noHeaders } from "@quadrant/contract";
import { changeHeaderBytes, checksumBytes, lastRowBytes, removed } from "./journal.ts";

export const RowKind: {
  readonly identity: 1;
  readonly destroyed: 2;
  readonly queue: 3;
  readonly letter: 4;
  readonly loan: 5;
  readonly dead: 6;
  readonly id: 7;
  readonly log: 8;
  readonly entry: 9;
  readonly durable: 10;
  readonly space: 11;
  readonly tuple: 12;
  readonly claim: 13;
  readonly events: 14;
  readonly handed: 15;
} = {
  identity: 1,
  destroyed: 2,
  queue: 3,
  letter: 4,
  loan: 5,
  dead: 6,
  id: 7,
  log: 8,
  entry: 9,
  durable: 10,
  space: 11,
  tuple: 12,
  claim: 13,
  events: 14,
  handed: 15,
};

const firstBytes = 16_384;
const absent = 0xffff_ffff;

/** A larger buffer is not kept for the next group. */
const keptBytes = 4 * 1024 * 1024;
/** Up to here a loop is quicker than a call out of JavaScript. */
const shortText = 64;

/** Writes groups of changes, one after the other, each into one buffer that can be handed to another thread. */
export class RowWriter {
  #buffer: Buffer<ArrayBuffer> = Buffer.from(new ArrayBuffer(0));
  #view: DataView = new DataView(this.#buffer.buffer);
  #length = 0;
  #start = 0;

  /** What was written before has been committed, or handed over. */
  beginGroup(): void {
    this.#length = 0;
    const bytes = this.#buffer.buffer.byteLength;
    if (bytes < firstBytes || bytes > keptBytes) this.#take(Buffer.from(new ArrayBuffer(firstBytes)));
  }

  begin(row: number, kind: number): this {
    this.#room(changeHeaderBytes + checksumBytes + 1);
    this.#start = this.#length;
    this.#u48(row, this.#length);
    this.#length += changeHeaderBytes + checksumBytes;
    this.#buffer[this.#length++] = kind;
    return this;
  }

  end(): void {
    this.#view.setUint32(this.#start + 6, this.#length - this.#start - changeHeaderBytes - checksumBytes);
  }

  /** Those with adjoining numbers together: what was sent in a row is mostly settled in a row. */
  remove(rows: number[]): void {
    rows.sort((a, b) => a - b);
    for (let i = 0; i < rows.length; ) {
      const first = rows[i]!;
      let last = first;
      for (i++; rows[i] === last + 1; i++) last++;
      this.#removeRun(first, last);
    }
  }

  #removeRun(first: number, last: number): void {
    this.#room(changeHeaderBytes + lastRowBytes);
    this.#u48(first, this.#length);
    this.#view.setUint32(this.#length + 6, removed);
    this.#u48(last, this.#length + changeHeaderBytes);
    this.#length += changeHeaderBytes + lastRowBytes;
  }

  /** The number of another row, or any whole number up to 2^48. */
  whole(value: number): this {
    this.#room(6);
    this.#u48(value, this.#length);
    this.#length += 6;
    return this;
  }

  number(value: number): this {
    this.#room(8);
    this.#view.setFloat64(this.#length, value);
    this.#length += 8;
    return this;
  }

  /** undefined is NaN, which no number here is. */
  optionalNumber(value: number | undefined): this {
    return this.number(value ?? Number.NaN);
  }

  text(value: string): this {
    this.#room(4 + value.length * 3);
    const begin = this.#length + 4;
    const written = this.#ascii(value, begin) ? value.length : this.#buffer.write(value, begin);
    this.#view.setUint32(this.#length, written);
    this.#length = begin + written;
    return this;
  }

  /** Whether it was a short text of ASCII alone. */
  #ascii(value: string, begin: number): boolean {
    if (value.length > shortText) return false;
    const buffer = this.#buffer;
    for (let at = 0; at < value.length; at++) {
      const unit = value.charCodeAt(at);
      if (unit > 0x7f) return false;
      buffer[begin + at] = unit;
    }
    return true;
  }

  #u48(value: number, at: number): void {
    this.#view.setUint16(at, Math.floor(value / 0x1_0000_0000));
    this.#view.setUint32(at + 2, value >>> 0);
  }

  optionalText(value: string | undefined): this {
    if (value !== undefined) return this.text(value);
    this.#room(4);
    this.#view.setUint32(this.#length, absent);
    this.#length += 4;
    return this;
  }

  bytes(value: Uint8Array): this {
    this.#room(4 + value.length);
    this.#view.setUint32(this.#length, value.length);
    this.#buffer.set(value, this.#length + 4);
    this.#length += 4 + value.length;
    return this;
  }

  headers(headers: Headers): this {
    const entries = headers === noHeaders ? [] : Object.entries(headers);
    this.whole(entries.length);
    for (const [name, value] of entries) this.text(name).text(value);
    return this;
  }

  /** All that was written, until the next group is begun. */
  changes(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#buffer.buffer, 0, this.#length);
  }

  #room(bytes: number): void {
    if (this.#length + bytes > this.#buffer.length) this.#grow(this.#length + bytes);
  }

  #grow(needed: number): void {
    const grown = Buffer.from(new ArrayBuffer(Math.max(firstBytes, needed, this.#buffer.length * 2)));
    grown.set(this.#buffer.subarray(0, this.#length));
    this.#take(grown);
  }

  #take(buffer: Buffer<ArrayBuffer>): void {
    this.#buffer = buffer;
    this.#view = new DataView(buffer.buffer);
  }
}

/** Reads one row. Throws "codec" where it ends too early. */
export class RowReader {
  readonly kind: number;
  readonly #data: Buffer;
  #at = 1;

  constructor(data: Buffer) {
    this.#data = data;
    this.kind = data[0] ?? 0;
  }

  whole(): number {
    return this.#data.readUIntBE(this.#take(6), 6);
  }

  number(): number {
    return this.#data.readDoubleBE(this.#take(8));
  }

  optionalNumber(): number | undefined {
    const value = this.number();
    return Number.isNaN(value) ? undefined : value;
  }

  text(): string {
    const value = this.optionalText();
    if (value === undefined) throw new BusError("codec", "a row of the journal lacks a text");
    return value;
  }

  optionalText(): string | undefined {
    const length = this.#data.readUInt32BE(this.#take(4));
    if (length === absent) return undefined;
    const start = this.#take(length);
    return this.#data.toString("utf8", start, start + length);
  }

  /** A copy: a view would keep alive whatever else was read with it. */
  bytes(): Uint8Array {
    const length = this.#data.readUInt32BE(this.#take(4));
    const start = this.#take(length);
    return Uint8Array.prototype.slice.call(this.#data, start, start + length);
  }

  headers(): Headers {
    const count = this.whole();
    if (count === 0) return noHeaders;
    const entries: [string, string][] = [];
    for (let left = count; left > 0; left--) entries.push([this.text(), this.text()]);
    return Object.fromEntries(entries);
  }

  #take(bytes: number): number {
    const start = this.#at;
    this.#at += bytes;
    if (this.#at > this.#data.length) throw new BusError("codec", "a row of the journal is cut short");
    return start;
  }
}
