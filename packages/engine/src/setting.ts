import { abortedError, BusError, type BusErrorCode } from "@quadrant/contract";
import { type Clock, systemClock } from "./clock.ts";
import type { GroupCommit, Kept } from "./group-commit.ts";
import { RowKind, type RowReader, type RowWriter } from "./row.ts";
import { TimerHeap } from "./timer-heap.ts";

export interface EngineOptions {
  readonly clock?: Clock | undefined;
  /** Numbers in [0, 1), for random picks and the names of leases. */
  readonly random?: (() => number) | undefined;
  /** How long an operation waits for the journal before it is told that the outcome is unknown. Default 5 000. */
  readonly commitTimeoutMs?: number | undefined;
  /**
   * Whether others outlive the engine who remember what it has told them, while it keeps nothing: numbers that it gives out
   * are never those that one before it may have given.
   */
  readonly isOutlived?: boolean | undefined;
  /** The `driver` of the errors. */
  readonly driver?: string | undefined;
}

/** So many serial numbers are set aside at once: a restarted engine goes on behind them. */
const serialsAtOnce = 1_000_000;

function encodeIdentity(identity: Identity, rows: RowWriter): void {
  rows.begin(identity.row, RowKind.identity).text(identity.epoch).whole(identity.serials).end();
}

/** What an engine that is kept goes on with after a restart: the name of its leases, and the numbers not yet used. */
interface Identity extends Kept {
  epoch: string;
  /** Set aside: numbers up to this one may have been used. */
  serials: number;
}

/** What all parts of one engine share: time, chance, numbering, what keeps its changes, and the name on its errors. */
export class Setting {
  readonly timers: TimerHeap;
  readonly random: () => number;
  /** undefined: nothing outlives the engine. */
  readonly commits: GroupCommit | undefined;
  readonly #driver: string | undefined;
  readonly #identity: Identity;
  readonly #isOutlived: boolean;
  #serial = 0;
  #eventsBefore = 0;

  constructor(options: EngineOptions = {}, commits?: GroupCommit) {
    this.commits = commits;
    this.timers = new TimerHeap(options.clock ?? systemClock());
    this.random = options.random ?? Math.random;
    const epoch = Math.floor(this.random() * 36 ** 8)
      .toString(36)
      .padStart(8, "0");
    this.#identity = { row: 0, epoch, serials: commits === undefined ? Number.POSITIVE_INFINITY : 0 };
    this.#driver = options.driver;
    this.#isOutlived = options.isOutlived === true;
  }

  /** Names what the engine has given out: a lease of another is never taken for one of this. */
  get epoch(): string {
    return this.#identity.epoch;
  }

  restore(row: number, reader: RowReader): void {
    this.#identity.row = row;
    this.#identity.epoch = reader.text();
    this.#identity.serials = this.#serial = reader.whole();
  }

  now(): number {
    return this.timers.now();
  }

  /** Whole milliseconds since the epoch. */
  stamp(): number {
    return Math.floor(this.timers.now());
  }

  /** A number larger than all before. */
  serial(): number {
    if (++this.#serial > this.#identity.serials) this.#setAside();
    return this.#serial;
  }

  /** The name of a lease with this number. */
  token(serial: number): string {
    return `${this.#identity.epoch}-${serial}`;
  }

  /** The number of a lease's name; whoever finds something under it compares the name. */
  serialOf(token: string): number {
    return Number(token.slice(this.#identity.epoch.length + 1));
  }

  /**
   * The number in front of the first event of a space: 0, or, where there may have been another of its name, the time in
   * microseconds, which is more than any before has come to as long as there are fewer than a million events a second.
   */
  eventsBefore(wasThere: boolean): number {
    if (!wasThere && !this.#isOutlived) return 0;
    this.#eventsBefore = Math.max(this.#eventsBefore + 1_000, this.stamp() * 1_000);
    return this.#eventsBefore;
  }

  /** Calls back once what is done together in this turn has been done: before it is committed, where it is. */
  afterTogether(work: () => void): void {
    if (this.commits === undefined) queueMicrotask(work);
    else this.commits.beforeLeaving(work);
  }

  #setAside(): void {
    this.#identity.serials = this.#serial + serialsAtOnce;
    this.commits?.put(this.#identity, encodeIdentity);
  }

  fault(code: BusErrorCode, message: string): BusError {
    return new BusError(code, message, { driver: this.#driver });
  }

  aborted(signal: AbortSignal, what: string): BusError {
    return abortedError(signal, what, this.#driver);
  }
}
