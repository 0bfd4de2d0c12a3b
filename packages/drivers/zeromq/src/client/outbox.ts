import { BusError, type Envelope } from "@quadrant/contract";
import { RecordKind } from "../wire/record.ts";
import type { Connection } from "./connection.ts";

interface Waiting {
  readonly envelope: Envelope;
  readonly bytes: number;
  readonly resolve: () => void;
  readonly reject: (error: BusError) => void;
}

/** While the hub drains, an awaiting publisher is paced beyond this. */
const pacedBytes = 1024 * 1024;
/** What may wait for room in a full outbox: awaiting publishers, not floods. */
const waitingBytes = 1024 * 1024;

function sizeOf(envelope: Envelope): number {
  return envelope.body.length + envelope.subject.length + 64;
}

/** What is published, on its way to the hub: bounded, in order, kept over a disconnect. */
export class Outbox {
  readonly #connection: Connection;
  readonly #limitBytes: number;
  readonly #timeoutMs: number;
  readonly #waiting: Waiting[] = [];
  #waitingBytes = 0;
  /** Of the last that had to wait: over when all before it are. */
  #lastWait: Promise<void> = Promise.resolve();
  #gate: { readonly promise: Promise<void>; readonly open: () => void } | undefined;
  #stalled: NodeJS.Timeout | undefined;
  #pendingAtLastProgress = 0;

  constructor(connection: Connection, limitBytes: number, timeoutMs: number) {
    this.#connection = connection;
    this.#limitBytes = limitBytes;
    this.#timeoutMs = timeoutMs;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Once what waits for room now is on its way, or was refused; undefined where nothing waits. */
  written(): Promise<void> | undefined {
    if (this.#waiting.length === 0) return undefined;
    const over = (): void => undefined;
    return this.#lastWait.then(over, over);
  }

  publish(envelope: Envelope): Promise<void> | undefined {
    const bytes = sizeOf(envelope);
    if (this.#connection.closed) {
      return Promise.reject(new BusError("closed", "publish: the connection is closed", { driver: "zeromq" }));
    }
    if (this.#waiting.length > 0 || this.#connection.pendingBytes + bytes > this.#limitBytes)
      return this.#wait(envelope, bytes);
    this.#write(envelope);
    if (!this.#connection.attached || this.#connection.pendingBytes <= pacedBytes) return undefined;
    this.#gate ??= this.#newGate();
    return this.#gate.promise;
  }

  #write(envelope: Envelope): void {
    this.#connection.write().begin(RecordKind.publish).envelope(envelope).end();
    this.#connection.flush();
  }

  #newGate(): { readonly promise: Promise<void>; readonly open: () => void } {
    let open!: () => void;
    const promise = new Promise<void>((resolve) => {
      open = resolve;
    });
    return { promise, open };
  }

  #wait(envelope: Envelope, bytes: number): Promise<void> {
    if (this.#waiting.length > 0 && this.#waitingBytes + bytes > waitingBytes) {
      const message = `the outbox is full (${this.#limitBytes} bytes): await each publish, or raise outboxBytes`;
      return Promise.reject(new BusError("overflow", message, { driver: "zeromq" }));
    }
    this.#lastWait = new Promise((resolve, reject) => {
      this.#waiting.push({ envelope, bytes, resolve, reject });
      this.#waitingBytes += bytes;
      if (this.#waiting.length === 1) {
        this.#pendingAtLastProgress = this.#connection.pendingBytes;
        this.#watch();
      }
    });
    return this.#lastWait;
  }

  /** Rejects those that wait once nothing at all has drained for the deadline. */
  #watch(): void {
    clearTimeout(this.#stalled);
    this.#stalled = setTimeout(() => {
      const message = `the hub has taken nothing for ${this.#timeoutMs} ms and the outbox is full (${this.#limitBytes} bytes)`;
      for (const each of this.#waiting.splice(0)) each.reject(new BusError("overflow", message, { driver: "zeromq" }));
      this.#waitingBytes = 0;
    }, this.#timeoutMs);
  }

  /** The link has drained somewhat, or the connection was lost. */
  progress(): void {
    const { pendingBytes, attached } = this.#connection;
    if (this.#gate !== undefined && (!attached || pendingBytes <= pacedBytes)) {
      this.#gate.open();
      this.#gate = undefined;
    }
    if (this.#waiting.length === 0) return;
    if (pendingBytes < this.#pendingAtLastProgress) this.#watch();
    let free = this.#limitBytes - pendingBytes;
    let count = 0;
    while (count < this.#waiting.length && this.#waiting[count]!.bytes <= free) free -= this.#waiting[count++]!.bytes;
    for (const each of this.#waiting.splice(0, count)) {
      this.#waitingBytes -= each.bytes;
      this.#write(each.envelope);
      each.resolve();
    }
    this.#pendingAtLastProgress = this.#connection.pendingBytes;
    if (this.#waiting.length === 0) clearTimeout(this.#stalled);
  }

  close(): void {
    clearTimeout(this.#stalled);
    this.#gate?.open();
    for (const each of this.#waiting.splice(0)) {
      each.reject(
        new BusError("closed", "publish: the connection was closed before there was room", { driver: "zeromq" }),
      );
    }
    this.#waitingBytes = 0;
  }
}
