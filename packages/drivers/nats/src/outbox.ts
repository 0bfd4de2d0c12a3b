import { type BusError, type Envelope, Gate } from "@quadrant/contract";
import type { NatsConnection } from "./connection.ts";
import { failed } from "./failure.ts";
import { encodeHeaders } from "./wire-headers.ts";

interface Waiting {
  readonly envelope: Envelope;
  readonly bytes: number;
  readonly resolve: () => void;
  readonly reject: (error: BusError) => void;
}

/** While the server drains, an awaiting publisher is paced beyond this. */
const pacedBytes = 1024 * 1024;
/** What of the outbox is for those that wait for room in it, at most: awaiting publishers, not floods. */
const waitingBytes = 1024 * 1024;
/** What is written stands in slabs that are not full to their ends. */
const slack = 17 / 16;
/** Subjects on which it is known that nothing may be published. */
const maxDenied = 4_096;
/** How often it is looked whether the kernel has taken something; the client does not tell. */
const lookMs = 5;

/** A body that is a text still is left one: it would be kept twice. */
function sizeOf(envelope: Envelope): number {
  const { text } = envelope;
  return (text ?? envelope.body).length + envelope.subject.length + 64;
}

/**
 * What is published, on its way to the server: bounded, in order. The client of @nats-io buffers without bound, and throws
 * away what it is given without a connection: here it is kept, and sent after the reconnect.
 */
export class Outbox {
  readonly #connection: NatsConnection;
  readonly #limitBytes: number;
  /** Of these, so many are for those that wait. */
  readonly #waitingLimit: number;
  readonly #timeoutMs: number;
  /** Taken here without a connection. */
  #kept: Envelope[] = [];
  #keptBytes = 0;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #gate: Gate | undefined;
  #look: NodeJS.Timeout | undefined;
  #pendingAtLastProgress = 0;
  #progressAt = 0;
  #sent = 0;
  /** Of those, so many are known to have reached the server, or were told as a gap. */
  #confirmed = 0;
  readonly #denied = new Set<string>();

  constructor(connection: NatsConnection, limitBytes: number, timeoutMs: number) {
    this.#connection = connection;
    this.#limitBytes = limitBytes;
    this.#waitingLimit = Math.min(waitingBytes, limitBytes / 16);
    this.#timeoutMs = timeoutMs;
    connection.onBack(() => {
      this.#denied.clear();
      this.#sendKept();
      this.#progress();
    });
    connection.onLost(() => {
      this.#tellUnconfirmed();
      this.#progress();
    });
    connection.onDenied((operation, subject) => {
      if (operation !== "publish") return;
      if (this.#denied.size >= maxDenied) this.#denied.clear();
      this.#denied.add(subject);
    });
  }

  get waiting(): number {
    return this.#waiting.length + this.#kept.length;
  }

  get bytes(): number {
    return this.#keptBytes + this.#connection.pendingBytes;
  }

  /** Room for what is written. */
  get #free(): number {
    return this.#limitBytes - this.#waitingLimit - this.#keptBytes - this.#connection.pendingBytes * slack;
  }

  publish(envelope: Envelope): Promise<void> | undefined {
    if (this.#connection.closed) return Promise.reject(failed("closed", "publish: the connection is closed"));
    if (this.#denied.size > 0 && this.#denied.has(envelope.subject)) {
      const message = `the server does not permit publishing to ${envelope.subject}: let its operator add it to "publish"`;
      return Promise.reject(failed("denied", message));
    }
    const bytes = sizeOf(envelope);
    if (this.#waiting.length > 0 || bytes > this.#free) return this.#wait(envelope, bytes);
    if (!this.#connection.connected) {
      this.#keep(envelope, bytes);
      return undefined;
    }
    if (this.#kept.length > 0) this.#sendKept();
    try {
      this.#send(envelope);
    } catch (error) {
      return Promise.reject(error);
    }
    if (this.#connection.pendingBytes <= pacedBytes) return undefined;
    if (this.#gate === undefined || this.#gate.isOpen) this.#gate = new Gate(this.#timeoutMs);
    this.#watch();
    return this.#gate.opened;
  }

  #keep(envelope: Envelope, bytes: number): void {
    this.#kept.push(envelope);
    this.#keptBytes += bytes;
  }

  /** What the client had taken is gone with the connection, unless the server has read it: nobody can tell. */
  #tellUnconfirmed(): void {
    const atMost = this.#sent - this.#confirmed;
    this.#confirmed = this.#sent;
    if (atMost === 0) return;
    const reason = "the connection was lost: what was published since the last flush may not have reached the server";
    this.#connection.report("gap", { operation: "publish", atMost, reason });
  }

  /** To be called back once all that was published by now has reached the server. */
  mark(): () => void {
    const marked = this.#sent;
    return () => {
      this.#confirmed = Math.max(this.#confirmed, marked);
    };
  }

  #send({ subject, headers, contentType, body }: Envelope): void {
    this.#sent++;
    this.#connection.publish(subject, body, undefined, encodeHeaders(headers, contentType));
  }

  #sendKept(): void {
    const kept = this.#kept;
    this.#kept = [];
    this.#keptBytes = 0;
    for (const envelope of kept) this.#send(envelope);
  }

  #wait(envelope: Envelope, bytes: number): Promise<void> {
    if (this.#waiting.length > 0 && this.#waitingBytes + bytes > this.#waitingLimit) {
      const message = `the outbox is full (${this.#limitBytes} bytes): await each publish, or raise outboxBytes`;
      return Promise.reject(failed("overflow", message));
    }
    return new Promise((resolve, reject) => {
      if (this.#waiting.length === 0) {
        this.#progressAt = performance.now();
        this.#pendingAtLastProgress = this.bytes;
      }
      this.#waiting.push({ envelope, bytes, resolve, reject });
      this.#waitingBytes += bytes;
      this.#watch();
    });
  }

  #watch(): void {
    this.#look ??= setTimeout(() => {
      this.#look = undefined;
      this.#progress();
    }, lookMs);
  }

  #progress(): void {
    if (this.#gate !== undefined && (!this.#connection.connected || this.#connection.pendingBytes <= pacedBytes)) {
      this.#gate.open();
      this.#gate = undefined;
    }
    this.#admit();
    if (this.#gate !== undefined || this.#waiting.length > 0) this.#watch();
  }

  /** Those that wait for room, in order; refuses them once nothing at all has drained for the deadline. */
  #admit(): void {
    if (this.#waiting.length === 0) return;
    const now = performance.now();
    if (this.bytes < this.#pendingAtLastProgress) this.#progressAt = now;
    let count = 0;
    while (count < this.#waiting.length && this.#waiting[count]!.bytes <= this.#free) {
      const { envelope, bytes, resolve } = this.#waiting[count++]!;
      this.#waitingBytes -= bytes;
      if (this.#connection.connected) this.#send(envelope);
      else this.#keep(envelope, bytes);
      resolve();
    }
    if (count > 0) this.#waiting = this.#waiting.slice(count);
    this.#pendingAtLastProgress = this.bytes;
    if (now - this.#progressAt < this.#timeoutMs) return;
    const message = `the server has taken nothing for ${this.#timeoutMs} ms and the outbox is full (${this.#limitBytes} bytes)`;
    this.#refuse(failed("overflow", message));
  }

  #refuse(error: BusError): void {
    for (const each of this.#waiting.splice(0)) each.reject(error);
    this.#waitingBytes = 0;
  }

  /** Resolves once nothing waits here any more, for room or for a connection; the caller bounds it. */
  async emptied(deadline: number): Promise<void> {
    while (this.waiting > 0 && !this.#connection.closed) {
      if (performance.now() >= deadline) {
        const message = "flush: the server has not taken all within requestTimeoutMs; what is left is still sent";
        throw failed("unavailable", message);
      }
      await new Promise((resolve) => setTimeout(resolve, lookMs));
    }
  }

  close(): void {
    clearTimeout(this.#look);
    this.#gate?.open();
    this.#gate = undefined;
    this.#refuse(failed("closed", "publish: the connection was closed before there was room"));
    this.#kept = [];
    this.#keptBytes = 0;
  }
}
