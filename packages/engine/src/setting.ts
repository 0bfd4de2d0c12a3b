import { abortedError, BusError, type BusErrorCode } from "@quadrant/contract";
import { type Clock, systemClock } from "./clock.ts";
import { TimerHeap } from "./timer-heap.ts";

export interface EngineOptions {
  readonly clock?: Clock | undefined;
  /** Numbers in [0, 1), for random picks and the names of leases. */
  readonly random?: (() => number) | undefined;
  /** The `driver` of the errors. */
  readonly driver?: string | undefined;
}

/** What all parts of one engine share: time, chance, numbering, and the name on its errors. */
export class Setting {
  readonly timers: TimerHeap;
  readonly random: () => number;
  /** Names this engine's lifetime: a lease of an earlier one is never taken for one of this. */
  readonly epoch: string;
  readonly #driver: string | undefined;
  #serial = 0;

  constructor(options: EngineOptions = {}) {
    this.timers = new TimerHeap(options.clock ?? systemClock());
    this.random = options.random ?? Math.random;
    this.epoch = Math.floor(this.random() * 36 ** 8)
      .toString(36)
      .padStart(8, "0");
    this.#driver = options.driver;
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
    return ++this.#serial;
  }

  /** The name of a lease. */
  token(): string {
    return `${this.epoch}-${++this.#serial}`;
  }

  fault(code: BusErrorCode, message: string): BusError {
    return new BusError(code, message, { driver: this.#driver });
  }

  aborted(signal: AbortSignal, what: string): BusError {
    return abortedError(signal, what, this.#driver);
  }
}
