import type { Envelope } from "@quadrant/contract";
import { writeEnvelope } from "./envelope.ts";
import { dataHeaderBytes } from "./packet.ts";
import { RecordKind, recordHeaderBytes } from "./record.ts";

/** What to do as a record's packet makes its way. Of `sent` and `unsent` one is called at most once; `acknowledged` later. */
export interface RecordHooks {
  /** Handed to the socket. */
  readonly sent?: (() => void) | undefined;
  /** The peer has it. */
  readonly acknowledged?: (() => void) | undefined;
}

/** A record inside a batch that has not been sent: it can still be taken out. */
export interface PendingRecord {
  /** Whether its packet is on its way, or was. */
  readonly sent: boolean;
  /** Makes the record void; false when its packet has been sent. */
  withdraw(): boolean;
}

interface Entry {
  readonly offset: number;
  hooks: RecordHooks;
}

const noHooks: RecordHooks = {};

class WrittenRecord implements PendingRecord {
  readonly #batch: Batch;
  readonly #entry: Entry;

  constructor(batch: Batch, entry: Entry) {
    this.#batch = batch;
    this.#entry = entry;
  }

  get sent(): boolean {
    return this.#batch.sequence !== 0;
  }

  withdraw(): boolean {
    return this.#batch.withdraw(this.#entry);
  }
}

const firstBytes = 512;

/**
 * Records under construction, written in place into what becomes one packet: room for its header is left at the front,
 * so that nothing is copied again on the way to the socket.
 */
export class Batch {
  #buffer: Buffer = Buffer.allocUnsafe(firstBytes);
  #length = dataHeaderBytes;
  #start = 0;
  #entries: Entry[] | undefined;
  /** Set once it is on its way. */
  sequence = 0;
  /** Whether it was handed out more than once: the peer may have it from the first time. */
  repeated = false;

  get length(): number {
    return this.#length;
  }

  get empty(): boolean {
    return this.#length === dataHeaderBytes;
  }

  #room(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
    // Whole: a writer may be beyond the length that counts so far.
    this.#buffer.copy(grown);
    this.#buffer = grown;
  }

  begin(kind: number): this {
    this.#room(recordHeaderBytes);
    this.#start = this.#length;
    this.#buffer[this.#start + 4] = kind;
    this.#length += recordHeaderBytes;
    return this;
  }

  u8(value: number): this {
    this.#room(1);
    this.#buffer[this.#length++] = value;
    return this;
  }

  u32(value: number): this {
    this.#room(4);
    this.#length = this.#buffer.writeUInt32BE(value, this.#length);
    return this;
  }

  bytes(value: Uint8Array): this {
    this.#room(value.length);
    this.#buffer.set(value, this.#length);
    this.#length += value.length;
    return this;
  }

  envelope(envelope: Envelope): this {
    this.#length = writeEnvelope(envelope, this.#length, (bytes) => {
      this.#room(bytes);
      return this.#buffer;
    });
    return this;
  }

  end(): void {
    this.#buffer.writeUInt32BE(this.#length - this.#start - recordHeaderBytes, this.#start);
  }

  /** As `end`, with hooks and a way to take the record out again. */
  endPending(hooks: RecordHooks): PendingRecord {
    this.end();
    const entry: Entry = { offset: this.#start, hooks };
    this.#entries ??= [];
    this.#entries.push(entry);
    return new WrittenRecord(this, entry);
  }

  withdraw(entry: Entry): boolean {
    if (this.sequence !== 0) return false;
    this.#buffer[entry.offset + 4] = RecordKind.void;
    entry.hooks = noHooks;
    return true;
  }

  /** Takes a half-written record back: its writer failed. */
  drop(): void {
    this.#length = this.#start;
  }

  packet(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  markSent(): void {
    for (const entry of this.#entries ?? []) entry.hooks.sent?.();
  }

  markAcknowledged(): void {
    for (const entry of this.#entries ?? []) entry.hooks.acknowledged?.();
  }
}
