import type { LogLimits, StoredEntry } from "@quadrant/contract";
import type { Incoming } from "../incoming.ts";
import type { StoredMessage, StreamConfig } from "../jetstream.ts";
import { ackParts, nanoseconds } from "../loans.ts";
import { entryId } from "../queues/letter-form.ts";
import { tokenOf } from "../token.ts";
import { type ReadHeaders, readHeaders } from "../wire-headers.ts";

const streamPrefix = "QUADRANT_LOG_";
const twoMinutesMs = 120_000;
/** The server's own least for a stream's age, and for the window in which it knows ids. */
const leastMs = 100;

export const logSubjects = "_quadrant.log.>";

export const logStream = (name: string): string => `${streamPrefix}${tokenOf(name)}`;
export const logPrefix = (name: string): string => `_quadrant.log.${tokenOf(name)}.`;
export const tokenOfLogStream = (stream: string): string => stream.slice(streamPrefix.length);

/** What a log was made with, as its stream's description says; other clients may look at it. */
export interface LogTerms extends LogLimits {
  readonly log: string;
}

export function logConfig(name: string, limits: LogLimits, replicas: number): StreamConfig {
  const { maxAgeMs, maxBytes, maxMessages } = limits;
  const ageMs = maxAgeMs === undefined || maxAgeMs === Number.POSITIVE_INFINITY ? 0 : Math.max(leastMs, maxAgeMs);
  const terms: LogTerms = { log: name, ...definedOf(limits) };
  return {
    name: logStream(name),
    description: JSON.stringify(terms),
    subjects: [`${logPrefix(name)}>`],
    retention: "limits",
    discard: "old",
    storage: "file",
    num_replicas: replicas,
    max_age: nanoseconds(ageMs),
    max_bytes: maxBytes ?? -1,
    max_msgs: maxMessages ?? -1,
    duplicate_window: nanoseconds(ageMs === 0 ? twoMinutesMs : Math.min(twoMinutesMs, ageMs)),
  };
}

function definedOf({ maxAgeMs, maxBytes, maxMessages }: LogLimits): LogLimits {
  return {
    ...(maxAgeMs === undefined ? undefined : { maxAgeMs }),
    ...(maxBytes === undefined ? undefined : { maxBytes }),
    ...(maxMessages === undefined ? undefined : { maxMessages }),
  };
}

/** Of a stream that somebody else made, what its limits say. */
export function termsOfStream(config: StreamConfig, name: string): LogTerms {
  try {
    const terms = JSON.parse(config.description ?? "") as LogTerms;
    if (terms.log === name) return terms;
  } catch {
    // It has a description of its own.
  }
  const set = (value: number | undefined): number | undefined => (value !== undefined && value > 0 ? value : undefined);
  const age = set(config.max_age);
  return {
    log: name,
    maxAgeMs: age === undefined ? undefined : age / 1e6,
    maxBytes: set(config.max_bytes),
    maxMessages: set(config.max_msgs),
  };
}

function entry(read: ReadHeaders, subject: string, body: Uint8Array, seq: number, time: number): StoredEntry {
  const id = entryId(read);
  const { headers, contentType } = read;
  return { subject, headers, contentType, body, seq, time, ...(id === undefined ? undefined : { id }) };
}

/** An entry that a consumer delivered. */
export function deliveredEntry(message: Incoming, prefix: string): StoredEntry {
  const { seq, time } = ackParts(message.reply!);
  return entry(readHeaders(message.headers), message.subject.slice(prefix.length), message.data, seq, time);
}

export function storedEntry({ read, subject, body, seq, time }: StoredMessage, prefix: string): StoredEntry {
  return entry(read, subject.slice(prefix.length), body, seq, time);
}
