import type { Failure, Headers } from "@quadrant/contract";
import type { StoredMessage } from "../jetstream.ts";
import { type EncodedHeaders, encodeHeaders, headerLine, type ReadHeaders } from "../wire-headers.ts";

/** A letter as it is stored, whichever of the streams it is in. */
export interface LetterForm {
  readonly id: string;
  readonly headers: Headers;
  readonly contentType: string;
  readonly body: Uint8Array;
  readonly key: string | undefined;
  /** Milliseconds since the epoch; undefined where the stream's own time says it. */
  readonly sentAt: number | undefined;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number | undefined;
  /** Attempts before this copy of it was stored. */
  readonly spent: number;
  /** Of a log's durable: the entry that it is. */
  readonly entry?: { readonly subject: string; readonly seq: number } | undefined;
}

/** `msgId` is what the stream recognises a repetition by. */
export function encodeLetter(letter: LetterForm, msgId: string, failure?: Failure, more: string = ""): EncodedHeaders {
  let extra = more + headerLine("Nats-Msg-Id", msgId) + headerLine("Quadrant-Id", encodeURIComponent(letter.id));
  if (letter.key !== undefined) extra += headerLine("Quadrant-Key", encodeURIComponent(letter.key));
  if (letter.sentAt !== undefined) extra += headerLine("Quadrant-Sent", letter.sentAt);
  if (letter.expiresAt !== undefined) extra += headerLine("Quadrant-Expires", letter.expiresAt);
  if (letter.spent > 0) extra += headerLine("Quadrant-Attempts", letter.spent);
  if (letter.entry !== undefined) {
    extra += headerLine("Quadrant-Subject", letter.entry.subject) + headerLine("Quadrant-Seq", letter.entry.seq);
  }
  if (failure !== undefined) {
    extra += headerLine("Quadrant-Failure-Code", encodeURIComponent(failure.code.toWellFormed()));
    extra += headerLine("Quadrant-Failure", encodeURIComponent(failure.message.toWellFormed().slice(0, 4_096)));
  }
  return encodeHeaders(letter.headers, letter.contentType, extra)!;
}

function text(value: string | undefined): string | undefined {
  if (value === undefined || !value.includes("%")) return value;
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

function number(value: string | undefined): number | undefined {
  const parsed = value === undefined ? Number.NaN : Number(value);
  return Number.isFinite(parsed) ? parsed : undefined;
}

/** What another client put there has no id: its sequence serves. */
export function readLetter(read: ReadHeaders, body: Uint8Array, seq: number): LetterForm {
  const { own, headers, contentType } = read;
  const subject = own.get("quadrant-subject");
  return {
    id: text(own.get("quadrant-id")) ?? `seq-${seq}`,
    headers,
    contentType,
    body,
    key: text(own.get("quadrant-key")),
    sentAt: number(own.get("quadrant-sent")),
    expiresAt: number(own.get("quadrant-expires")),
    spent: number(own.get("quadrant-attempts")) ?? 0,
    ...(subject === undefined ? undefined : { entry: { subject, seq: number(own.get("quadrant-seq")) ?? 0 } }),
  };
}

export function readStored(message: StoredMessage): LetterForm {
  return readLetter(message.read, message.body, message.seq);
}

export function failureOf({ own }: ReadHeaders): Failure {
  return {
    code: text(own.get("quadrant-failure-code")) ?? "unknown",
    message: text(own.get("quadrant-failure")) ?? "no reason was given",
  };
}

/** Whether an id was made up by this driver, to guard its own repetitions. */
const ownId = /^quadrant\.[0-9a-f-]{36}$/;

/** The id that an entry was appended with. */
export function entryId({ own }: ReadHeaders): string | undefined {
  const id = own.get("nats-msg-id");
  return id === undefined || ownId.test(id) ? undefined : text(id);
}

/** An entry of a log as a durable lends it. */
export function entryLetter(read: ReadHeaders, body: Uint8Array, seq: number, subject: string): LetterForm {
  const { headers, contentType } = read;
  const id = entryId(read) ?? String(seq);
  const none = { key: undefined, sentAt: undefined, expiresAt: undefined };
  return { id, headers, contentType, body, ...none, spent: 0, entry: { subject, seq } };
}
