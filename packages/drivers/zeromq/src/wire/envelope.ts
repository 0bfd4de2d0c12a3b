/**
 * An envelope on the wire. All integers are big-endian, text is UTF-8.
 *
 *   u16 length, subject | u8 media type (0 none, 1 JSON, 2 octets, 3 msgpack, 255 other: u8 length, text)
 *   u16 number of headers, for each: u16 length, name, u16 length, value | body to the end
 */
import type { Envelope, Headers } from "@quadrant/contract";
import { noHeaders } from "@quadrant/contract";

const knownTypes: readonly string[] = ["", "application/json", "application/octet-stream", "application/msgpack"];
const otherType = 255;

type Room = (bytes: number) => Buffer;

function writeText(text: string, at: number, room: Room): number {
  const limit = text.length * 3;
  const buffer = room(2 + limit);
  const written = buffer.write(text, at + 2);
  buffer.writeUInt16BE(written, at);
  return at + 2 + written;
}

function writeHeaders(headers: Headers, at: number, room: Room): number {
  if (headers === noHeaders) {
    room(2).writeUInt16BE(0, at);
    return at + 2;
  }
  const entries = Object.entries(headers);
  room(2).writeUInt16BE(entries.length, at);
  let end = at + 2;
  for (const [name, value] of entries) {
    // Each call of `room` is relative to the writer's own length: ask for all that has been written since, too.
    const need = (bytes: number): Buffer => room(end - at + bytes);
    end = writeText(name, end, need);
    end = writeText(value, end, need);
  }
  return end;
}

/** Writes at `at`; `room(n)` makes sure of n bytes from `at` on and returns the buffer. Returns the end. */
export function writeEnvelope(envelope: Envelope, at: number, room: Room): number {
  if (envelope instanceof WireEnvelope) {
    const { raw } = envelope;
    room(raw.length).set(raw, at);
    return at + raw.length;
  }
  const need = (bytes: number, from: number): Buffer => room(from - at + bytes);
  let end = writeText(envelope.subject, at, room);
  const type = knownTypes.indexOf(envelope.contentType);
  if (type >= 0) {
    need(1, end)[end++] = type;
  } else {
    const text = Buffer.from(envelope.contentType.slice(0, 60));
    const buffer = need(2 + text.length, end);
    buffer[end++] = otherType;
    buffer[end++] = text.length;
    buffer.set(text, end);
    end += text.length;
  }
  const headersAt = end;
  end = writeHeaders(envelope.headers, headersAt, (bytes) => need(bytes, headersAt));
  need(envelope.body.length, end).set(envelope.body, end);
  return end + envelope.body.length;
}

/** A received envelope: its parts are read when they are looked at, and it is passed on as it came. */
export class WireEnvelope implements Envelope {
  readonly raw: Buffer;
  readonly subject: string;
  readonly contentType: string;
  readonly #headersAt: number;
  readonly #bodyAt: number;
  #headers: Headers | undefined;

  private constructor(raw: Buffer, subject: string, contentType: string, headersAt: number, bodyAt: number) {
    this.raw = raw;
    this.subject = subject;
    this.contentType = contentType;
    this.#headersAt = headersAt;
    this.#bodyAt = bodyAt;
  }

  /** undefined where the bytes are none. */
  static read(raw: Buffer): WireEnvelope | undefined {
    if (raw.length < 5) return undefined;
    const subjectEnd = 2 + raw.readUInt16BE(0);
    if (subjectEnd + 3 > raw.length) return undefined;
    const subject = raw.toString("utf8", 2, subjectEnd);
    let at = subjectEnd;
    const type = raw[at++]!;
    let contentType: string | undefined = knownTypes[type];
    if (contentType === undefined) {
      if (type !== otherType) return undefined;
      const length = raw[at++]!;
      if (at + length + 2 > raw.length) return undefined;
      contentType = raw.toString("utf8", at, at + length);
      at += length;
    }
    const headersAt = at;
    const count = raw.readUInt16BE(at);
    at += 2;
    for (let left = count * 2; left > 0; left--) {
      if (at + 2 > raw.length) return undefined;
      at += 2 + raw.readUInt16BE(at);
    }
    if (at > raw.length) return undefined;
    return new WireEnvelope(raw, subject, contentType, headersAt, at);
  }

  get headers(): Headers {
    this.#headers ??= this.#readHeaders();
    return this.#headers;
  }

  get body(): Uint8Array {
    return this.raw.subarray(this.#bodyAt);
  }

  #readHeaders(): Headers {
    let at = this.#headersAt;
    const count = this.raw.readUInt16BE(at);
    if (count === 0) return noHeaders;
    at += 2;
    const take = (): string => {
      const end = at + 2 + this.raw.readUInt16BE(at);
      const text = this.raw.toString("utf8", at + 2, end);
      at = end;
      return text;
    };
    const entries: [string, string][] = [];
    for (let left = count; left > 0; left--) entries.push([take(), take()]);
    return Object.fromEntries(entries);
  }
}
