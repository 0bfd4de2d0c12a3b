import type { LogPage, LogReadRequest, Start } from "@quadrant/contract";
import { failed } from "../failure.ts";
import type { JetStream, StreamInfo } from "../jetstream.ts";
import { nanoseconds } from "../loans.ts";
import type { PullSource, Pulls } from "../pulls.ts";
import { deliveredEntry, logPrefix, logStream } from "./log-stream.ts";

/** The server forgets a reader's consumer that is not used for so long. */
const idleMs = 10_000;
const maxCursors = 256;
/** A server that has not caught up is asked again after this. */
const lagMs = 50;

/** A consumer of one reader, where it stands. */
class Cursor implements PullSource {
  readonly stream: string;
  readonly consumer: string;
  /** Matching entries that it had not delivered when it was last heard of. */
  pending: number;
  usedAt: number = performance.now();

  constructor(stream: string, consumer: string, pending: number) {
    this.stream = stream;
    this.consumer = consumer;
    this.pending = pending;
  }

  /** What nobody waits for is read again by another cursor. */
  async strayed(): Promise<void> {}
}

/** Where a read begins, once that is known by its sequence. */
interface Begin {
  readonly seq: number;
  readonly time?: Date | undefined;
}

/**
 * Reads logs page by page. Readers come with a sequence; one that comes back where its last page ended goes on with the same
 * consumer of the server, every other gets a new one. Consumers acknowledge nothing and live in the server's memory.
 */
export class Cursors {
  readonly #jetstream: JetStream;
  readonly #pulls: Pulls;
  readonly #cursors = new Map<string, Cursor>();

  constructor(jetstream: JetStream, pulls: Pulls) {
    this.#jetstream = jetstream;
    this.#pulls = pulls;
    jetstream.connection.onLost(() => this.#cursors.clear());
  }

  async read(name: string, request: LogReadRequest): Promise<LogPage> {
    const { from, filter = ">", max, follow, signal } = request;
    const what = `read the log ${name}`;
    const deadline = performance.now() + this.#jetstream.connection.requestTimeoutMs;
    for (;;) {
      const { state } = await this.#jetstream.stream(what, logStream(name));
      const begin = beginOf(from, state);
      if (typeof from === "object" && "seq" in from) assertHeld(name, begin.seq, state);
      const past = { entries: [], next: Math.max(state.last_seq + 1, begin.time === undefined ? begin.seq : 1) };
      if (signal?.aborted) return { entries: [], next: begin.seq };
      if (!follow && begin.time === undefined && begin.seq > state.last_seq) return { entries: [], next: begin.seq };
      const cursor = await this.#cursor(name, filter, begin, what);
      if (!follow && cursor.pending === 0) {
        if (!(await this.#lags(name, filter, begin, state.last_seq, what))) return past;
        this.#drop(cursor);
        if (performance.now() + lagMs >= deadline)
          throw failed("unavailable", `${what}: the server that reads it has not caught up with the others yet`);
        await new Promise((resolve) => setTimeout(resolve, lagMs));
        continue;
      }
      const page = await this.#page(name, filter, cursor, max, signal);
      if (page !== undefined) return page;
      // Nothing came: what "new" and a time mean is settled now, whatever becomes of the connection.
      if (signal?.aborted || !follow) return begin.time === undefined ? { entries: [], next: begin.seq } : past;
      if (!this.#jetstream.connection.connected && begin.time === undefined) return { entries: [], next: begin.seq };
    }
  }

  /**
   * Whether the leader of the stream has an entry that the consumer knows nothing of: a cluster may place it on a server that
   * was started a moment ago, and has not caught up. A read that begins at a time is not checked on its first page.
   */
  async #lags(name: string, filter: string, begin: Begin, lastSeq: number, what: string): Promise<boolean> {
    if (this.#jetstream.connection.info?.cluster === undefined || begin.time !== undefined) return false;
    const query = { seq: begin.seq, next_by_subj: `${logPrefix(name)}${filter}` };
    const next = await this.#jetstream.message(what, logStream(name), query);
    return next !== undefined && next.seq <= lastSeq;
  }

  async #page(
    name: string,
    filter: string,
    cursor: Cursor,
    max: number,
    signal?: AbortSignal,
  ): Promise<LogPage | undefined> {
    const { messages, gone } = await this.#pulls.fetch(cursor, max, signal);
    if (messages.length === 0) {
      // A pull that was given up may still take something away from this consumer.
      if (signal?.aborted || gone || !this.#jetstream.connection.connected) this.#drop(cursor);
      return undefined;
    }
    const prefix = logPrefix(name);
    const entries = messages.map((message) => deliveredEntry(message, prefix));
    const next = entries.at(-1)!.seq + 1;
    this.#drop(cursor);
    if (!signal?.aborted) {
      const { reply } = messages.at(-1)!;
      cursor.pending = Number(reply!.split(".").at(reply!.split(".").length > 9 ? 10 : 8));
      cursor.usedAt = performance.now();
      if (this.#cursors.size >= maxCursors) this.#cursors.delete(this.#cursors.keys().next().value!);
      this.#cursors.set(cursorKey(name, filter, next), cursor);
    }
    return { entries, next };
  }

  #drop(cursor: Cursor): void {
    for (const [key, each] of this.#cursors) if (each === cursor) this.#cursors.delete(key);
  }

  async #cursor(name: string, filter: string, begin: Begin, what: string): Promise<Cursor> {
    const key = cursorKey(name, filter, begin.seq);
    const known = begin.time === undefined ? this.#cursors.get(key) : undefined;
    // A page that is not followed ends by what was pending, which only a new consumer knows.
    if (known !== undefined && known.pending > 0 && performance.now() - known.usedAt < idleMs / 2) return known;
    const made = await this.#make(name, filter, begin, what);
    if (begin.time === undefined) this.#cursors.set(key, made);
    return made;
  }

  async #make(name: string, filter: string, begin: Begin, what: string): Promise<Cursor> {
    const stream = logStream(name);
    const start =
      begin.time === undefined
        ? { deliver_policy: "by_start_sequence", opt_start_seq: begin.seq }
        : { deliver_policy: "by_start_time", opt_start_time: begin.time.toISOString() };
    const config = {
      ...start,
      ack_policy: "none",
      filter_subject: `${logPrefix(name)}${filter}`,
      inactive_threshold: nanoseconds(idleMs),
      mem_storage: true,
      num_replicas: 1,
      max_deliver: -1,
    };
    const made = await this.#jetstream.connection.api<{ readonly name: string; readonly num_pending: number }>(
      what,
      `CONSUMER.CREATE.${stream}`,
      { stream_name: stream, config },
    );
    return new Cursor(stream, made.name, made.num_pending);
  }

  /** Of a log that is no more. */
  forget(name: string): void {
    for (const key of [...this.#cursors.keys()]) if (key.startsWith(`${name} `)) this.#cursors.delete(key);
  }
}

function cursorKey(name: string, filter: string, seq: number): string {
  return `${name} ${filter} ${seq}`;
}

function beginOf(from: Start, state: StreamInfo["state"]): Begin {
  if (from === "first") return { seq: Math.max(1, state.first_seq) };
  if (from === "new") return { seq: state.last_seq + 1 };
  return "seq" in from ? { seq: Math.max(1, from.seq) } : { seq: 0, time: from.time };
}

function assertHeld(name: string, seq: number, { first_seq, last_seq }: StreamInfo["state"]): void {
  if (seq >= first_seq || seq > last_seq) return;
  const message = `entry ${seq} of the log ${name} is no longer held: the first that is, is ${first_seq}`;
  throw failed("gap", message);
}
