/**
 * Fixed layouts for the values of the operations that are asked most; all others travel as one msgpack array. Both sides
 * read and write values alike: a layout changes nothing of what they mean. README.md has the table.
 */
import { BusError } from "@quadrant/contract";
import type { Batch } from "./batch.ts";
import { Operation } from "./operation.ts";
import { Reader } from "./reader.ts";
import { Values } from "./values.ts";

type Row = readonly unknown[];

export interface Layout {
  /** Throws "too-large" where a field does not fit. */
  writeRequest(batch: Batch, values: Row): void;
  /** Throws "invalid" where the bytes are none. */
  readRequest(bytes: Buffer): Values;
  writeResult(batch: Batch, values: Row): void;
  readResult(bytes: Buffer): Values;
}

function writeOptional(batch: Batch, value: unknown): void {
  batch.f64(value === null || value === undefined ? Number.NaN : (value as number));
}

function readOptional(reader: Reader): number | null {
  const value = reader.f64();
  return Number.isNaN(value) ? null : value;
}

/** What a row tells last: u8 1 and the text, or u8 0. */
function writeLast(batch: Batch, value: unknown): void {
  if (value === null || value === undefined) batch.u8(0);
  else batch.u8(1).lastText(value as string);
}

function readLast(reader: Reader): string | null {
  return reader.u8() === 0 ? null : reader.lastText();
}

function writeHeaders(batch: Batch, flat: readonly string[]): void {
  const count = flat.length >> 1;
  batch.u8(count >> 8).u8(count & 0xff);
  for (const text of flat) batch.text(text);
}

/** [space, template] → [tuple or null] */
const match: Layout = {
  writeRequest: (batch, values) => void batch.text(values[0] as string).lastText(values[1] as string),
  readRequest: (bytes) => {
    const reader = new Reader(bytes, 0);
    return new Values([reader.text(), reader.lastText()]);
  },
  writeResult: (batch, values) => writeLast(batch, values[0]),
  readResult: (bytes) => new Values([readLast(new Reader(bytes, 0))]),
};

/** [space, tuple, leaseMs?] → [id, expiresInMs] */
const out: Layout = {
  writeRequest: (batch, values) => {
    batch.text(values[0] as string);
    writeOptional(batch, values[2]);
    batch.lastText(values[1] as string);
  },
  readRequest: (bytes) => {
    const reader = new Reader(bytes, 0);
    const space = reader.text();
    const leaseMs = readOptional(reader);
    return new Values([space, reader.lastText(), leaseMs]);
  },
  writeResult: (batch, values) => void batch.text(values[0] as string).f64(values[1] as number),
  readResult: (bytes) => {
    const reader = new Reader(bytes, 0);
    return new Values([reader.text(), reader.f64()]);
  },
};

// -- rows: u32 number, then each

function writeRows(batch: Batch, rows: readonly Row[], write: (batch: Batch, row: Row) => void): void {
  batch.u32(rows.length);
  for (const row of rows) write(batch, row);
}

function readRows<T>(reader: Reader, read: (reader: Reader) => T): readonly T[] {
  const rows: T[] = [];
  for (let left = reader.u32(); left > 0; left--) rows.push(read(reader));
  return rows;
}

const deduped = 1;
const delayed = 2;
const expiring = 4;
const keyed = 8;

/** [id, dedupe, headers, contentType, body, delayMs?, ttlMs?, key?] */
function writeLetter(batch: Batch, row: Row): void {
  const [id, dedupe, headers, contentType, body, delayMs, ttlMs, key] = row;
  const flags =
    (dedupe === true ? deduped : 0) |
    (delayMs === null ? 0 : delayed) |
    (ttlMs === null ? 0 : expiring) |
    (key === null ? 0 : keyed);
  batch
    .u8(flags)
    .text(id as string)
    .mediaType(contentType as string);
  writeHeaders(batch, headers as readonly string[]);
  if (delayMs !== null) batch.f64(delayMs as number);
  if (ttlMs !== null) batch.f64(ttlMs as number);
  if (key !== null) batch.text(key as string);
  batch.block(body as Uint8Array);
}

function readLetter(reader: Reader): Row {
  const flags = reader.u8();
  const id = reader.text();
  const contentType = reader.mediaType();
  const headers = reader.headers();
  const delayMs = (flags & delayed) === 0 ? null : reader.f64();
  const ttlMs = (flags & expiring) === 0 ? null : reader.f64();
  const key = (flags & keyed) === 0 ? null : reader.text();
  return [id, (flags & deduped) !== 0, headers, contentType, reader.block(), delayMs, ttlMs, key];
}

function writeFailure(batch: Batch, code: unknown, message: unknown): void {
  batch.text(code as string).block(Buffer.from(message as string));
}

function readFailure(reader: Reader): [code: string, message: string] {
  return [reader.text(), reader.block().toString()];
}

/** [duplicate], or [false, code, message] */
function writeOutcome(batch: Batch, row: Row): void {
  if (row.length === 1) batch.u8(row[0] === true ? 1 : 0);
  else writeFailure(batch.u8(2), row[1], row[2]);
}

function readOutcome(reader: Reader): Row {
  const outcome = reader.u8();
  return outcome === 2 ? [false, ...readFailure(reader)] : [outcome === 1];
}

/** [address, letters] → [outcomes] */
const send: Layout = {
  writeRequest: (batch, values) => writeRows(batch.text(values[0] as string), values[1] as Row[], writeLetter),
  readRequest: (bytes) => {
    const reader = new Reader(bytes, 0);
    return new Values([reader.text(), readRows(reader, readLetter)]);
  },
  writeResult: (batch, values) => writeRows(batch, values[0] as Row[], writeOutcome),
  readResult: (bytes) => new Values([readRows(new Reader(bytes, 0), readOutcome)]),
};

/** [subject, headers, contentType, body, id, token, attempt, sentAt, seq?] */
function writeLeased(batch: Batch, row: Row): void {
  const [subject, headers, contentType, body, id, token, attempt, sentAt, seq] = row;
  batch
    .text(subject as string)
    .text(id as string)
    .text(token as string)
    .u32(Math.min(attempt as number, 0xffff_ffff))
    .f64(sentAt as number);
  writeOptional(batch, seq);
  batch.mediaType(contentType as string);
  writeHeaders(batch, headers as readonly string[]);
  batch.block(body as Uint8Array);
}

function readLeased(reader: Reader): Row {
  const subject = reader.text();
  const id = reader.text();
  const token = reader.text();
  const attempt = reader.u32();
  const sentAt = reader.f64();
  const seq = readOptional(reader);
  const contentType = reader.mediaType();
  return [subject, reader.headers(), contentType, reader.block(), id, token, attempt, sentAt, seq];
}

/** [address, max, leaseMs?] → [letters] */
const fetch: Layout = {
  writeRequest: (batch, values) => {
    batch.text(values[0] as string).f64(values[1] as number);
    writeOptional(batch, values[2]);
  },
  readRequest: (bytes) => {
    const reader = new Reader(bytes, 0);
    return new Values([reader.text(), reader.f64(), readOptional(reader)]);
  },
  writeResult: (batch, values) => writeRows(batch, values[0] as Row[], writeLeased),
  readResult: (bytes) => new Values([readRows(new Reader(bytes, 0), readLeased)]),
};

const settlements = ["ack", "release", "nak", "reject", "extend"];

/** [kind, token], of "nak" [, delayMs, code?, message?], of "reject" [, 0, code, message], of "extend" [, leaseMs] */
function writeSettlement(batch: Batch, row: Row): void {
  const [kind, token, ms, code, message] = row;
  batch.u8(settlements.indexOf(kind as string)).text(token as string);
  if (kind === "ack" || kind === "release") return;
  batch.f64(ms as number);
  if (kind === "extend") return;
  if (code === null) batch.u8(0);
  else writeFailure(batch.u8(1), code, message);
}

function readSettlement(reader: Reader): Row {
  const kind = settlements[reader.u8()];
  if (kind === undefined) throw new BusError("invalid", "malformed request: no settlement");
  const token = reader.text();
  if (kind === "ack" || kind === "release") return [kind, token];
  const ms = reader.f64();
  if (kind === "extend" || reader.u8() === 0) return [kind, token, ms, null, null];
  return [kind, token, ms, ...readFailure(reader)];
}

/** null, or [code, message] */
function writeSettled(batch: Batch, row: Row | null): void {
  if (row === null) batch.u8(0);
  else writeFailure(batch.u8(1), row[0], row[1]);
}

function readSettled(reader: Reader): Row | null {
  return reader.u8() === 0 ? null : readFailure(reader);
}

/** [address, settlements] → [settled] */
const settle: Layout = {
  writeRequest: (batch, values) => writeRows(batch.text(values[0] as string), values[1] as Row[], writeSettlement),
  readRequest: (bytes) => {
    const reader = new Reader(bytes, 0);
    return new Values([reader.text(), readRows(reader, readSettlement)]);
  },
  writeResult: (batch, values) => {
    const rows = values[0] as (Row | null)[];
    batch.u32(rows.length);
    for (const row of rows) writeSettled(batch, row);
  },
  readResult: (bytes) => new Values([readRows(new Reader(bytes, 0), readSettled)]),
};

/** By the operation's code. */
export const layouts: ReadonlyMap<number, Layout> = new Map<number, Layout>([
  [Operation.queueSend, send],
  [Operation.queueFetch, fetch],
  [Operation.queueSettle, settle],
  [Operation.spaceOut, out],
  [Operation.spaceTake, match],
  [Operation.spaceRead, match],
  [Operation.spaceTakeNow, match],
  [Operation.spaceReadNow, match],
]);
