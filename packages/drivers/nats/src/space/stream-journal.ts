/** A little over 300 lines because it is the journal's one state, and every step that may fail half-way, in one place. */
import { BusError } from "@quadrant/contract";
import type { CommitOutcome, Journal } from "@quadrant/engine";
import type { NatsConnection } from "../connection.ts";
import { isJetStreamError, JetStreamError } from "../failure.ts";
import { EncodedHeaders, headerLine } from "../wire-headers.ts";
import { eachChange } from "./changes.ts";
import { decodePart, encodePart, journalHeaderBytes, PartFlag } from "./journal-message.ts";
import { readParts } from "./journal-reader.ts";
import { ensureStream, lastPart, messageAt, streamState } from "./journal-stream.ts";
import { journalStream, journalSubject } from "./layout.ts";
import { type LoadedGroup, visitAlive } from "./loaded-rows.ts";
import { type Segment, Segments } from "./segments.ts";

/** Of a stream that refuses an append for lack of room. */
const noRoom = [10_077, 10_047, 10_023] as const;
const wrongLastSequence = 10_071;
const noMessage = 10_037;
/** Beyond this size the stream is kept at about twice of what is alive in it. */
const cleanBytes = 16 * 1024 * 1024;
/** Segments, and about the bytes of them, that are cleaned with one commit. */
const cleanedAtOnce = 256;
const cleanedBytes = 1024 * 1024;
/** Beyond so many segments, and as many for each that a full one would be, they are put together. */
const crumbs = 2_048;
/** Room for headers and subject. */
const spareBytes = 1_024;
const retryMs = 100;

/** Somebody else owns the spaces now. */
export class Deposed extends BusError {
  constructor() {
    super("unavailable", "another owner of the tuple spaces has taken over", { driver: "nats" });
  }
}

function expecting(last: number): EncodedHeaders {
  return new EncodedHeaders(Buffer.from(`NATS/1.0\r\n${headerLine("Nats-Expected-Last-Sequence", last)}\r\n`));
}

/**
 * The journal of the spaces' engine in a stream that one owner writes. Every message expects the one before it to be the
 * stream's last: once another owner has written its first, nothing of this one is stored any more, and it hears so before
 * it has acknowledged anything. Whatever is not answered is asked again until it is known.
 */
export class StreamJournal implements Journal {
  readonly #connection: NatsConnection;
  readonly #epoch: number;
  readonly #segments = new Segments();
  /** Called once nothing can be kept any more, before anybody who waits hears of it. */
  failed: (() => void) | undefined;
  #serial = 0;
  #lastSeq = 0;
  #purging = false;
  #ended: (() => void) | undefined;
  #over = false;
  readonly #stopped: Promise<void>;
  #cleaned = 0;
  #purged = 0;

  private constructor(connection: NatsConnection, epoch: number) {
    this.#connection = connection;
    this.#epoch = epoch;
    this.#stopped = new Promise((resolve) => {
      this.#ended = resolve;
    });
  }

  /**
   * Begins the journal of a new owner: from now on no earlier one can write. Rejects with Deposed where there is a later one,
   * "unsupported" or "unavailable" where what the stream holds is not to be written to.
   */
  static async open(connection: NatsConnection, epoch: number, replicas: number): Promise<StreamJournal> {
    await ensureStream(connection, replicas);
    const journal = new StreamJournal(connection, epoch);
    for (;;) {
      const { state } = await streamState(connection);
      const last = state.messages === 0 ? undefined : await lastPart(connection, state.last_seq);
      if (last !== undefined && last.epoch > epoch) throw new Deposed();
      journal.#lastSeq = state.last_seq;
      try {
        await journal.#append(PartFlag.owner | PartFlag.first | PartFlag.last, new Uint8Array(0));
        return journal;
      } catch (error) {
        // The earlier owner wrote something meanwhile, or a later one did.
        if (!(error instanceof Deposed)) throw error;
      }
    }
  }

  describe(): Record<string, number> {
    const { bytes, liveBytes, rows } = this.#segments;
    return {
      lastSeq: this.#lastSeq,
      bytes,
      liveBytes: Math.round(liveBytes),
      rows,
      cleaned: this.#cleaned,
      purged: this.#purged,
    };
  }

  async load(visit: (row: number, data: Buffer) => void): Promise<number> {
    const groups: LoadedGroup[] = [];
    let open: { readonly firstSeq: number; epoch: number; bytes: number; parts: Buffer[] } | undefined;
    await readParts(this.#connection, this.#lastSeq, ({ seq, bytes }) => {
      const part = decodePart(bytes, `message ${seq} of the stream ${journalStream}`);
      // A group that its owner did not finish never happened.
      if ((part.flags & PartFlag.first) !== 0) open = { firstSeq: seq, epoch: part.epoch, bytes: 0, parts: [] };
      if (open === undefined || open.epoch !== part.epoch) return;
      open.bytes += bytes.length;
      open.parts.push(part.data);
      if ((part.flags & PartFlag.last) === 0) return;
      const changes = open.parts.length === 1 ? part.data : Buffer.concat(open.parts);
      groups.push({ changes, segment: this.#note(changes, open.firstSeq, seq, open.bytes) });
      open = undefined;
    });
    await visitAlive(groups, this.#segments, visit);
    return Number.POSITIVE_INFINITY;
  }

  async commit(changes: Uint8Array<ArrayBuffer>): Promise<CommitOutcome> {
    if (changes.length > 0) {
      try {
        await this.#clean();
        await this.#group(Buffer.from(changes.buffer, changes.byteOffset, changes.length));
      } catch (error) {
        if (isJetStreamError(error, ...noRoom)) return { kept: false, changes };
        this.failed?.();
        throw error;
      }
      this.#purge();
    }
    return { kept: true, freeBytes: Number.POSITIVE_INFINITY };
  }

  /** What is under way ends without an answer. */
  async close(): Promise<void> {
    this.#over = true;
    this.#ended?.();
  }

  /** All messages of a group, sent in a row, each behind the one before; the last one makes it count. */
  async #group(changes: Buffer): Promise<Segment> {
    const partBytes = this.#connection.maxPayloadBytes - journalHeaderBytes - spareBytes;
    const firstSeq = this.#lastSeq + 1;
    for (let at = 0; at === 0 || at < changes.length; at += partBytes) {
      const end = Math.min(changes.length, at + partBytes);
      const flags = (at === 0 ? PartFlag.first : 0) | (end === changes.length ? PartFlag.last : 0);
      await this.#append(flags, changes.subarray(at, end));
    }
    const bytes = changes.length + (this.#lastSeq + 1 - firstSeq) * journalHeaderBytes;
    return this.#note(changes, firstSeq, this.#lastSeq, bytes);
  }

  #note(changes: Buffer, firstSeq: number, lastSeq: number, bytes: number): Segment {
    const put: number[] = [];
    eachChange(changes, {
      put: (row) => {
        put.push(row);
      },
      remove: (first, last) => {
        for (let row = first; row <= last; row++) this.#segments.remove(row);
      },
    });
    const segment: Segment = { firstSeq, lastSeq, bytes, rows: put.length, live: 0 };
    this.#segments.add(segment, put);
    return segment;
  }

  /** Where most of the stream is dead, or in crumbs, the live rows of its front are written again, together. */
  async #clean(): Promise<void> {
    const { bytes, liveBytes, count } = this.#segments;
    const wasteful = bytes > cleanBytes && bytes > liveBytes * 2;
    const crumbled = count > crumbs * (1 + liveBytes / cleanedBytes);
    if (!wasteful && !crumbled) return;
    const oldest = this.#segments.oldest(cleanedAtOnce, cleanedBytes);
    const live = (await Promise.all(oldest.map((segment) => this.#liveRows(segment)))).flat();
    if (live.length === 0) return;
    this.#cleaned += live.length;
    await this.#group(Buffer.concat(live));
  }

  async #liveRows(segment: Segment): Promise<Buffer[]> {
    const parts: Buffer[] = [];
    for (let seq = segment.firstSeq; seq <= segment.lastSeq; seq++) {
      parts.push((await messageAt(this.#connection, seq)).data);
    }
    const changes = Buffer.concat(parts);
    const live: Buffer[] = [];
    eachChange(changes, {
      put: (row, start, _, end) => {
        if (this.#segments.holds(row, segment)) live.push(changes.subarray(start, end));
      },
      remove: () => undefined,
    });
    return live;
  }

  #purge(): void {
    if (this.#purging) return;
    const end = this.#segments.trim();
    if (end === 0) return;
    this.#purging = true;
    // Whatever is before it is dead, whoever owns the spaces by now.
    this.#connection
      .api<{ readonly purged: number }>("purge the journal", `STREAM.PURGE.${journalStream}`, { seq: end + 1 })
      .then(
        ({ purged }) => {
          this.#purged += purged;
        },
        () => undefined,
      )
      .finally(() => {
        this.#purging = false;
      });
  }

  /** Resolves once it is stored; rejects with Deposed, or JetStreamError where the stream refuses it. */
  async #append(flags: number, data: Uint8Array): Promise<void> {
    const serial = ++this.#serial;
    const message = encodePart(flags, this.#epoch, serial, data);
    const headers = expecting(this.#lastSeq);
    for (let tries = 0; ; tries++) {
      if (this.#over) await this.#stopped.then(() => Promise.reject(new Deposed()));
      try {
        const { seq } = await this.#connection.store("keep tuples", journalSubject, message, headers, false);
        this.#lastSeq = seq;
        return;
      } catch (error) {
        if (isJetStreamError(error, wrongLastSequence)) {
          if (await this.#wasStored(serial)) return;
          throw new Deposed();
        }
        if (error instanceof JetStreamError && error.code !== 503) throw error;
        if (error instanceof BusError && (error.code === "denied" || error.code === "closed")) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, tries === 0 ? 0 : retryMs));
    }
  }

  /** Whether the message behind the last known one is this: its acknowledgement was lost. */
  async #wasStored(serial: number): Promise<boolean> {
    for (;;) {
      try {
        const part = await messageAt(this.#connection, this.#lastSeq + 1);
        if (part.epoch !== this.#epoch || part.serial !== serial) return false;
        this.#lastSeq++;
        return true;
      } catch (error) {
        if (isJetStreamError(error, noMessage)) return false;
        if (this.#over || !(error instanceof BusError) || error.code !== "unavailable") throw error;
        await new Promise((resolve) => setTimeout(resolve, retryMs));
      }
    }
  }
}
