import { type BusError, IdTable, type Settled } from "@quadrant/contract";
import { failed } from "./failure.ts";

/** How much longer the server waits than the holder believes: what a settlement may take on its way. */
export function serverLeaseMs(leaseMs: number): number {
  return leaseMs + Math.max(100, Math.min(1_000, leaseMs / 10));
}

export const nanoseconds = (ms: number): number => Math.min(Math.round(ms) * 1_000_000, 9_000_000_000_000_000);

/** To JetStream: deliver it again after so long. */
export function delayOrder(ms: number): string {
  return `-NAK {"delay":${nanoseconds(ms)}}`;
}

/** For what its holder gives up as it closes: not at once, lest a pull of its own that still waits gets it. */
export const giveUpOrder: string = delayOrder(100);

/** What the subject says to which a delivery is acknowledged. */
export interface AckParts {
  readonly deliveries: number;
  readonly seq: number;
  /** Milliseconds since the epoch. */
  readonly time: number;
}

const dot = 0x2e;
/** Where the tokens of the subject that is looked at end. */
const ends: number[] = new Array<number>(16).fill(0);

/** `$JS.ACK.[domain.account.]stream.consumer.deliveries.seq.consumerSeq.time.pending[.token]` */
export function ackParts(subject: string): AckParts {
  let tokens = 0;
  for (let at = 0; at < subject.length && tokens < ends.length - 1; at++) {
    if (subject.charCodeAt(at) === dot) ends[tokens++] = at;
  }
  ends[tokens++] = subject.length;
  const at = tokens > 9 ? 6 : 4;
  const token = (number: number): number => Number(subject.slice(ends[number - 1]! + 1, ends[number]));
  return { deliveries: token(at), seq: token(at + 1), time: Math.floor(token(at + 3) / 1e6) };
}

export interface Held {
  /** Its number among the loans of this process. */
  loan: number;
  /** Where it is acknowledged. */
  ack: string;
  /** Of the stream. */
  readonly seq: number;
  /** Of performance.now(). */
  expiresAt: number;
}

let nextLoan = 1;

/**
 * What is lent here, by token. JetStream takes an acknowledgement from whoever sends it, however late: only this clock, which
 * runs out before the server's lease does, keeps one that is late from settling what is another's by now.
 */
export class Loans<T extends Held> {
  readonly #byLoan = new IdTable<T>();
  readonly #bySeq = new IdTable<T>();

  get size(): number {
    return this.#byLoan.size;
  }

  values(): readonly T[] {
    return this.#byLoan.values();
  }

  lend(held: T): string {
    const before = this.#bySeq.get(held.seq);
    // It was delivered again: whoever held it here holds it no more.
    if (before !== undefined) this.#byLoan.delete(before.loan);
    held.loan = nextLoan++;
    this.#byLoan.set(held.loan, held);
    this.#bySeq.set(held.seq, held);
    if (held.loan % 1_024 === 0) this.#sweep();
    return String(held.loan);
  }

  /** The loan of this very message, if its lease has not run out. */
  ofSeq(seq: number): T | undefined {
    const held = this.#bySeq.get(seq);
    return held !== undefined && held.expiresAt > performance.now() ? held : undefined;
  }

  has(token: string): boolean {
    return this.#byLoan.has(Number(token));
  }

  get(token: string): T | undefined {
    const held = this.#byLoan.get(Number(token));
    if (held === undefined || held.expiresAt > performance.now()) return held;
    this.end(held);
    return undefined;
  }

  end(held: T): void {
    this.#byLoan.delete(held.loan);
    if (this.#bySeq.get(held.seq) === held) this.#bySeq.delete(held.seq);
  }

  #sweep(): void {
    const now = performance.now();
    for (const held of this.#byLoan.values()) if (held.expiresAt <= now) this.end(held);
  }

  clear(): void {
    this.#byLoan.clear();
    this.#bySeq.clear();
  }
}

export function stale(what: string): BusError {
  return failed("stale", `${what}: the lease was lost before; nothing has changed`);
}

/** As a settlement's outcome: what the driver port wants instead of a rejection. */
export async function outcome(settling: Promise<void>): Promise<Settled> {
  try {
    await settling;
    return undefined;
  } catch (error) {
    return error as BusError;
  }
}
