import type { DriverName } from "./bus.ts";
import type { Envelope } from "./envelope.ts";
import { BusError, type BusErrorCode } from "./errors.ts";
import { Gate } from "./gate.ts";

/** Where an outbox empties: a driver's connection with its broker. Sizes are bytes. */
export interface Outlet {
  readonly driver: DriverName;
  /** For messages: "the hub". */
  readonly broker: string;
  /** Whether the broker is there: then who awaits is paced. */
  readonly attached: boolean;
  readonly closed: boolean;
  /** What was written and has not left yet, by the sizes that it was written with. */
  readonly pendingBytes: number;
  /** The memory that this takes. */
  readonly heldBytes: number;
  /** Why nothing may be published on the subject ("denied"); undefined where it may. */
  refusal(subject: string): BusError | undefined;
  write(envelope: Envelope, bytes: number): void;
}

interface Waiting {
  readonly envelope: Envelope;
  readonly bytes: number;
  readonly resolve: () => void;
  readonly reject: (error: BusError) => void;
}

/** While the broker drains, an awaiting publisher is paced beyond this. */
const pacedBytes = 1024 * 1024;
/** What of the outbox is for those that wait for room in it, at most: awaiting publishers, not floods. */
const waitingBytes = 1024 * 1024;

function sizeOf(envelope: Envelope): number {
  const { text, subject } = envelope;
  // The bytes of a text are made only when they are asked for.
  return (text ?? envelope.body).length + subject.length + 64;
}

/**
 * What is published, on its way to the broker: bounded, in order, kept over a disconnect. Who awaits is paced while the broker
 * drains, and waits for room in a full one; who does not await is refused then: "overflow".
 */
export class Outbox {
  readonly #outlet: Outlet;
  readonly #limitBytes: number;
  /** Of these, so many are for those that wait. */
  readonly #waitingLimit: number;
  readonly #timeoutMs: number;
  readonly #waiting: Waiting[] = [];
  #waitingBytes = 0;
  /** Of the last that had to wait: over when all before it are. */
  #lastWait: Promise<void> = Promise.resolve();
  #gate: Gate | undefined;
  #stalled: NodeJS.Timeout | undefined;
  #pendingAtLastProgress = 0;
  #closed = false;

  /** `timeoutMs`: nobody is paced, or waits while nothing leaves, for longer. */
  constructor(outlet: Outlet, limitBytes: number, timeoutMs: number) {
    this.#outlet = outlet;
    this.#limitBytes = limitBytes;
    this.#waitingLimit = Math.min(waitingBytes, limitBytes / 16);
    this.#timeoutMs = timeoutMs;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Room for what is written: for one at least where nothing is on its way, whatever the outlet holds besides. */
  get #free(): number {
    const { heldBytes, pendingBytes } = this.#outlet;
    return pendingBytes === 0 ? Number.POSITIVE_INFINITY : this.#limitBytes - this.#waitingLimit - heldBytes;
  }

  #error(code: BusErrorCode, message: string): BusError {
    return new BusError(code, message, { driver: this.#outlet.driver });
  }

  /** Once what waits for room now is on its way, or was refused; undefined where nothing waits. */
  written(): Promise<void> | undefined {
    if (this.#waiting.length === 0) return undefined;
    const over = (): void => undefined;
    return this.#lastWait.then(over, over);
  }

  /** undefined: it was taken, and there is room for more. Rejects with "overflow", "denied", "closed". */
  publish(envelope: Envelope): Promise<void> | undefined {
    if (this.#closed || this.#outlet.closed) {
      return Promise.reject(this.#error("closed", "publish: the connection is closed"));
    }
    const refusal = this.#outlet.refusal(envelope.subject);
    if (refusal !== undefined) return Promise.reject(refusal);
    const bytes = sizeOf(envelope);
    if (this.#waiting.length > 0 || bytes > this.#free) return this.#wait(envelope, bytes);
    this.#outlet.write(envelope, bytes);
    if (!this.#outlet.attached || this.#outlet.pendingBytes <= pacedBytes) return undefined;
    if (this.#gate === undefined || this.#gate.isOpen) this.#gate = new Gate(this.#timeoutMs);
    return this.#gate.opened;
  }

  #wait(envelope: Envelope, bytes: number): Promise<void> {
    if (this.#waiting.length > 0 && this.#waitingBytes + bytes > this.#waitingLimit) {
      const message = `the outbox is full (${this.#limitBytes} bytes): await each publish, or raise outboxBytes`;
      return Promise.reject(this.#error("overflow", message));
    }
    this.#lastWait = new Promise((resolve, reject) => {
      this.#waiting.push({ envelope, bytes, resolve, reject });
      this.#waitingBytes += bytes;
      if (this.#waiting.length === 1) {
        this.#pendingAtLastProgress = this.#outlet.pendingBytes;
        this.#watch();
      }
    });
    return this.#lastWait;
  }

  /** Rejects those that wait once nothing at all has drained for the deadline. */
  #watch(): void {
    clearTimeout(this.#stalled);
    this.#stalled = setTimeout(() => {
      const message = `${this.#outlet.broker} has taken nothing for ${this.#timeoutMs} ms and the outbox is full (${this.#limitBytes} bytes)`;
      for (const each of this.#waiting.splice(0)) each.reject(this.#error("overflow", message));
      this.#waitingBytes = 0;
    }, this.#timeoutMs);
  }

  /** It has drained somewhat, or the connection was lost. */
  progress(): void {
    const { pendingBytes, attached } = this.#outlet;
    if (this.#gate !== undefined && (!attached || pendingBytes <= pacedBytes)) {
      this.#gate.open();
      this.#gate = undefined;
    }
    if (this.#waiting.length === 0) return;
    if (pendingBytes < this.#pendingAtLastProgress) this.#watch();
    let count = 0;
    for (const { envelope, bytes } of this.#waiting) {
      if (bytes > this.#free) break;
      this.#outlet.write(envelope, bytes);
      count++;
    }
    for (const { bytes, resolve } of this.#waiting.splice(0, count)) {
      this.#waitingBytes -= bytes;
      resolve();
    }
    this.#pendingAtLastProgress = this.#outlet.pendingBytes;
    if (this.#waiting.length === 0) clearTimeout(this.#stalled);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#stalled);
    this.#gate?.open();
    for (const each of this.#waiting.splice(0)) {
      each.reject(this.#error("closed", "publish: the connection was closed before there was room"));
    }
    this.#waitingBytes = 0;
  }
}
