/** Letters, entries, settlements and servers as values, both ways: what client and hub both write and read. */
import type {
  DeadRecord,
  Leased,
  PeekedLetter,
  QueueLetter,
  SendOutcome,
  ServerRecord,
  Settled,
  Settlement,
  Start,
  StoredEntry,
  TupleEvent,
} from "@quadrant/contract";
import { BusError } from "@quadrant/contract";
import { decodeError, encodeError, flatHeaders, type Values } from "./values.ts";

type Row = readonly unknown[];

export function letterRow(letter: QueueLetter): Row {
  const { id, dedupe, headers, contentType, body, delayMs, ttlMs, key } = letter;
  return [id, dedupe, flatHeaders(headers), contentType, body, delayMs ?? null, ttlMs ?? null, key ?? null];
}

export function readLetter(row: Values): QueueLetter {
  return {
    id: row.string(0),
    dedupe: row.boolean(1),
    headers: row.headers(2),
    contentType: row.string(3),
    body: row.bytes(4),
    delayMs: row.optionalNumber(5),
    ttlMs: row.optionalNumber(6),
    key: row.optionalString(7),
  };
}

export function outcomeRow(outcome: SendOutcome): Row {
  return "error" in outcome ? [false, ...encodeError(outcome.error)] : [outcome.duplicate];
}

export function readOutcome(row: Values): SendOutcome {
  const code = row.optionalString(1);
  return code === undefined ? { duplicate: row.boolean(0) } : { error: decodeError(row.tail(1)) };
}

export function leasedRow(leased: Leased): Row {
  const { subject, headers, contentType, body, id, token, attempt, sentAt, seq } = leased;
  return [subject, flatHeaders(headers), contentType, body, id, token, attempt, sentAt, seq ?? null];
}

export function readLeased(row: Values): Leased {
  return {
    subject: row.string(0),
    headers: row.headers(1),
    contentType: row.string(2),
    body: row.bytes(3),
    id: row.string(4),
    token: row.string(5),
    attempt: row.number(6),
    sentAt: row.number(7),
    seq: row.optionalNumber(8),
  };
}

export function settlementRow(settlement: Settlement): Row {
  const { kind, token } = settlement;
  switch (kind) {
    case "nak":
      return [kind, token, settlement.delayMs, settlement.failure?.code ?? null, settlement.failure?.message ?? null];
    case "reject":
      return [kind, token, 0, settlement.failure.code, settlement.failure.message];
    case "extend":
      return [kind, token, settlement.leaseMs];
    default:
      return [kind, token];
  }
}

export function readSettlement(row: Values): Settlement {
  const kind = row.string(0);
  const token = row.string(1);
  const code = row.optionalString(3);
  const failure = code === undefined ? undefined : { code, message: row.string(4) };
  switch (kind) {
    case "ack":
    case "release":
      return { kind, token };
    case "nak":
      return { kind, token, delayMs: row.number(2), failure };
    case "extend":
      return { kind, token, leaseMs: row.number(2) };
    case "reject":
      if (failure !== undefined) return { kind, token, failure };
  }
  throw new BusError("invalid", "malformed request: no settlement");
}

export function settledRow(settled: Settled): Row | null {
  return settled === undefined ? null : encodeError(settled);
}

export function readSettled(values: Values, count: number): readonly Settled[] {
  const settled: Settled[] = [];
  for (let i = 0; i < count; i++) settled.push(values.raw(i) === null ? undefined : decodeError(values.values(i)));
  return settled;
}

export function eventRow({ kind, seq, tuple }: TupleEvent): Row {
  return [kind, seq, tuple];
}

export function readEvent(row: Values): TupleEvent {
  const kind = row.string(0);
  if (kind !== "out" && kind !== "in" && kind !== "expire" && kind !== "return")
    throw new BusError("invalid", `malformed answer: "${kind}" happens to no tuple`);
  return { kind, seq: row.number(1), tuple: row.string(2) };
}

export function peekedRow(letter: PeekedLetter): Row {
  const { subject, headers, contentType, body, id, attempt, sentAt } = letter;
  return [subject, flatHeaders(headers), contentType, body, id, attempt, sentAt];
}

export function readPeeked(row: Values): PeekedLetter {
  return {
    subject: row.string(0),
    headers: row.headers(1),
    contentType: row.string(2),
    body: row.bytes(3),
    id: row.string(4),
    attempt: row.number(5),
    sentAt: row.number(6),
  };
}

export function deadRow(dead: DeadRecord): Row {
  return [...peekedRow(dead), dead.diedAt, dead.failure.code, dead.failure.message];
}

export function readDead(row: Values): DeadRecord {
  return { ...readPeeked(row), diedAt: row.number(7), failure: { code: row.string(8), message: row.string(9) } };
}

export function entryRow(entry: StoredEntry): Row {
  const { subject, headers, contentType, body, seq, time, id } = entry;
  return [subject, flatHeaders(headers), contentType, body, seq, time, id ?? null];
}

export function readEntry(row: Values): StoredEntry {
  return {
    subject: row.string(0),
    headers: row.headers(1),
    contentType: row.string(2),
    body: row.bytes(3),
    seq: row.number(4),
    time: row.number(5),
    id: row.optionalString(6),
  };
}

/** "first", "new", a sequence, or ["time", milliseconds since the epoch]. */
export function startValue(start: Start | undefined): unknown {
  if (start === undefined) return null;
  if (typeof start === "string") return start;
  return "seq" in start ? start.seq : ["time", start.time.getTime()];
}

export function readStart(values: Values, index: number): Start | undefined {
  const value = values.raw(index);
  if (value === null || value === undefined) return undefined;
  if (value === "first" || value === "new") return value;
  if (Array.isArray(value)) return { time: new Date(values.values(index).number(1)) };
  return { seq: values.number(index) };
}

export function serverRow(server: ServerRecord): Row {
  const { address, instance, methods, version, description, handled, failed, meanMs } = server;
  return [address, instance, methods, version ?? null, description ?? null, handled, failed, meanMs];
}

export function readServer(row: Values): ServerRecord {
  return {
    address: row.string(0),
    instance: row.string(1),
    methods: row.strings(2),
    version: row.optionalString(3),
    description: row.optionalString(4),
    handled: row.number(5),
    failed: row.number(6),
    meanMs: row.number(7),
  };
}
