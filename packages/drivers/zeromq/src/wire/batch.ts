import { BusError, type Envelope, type Headers, noHeaders } from "@quadrant/contract";
import { knownTypes, otherType, WireEnvelope } from "./envelope.ts";
import { dataHeaderBytes } from "./packet.ts";
import { RecordKind, recordHeaderBytes } from "./record.ts";
import { returnBuffer, takeBuffer } from "./slab.ts";

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

const noHooks: RecordHooks = {};

class WrittenRecord implements PendingRecord {
  readonly #batch: Batch;
  readonly offset: number;
  hooks: RecordHooks;

  constructor(batch: Batch, offset: number, hooks: RecordHooks) {
    this.#batch = batch;
    this.offset = offset;
    this.hooks = hooks;
  }

  get sent(): boolean {
    return this.#batch.sequence !== 0;
  }

  withdraw(): boolean {
    return this.#batch.withdraw(this);
  }
}

const firstBytes = 512;
const nothing = Buffer.alloc(0);
/** Objects of a batch that is kept. */
const overheadBytes = 512;

/**
 * Records under construction, written in place into what becomes one packet: room for its header is left at the front,
 * so that nothing is copied again on the way to the socket.
 */
export class Batch {
  #buffer: Buffer;
  #length = dataHeaderBytes;
  #start = 0;
  #hooked: WrittenRecord[] | undefined;
  /** Set once it is on its way. */
  sequence = 0;
  /** Whether it was handed out more than once: the peer may have it from the first time. */
  repeated = false;

  /** `bytes`: room to begin with. */
  constructor(bytes: number = firstBytes) {
    this.#buffer = takeBuffer(Math.max(bytes, firstBytes));
  }

  get length(): number {
    return this.#length;
  }

  /** What it takes in memory, about: its room, and what stands around it. */
  get heldBytes(): number {
    return this.#buffer.length + overheadBytes;
  }

  /** Gives back room that it does not need: nothing more is written into it, and it may be kept for long. */
  close(): void {
    if (this.#buffer.length <= 2 * Math.max(this.#length, firstBytes)) return;
    const exact = Buffer.allocUnsafe(this.#length);
    this.#buffer.copy(exact, 0, 0, this.#length);
    returnBuffer(this.#buffer);
    this.#buffer = exact;
  }

  /** Bytes of the body of the record that is being written. */
  get bodyBytes(): number {
    return this.#length - this.#start - recordHeaderBytes;
  }

  get empty(): boolean {
    return this.#length === dataHeaderBytes;
  }

  #room(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#buffer.length) return;
    const grown = takeBuffer(Math.max(needed, this.#buffer.length * 2));
    // Whole: a writer may be beyond the length that counts so far.
    this.#buffer.copy(grown);
    returnBuffer(this.#buffer);
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

  f64(value: number): this {
    this.#room(8);
    this.#length = this.#buffer.writeDoubleBE(value, this.#length);
    return this;
  }

  /** u16 length, UTF-8. Throws "too-large" where that does not fit. */
  text(value: string): this {
    this.#room(2 + value.length * 3);
    const written = this.#buffer.write(value, this.#length + 2);
    if (written > 0xffff) throw new BusError("too-large", `a text of ${written} bytes: at most 65535 fit this field`);
    this.#buffer.writeUInt16BE(written, this.#length);
    this.#length += 2 + written;
    return this;
  }

  /** UTF-8 to the end of the record. */
  lastText(value: string): this {
    // Counted only where it might not fit: seldom does a text take all that it may.
    const most = value.length * 3;
    this.#room(this.#length + most <= this.#buffer.length ? most : Buffer.byteLength(value));
    this.#length += this.#buffer.write(value, this.#length);
    return this;
  }

  /** u32 length, bytes. */
  block(value: Uint8Array): this {
    return this.u32(value.length).bytes(value);
  }

  /** u8, of an unknown type u8 length and text. */
  mediaType(value: string): this {
    const type = knownTypes.indexOf(value);
    if (type >= 0) return this.u8(type);
    const text = Buffer.from(value.slice(0, 60));
    return this.u8(otherType).u8(text.length).bytes(text);
  }

  /** u16 number, for each its name and value as texts. */
  headers(headers: Headers): this {
    if (headers === noHeaders) return this.u8(0).u8(0);
    const entries = Object.entries(headers);
    this.u8(entries.length >> 8).u8(entries.length & 0xff);
    for (const [name, value] of entries) this.text(name).text(value);
    return this;
  }

  bytes(value: Uint8Array): this {
    this.#room(value.length);
    this.#buffer.set(value, this.#length);
    this.#length += value.length;
    return this;
  }

  /** Those from `start` to `end`. */
  part(source: Buffer, start: number, end: number): this {
    this.#room(end - start);
    source.copy(this.#buffer, this.#length, start, end);
    this.#length += end - start;
    return this;
  }

  envelope(envelope: Envelope): this {
    if (envelope instanceof WireEnvelope) return this.bytes(envelope.raw);
    this.text(envelope.subject).mediaType(envelope.contentType).headers(envelope.headers);
    return envelope.text === undefined ? this.bytes(envelope.body) : this.lastText(envelope.text);
  }

  end(): void {
    this.#buffer.writeUInt32BE(this.#length - this.#start - recordHeaderBytes, this.#start);
  }

  /** As `end`, with hooks and a way to take the record out again. */
  endPending(hooks: RecordHooks = noHooks): PendingRecord {
    this.end();
    const record = new WrittenRecord(this, this.#start, hooks);
    if (hooks !== noHooks) {
      this.#hooked ??= [];
      this.#hooked.push(record);
    }
    return record;
  }

  withdraw(record: WrittenRecord): boolean {
    if (this.sequence !== 0) return false;
    this.#buffer[record.offset + 4] = RecordKind.void;
    record.hooks = noHooks;
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
    if (this.#hooked !== undefined) for (const record of this.#hooked) record.hooks.sent?.();
  }

  /** The last that happens to it. */
  markAcknowledged(): void {
    if (this.#hooked !== undefined) for (const record of this.#hooked) record.hooks.acknowledged?.();
    // The peer has all of it, so that the socket has read all of it; where it was sent twice, once of the two times.
    if (!this.repeated) returnBuffer(this.#buffer);
    this.#buffer = nothing;
  }
}
