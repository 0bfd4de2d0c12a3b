/**
 * An envelope on the wire. All integers are big-endian, text is UTF-8.
 *
 *   u16 length, subject | u8 media type (0 none, 1 JSON, 2 octets, 3 msgpack, 255 other: u8 length, text)
 *   u16 number of headers, for each: u16 length, name, u16 length, value | body to the end
 */
import type { Envelope, Headers } from "@quadrant/contract";
import { noHeaders } from "@quadrant/contract";
import { repeatedText } from "./repeated-text.ts";

/** Media types that travel as their index. */
export const knownTypes: readonly string[] = [
  "",
  "application/json",
  "application/octet-stream",
  "application/msgpack",
];
/** Any other: its text follows. */
export const otherType = 255;

/** A received envelope: its parts are read when they are looked at, and it is passed on as it came. */
export class WireEnvelope implements Envelope {
  readonly #bytes: Buffer;
  readonly #start: number;
  readonly subject: string;
  readonly contentType: string;
  readonly #headersAt: number;
  readonly #bodyAt: number;

  private constructor(
    bytes: Buffer,
    start: number,
    subject: string,
    contentType: string,
    headersAt: number,
    bodyAt: number,
  ) {
    this.#bytes = bytes;
    this.#start = start;
    this.subject = subject;
    this.contentType = contentType;
    this.#headersAt = headersAt;
    this.#bodyAt = bodyAt;
  }

  /** From `start` to the end of the bytes; undefined where they are none. */
  static read(bytes: Buffer, start: number = 0): WireEnvelope | undefined {
    if (bytes.length < start + 5) return undefined;
    const subjectEnd = start + 2 + bytes.readUInt16BE(start);
    if (subjectEnd + 3 > bytes.length) return undefined;
    const subject = repeatedText(bytes, start + 2, subjectEnd);
    let at = subjectEnd;
    const type = bytes[at++]!;
    let contentType: string | undefined = knownTypes[type];
    if (contentType === undefined) {
      if (type !== otherType) return undefined;
      const length = bytes[at++]!;
      if (at + length + 2 > bytes.length) return undefined;
      contentType = bytes.toString("utf8", at, at + length);
      at += length;
    }
    const headersAt = at;
    const count = bytes.readUInt16BE(at);
    at += 2;
    for (let left = count * 2; left > 0; left--) {
      if (at + 2 > bytes.length) return undefined;
      at += 2 + bytes.readUInt16BE(at);
    }
    if (at > bytes.length) return undefined;
    return new WireEnvelope(bytes, start, subject, contentType, headersAt, at);
  }

  /** As it came. */
  get raw(): Buffer {
    return this.#start === 0 ? this.#bytes : this.#bytes.subarray(this.#start);
  }

  /** Bytes of the body, without a look at them. */
  get bodyBytes(): number {
    return this.#bytes.length - this.#bodyAt;
  }

  get headers(): Headers {
    let at = this.#headersAt;
    const bytes = this.#bytes;
    const count = bytes.readUInt16BE(at);
    if (count === 0) return noHeaders;
    at += 2;
    const take = (): string => {
      const end = at + 2 + bytes.readUInt16BE(at);
      const text = bytes.toString("utf8", at + 2, end);
      at = end;
      return text;
    };
    const entries: [string, string][] = [];
    for (let left = count; left > 0; left--) entries.push([take(), take()]);
    return Object.fromEntries(entries);
  }

  get body(): Uint8Array {
    return this.#bytes.subarray(this.#bodyAt);
  }
}
