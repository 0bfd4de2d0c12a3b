import { isAscii } from "node:buffer";
import type { Headers } from "@quadrant/contract";

/**
 * The header block of a NATS message, read and written as bytes: the client's own reads and writes it into a map of arrays
 * of values for every message.
 */

const start = "NATS/1.0\r\n";
const lineEnd = "\r\n";
const firstLine = /^NATS\/1\.0(?: +(\d{3})(?: +(.*))?)?/;
export const contentTypeHeader = "Content-Type";

const blocks = new Map<string, EncodedHeaders>();
const maxBlocks = 64;

/** What the client asks of headers when it sends them: their bytes. */
export class EncodedHeaders {
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  encode(): Uint8Array {
    return this.#bytes;
  }

  get length(): number {
    return this.#bytes.length;
  }
}

/** A block without headers of the user, of which there are few: encoded once. */
export function commonHeaders(contentType: string, extra: string): EncodedHeaders | undefined {
  if (extra === "") return encodeHeaders({}, contentType);
  const key = `${contentType}\n${extra}`;
  const known = blocks.get(key);
  if (known !== undefined) return known;
  const encoded = encodeHeaders({}, contentType, extra)!;
  if (blocks.size < maxBlocks) blocks.set(key, encoded);
  return encoded;
}

/** Names and values were checked above: none can end a line. `extra` are the driver's own, as lines. */
export function encodeHeaders(headers: Headers, contentType: string, extra: string = ""): EncodedHeaders | undefined {
  let text = extra;
  let plain = extra === "";
  for (const name in headers) {
    text += `${name}: ${headers[name]!}\r\n`;
    plain = false;
  }
  if (plain) {
    if (contentType === "") return undefined;
    const known = blocks.get(contentType);
    if (known !== undefined) return known;
  }
  if (contentType !== "") text += `${contentTypeHeader}: ${contentType}\r\n`;
  const encoded = new EncodedHeaders(Buffer.from(`${start}${text}\r\n`));
  if (plain && blocks.size < maxBlocks) blocks.set(contentType, encoded);
  return encoded;
}

/** One line of the driver's own. */
export function headerLine(name: string, value: string | number): string {
  return `${name}: ${value}\r\n`;
}

export interface ReadHeaders {
  /** Of the first line: 0 where there is none. */
  readonly status: number;
  /** What the first line says after the status. */
  readonly description: string;
  readonly contentType: string;
  /** The user's. */
  readonly headers: Headers;
  /** What begins with nats- or quadrant-, by its name in lower case. */
  readonly own: ReadonlyMap<string, string>;
}

const nothing: ReadHeaders = Object.freeze({
  status: 0,
  description: "",
  contentType: "",
  headers: Object.freeze({}),
  own: new Map<string, string>(),
});

const readBlocks = new Map<string, ReadHeaders>();
const maxReadBlock = 160;
let lastBlock: Uint8Array = new Uint8Array(0);
let lastRead: ReadHeaders | undefined;

/** As readHeaders, for messages whose blocks are mostly alike: what was read before is not read again. */
export function readCommonHeaders(block: Uint8Array | undefined): ReadHeaders {
  if (block === undefined || block.length === 0) return nothing;
  if (block.length > maxReadBlock) return readHeaders(block);
  if (lastRead !== undefined && block.length === lastBlock.length && Buffer.compare(block, lastBlock) === 0)
    return lastRead;
  const key = Buffer.from(block.buffer, block.byteOffset, block.length).toString("latin1");
  const known = readBlocks.get(key);
  if (known !== undefined) {
    lastBlock = block.slice();
    lastRead = known;
    return known;
  }
  const read = readHeaders(block);
  Object.freeze(read.headers);
  if (readBlocks.size >= 4 * maxBlocks) readBlocks.clear();
  readBlocks.set(key, read);
  return read;
}

const lowered = new Map<string, string>();

/** Names of headers are few. */
function lowerCase(name: string): string {
  let lower = lowered.get(name);
  if (lower === undefined) {
    lower = name.toLowerCase();
    if (lowered.size < 4 * maxBlocks) lowered.set(name, lower);
  }
  return lower;
}

/** Reads a block; one that is no block, or a line that is no header, is passed over. */
export function readHeaders(block: Uint8Array | undefined): ReadHeaders {
  if (block === undefined || block.length === 0) return nothing;
  const text = Buffer.from(block.buffer, block.byteOffset, block.length).toString(isAscii(block) ? "latin1" : "utf8");
  const headers: Record<string, string> = {};
  const own = new Map<string, string>();
  let contentType = "";
  let at = text.indexOf(lineEnd);
  const first = text.startsWith(start) ? undefined : firstLine.exec(at === -1 ? text : text.slice(0, at));
  while (at !== -1) {
    const from = at + lineEnd.length;
    at = text.indexOf(lineEnd, from);
    const colon = text.indexOf(":", from);
    const end = at === -1 ? text.length : at;
    if (colon <= from || colon >= end) continue;
    const name = text.slice(from, colon);
    const value = text.slice(text[colon + 1] === " " ? colon + 2 : colon + 1, end);
    const lower = lowerCase(name);
    if (lower === "content-type") contentType = value;
    else if (lower.startsWith("nats-") || lower.startsWith("quadrant-")) own.set(lower, value);
    else if (name !== "__proto__") headers[name] = value;
  }
  return { status: Number(first?.[1] ?? 0), description: first?.[2] ?? "", contentType, headers, own };
}
