/**
 * The form of a blob's file: its name in front, so that a file whose end is damaged is still known for what it was; the
 * bytes; behind them what is known only at the end.
 *
 *   0   6 B  "QBLOB1"
 *   6   u16  length of the name          8  the name, UTF-8
 *   …        the bytes
 *   -48 32 B SHA-256 of the bytes      -16  u64 their number      -8  8 B "QBLOBEND"
 */
const beginning = Buffer.from("QBLOB1");
const ending = Buffer.from("QBLOBEND");

export const trailerBytes = 48;
/** A header, with the longest name there is. */
export const mostHeaderBytes: number = beginning.length + 2 + 255;

export function encodeHeader(name: string): Buffer {
  const text = Buffer.from(name);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(text.length);
  return Buffer.concat([beginning, length, text]);
}

export function encodeTrailer(sha256: string, bytes: number): Buffer {
  const count = Buffer.alloc(8);
  count.writeBigUInt64BE(BigInt(bytes));
  return Buffer.concat([Buffer.from(sha256, "hex"), count, ending]);
}

/** The name, and where the bytes begin; undefined for what is no file of a blob. */
export function readHeader(start: Uint8Array): { readonly name: string; readonly at: number } | undefined {
  const buffer = Buffer.from(start.buffer, start.byteOffset, start.byteLength);
  if (buffer.length < 8 || buffer.compare(beginning, 0, 6, 0, 6) !== 0) return undefined;
  const at = 8 + buffer.readUInt16BE(6);
  return at > buffer.length ? undefined : { name: buffer.toString("utf8", 8, at), at };
}

/** undefined where the end of the file is not what it was. */
export function readTrailer(end: Uint8Array, bytes: number): string | undefined {
  const buffer = Buffer.from(end.buffer, end.byteOffset, end.byteLength);
  if (buffer.length !== trailerBytes || !buffer.subarray(40).equals(ending)) return undefined;
  return buffer.readBigUInt64BE(32) === BigInt(bytes) ? buffer.toString("hex", 0, 32) : undefined;
}
