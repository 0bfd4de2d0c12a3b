import type { ByteWriter } from "./byte-writer.ts";

/** How a key or a value of a job is written into a run. Keys are sorted by their bytes. */
export interface Codec<T> {
  readonly name: string;
  /** Throws a TypeError for what it cannot write. */
  write(value: T, into: ByteWriter): void;
  read(bytes: Buffer, start: number, end: number): T;
}

/** What JSON can say. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** Strings as UTF-8, which sorts by code point. */
export const text: Codec<string> = {
  name: "text",
  write: (value, into) => {
    if (typeof value !== "string") throw notA("a string", "text", value);
    into.text(value);
  },
  read: (bytes, start, end) => bytes.toString("utf8", start, end),
};

/** Whole numbers from 0 to 2^53 - 1, small ones in a byte. For counts; not in order of size. */
export const count: Codec<number> = {
  name: "count",
  write: (value, into) => {
    if (!Number.isSafeInteger(value) || value < 0) throw notA("a whole number from 0 to 2^53 - 1", "count", value);
    into.varint(value);
  },
  read: (bytes, start, end) => {
    let value = 0;
    for (let at = start, scale = 1; at < end; at++, scale *= 0x80) value += (bytes[at]! & 0x7f) * scale;
    return value;
  },
};

/** Any number in eight bytes that sort as the numbers do, -0 before 0, NaN last. */
export const number: Codec<number> = {
  name: "number",
  write: (value, into) => {
    if (typeof value !== "number") throw notA("a number", "number", value);
    const at = into.length;
    into.float64(value);
    // Negative numbers: all bits turned; others: the sign bit.
    if (into.bytes[at]! < 0x80) into.bytes[at]! ^= 0x80;
    else for (let i = at; i < at + 8; i++) into.bytes[i]! ^= 0xff;
  },
  read: (bytes, start) => {
    const flipped = Buffer.from(bytes.subarray(start, start + 8));
    if (flipped[0]! >= 0x80) flipped[0]! ^= 0x80;
    else for (let i = 0; i < 8; i++) flipped[i]! ^= 0xff;
    return flipped.readDoubleBE(0);
  },
};

/** Bytes as they are; what is read is a copy. */
export const bytes: Codec<Uint8Array> = {
  name: "bytes",
  write: (value, into) => {
    if (!(value instanceof Uint8Array)) throw notA("a Uint8Array", "bytes", value);
    into.copy(value, 0, value.length);
  },
  read: (from, start, end) => new Uint8Array(from.subarray(start, end)),
};

/** Anything that JSON can say, of the type that is named: `json<{ url: string }>()`. */
export function json<T = Json>(): Codec<T> {
  return {
    name: "json",
    write: (value, into) => {
      const said = JSON.stringify(value);
      if (said === undefined) throw notA("a JSON value", "json", value);
      into.text(said);
    },
    read: (from, start, end) => JSON.parse(from.toString("utf8", start, end)),
  };
}

/** Nothing at all: for jobs that ask only which keys there are. */
export const nothing: Codec<undefined> = {
  name: "nothing",
  write: () => undefined,
  read: () => undefined,
};

function notA(what: string, codec: string, value: unknown): TypeError {
  return new TypeError(
    `${typeof value === "object" ? Object.prototype.toString.call(value) : String(value)} is not ${what}, which the codec "${codec}" writes: emit one, or give the job another codec for its key or value`,
  );
}
