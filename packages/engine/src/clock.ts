/** Time as the engine sees it. */
export interface Clock {
  /** Milliseconds since the epoch, with fractions, never going back: for stamps and deadlines. */
  now(): number;
  /** Wakes once, at or after `at`; returns what cancels it. */
  schedule(at: number, wake: () => void): () => void;
  /** Nothing is scheduled any more: lets go of what it keeps for that. */
  close?(): void;
}

/** The longest delay that setTimeout takes: it goes on from there. */
const maxTimerMs = 2_147_483_647;

/** A timer that is set again and again: what is set and cancelled all the time makes none of its own each time. */
class Alarm {
  readonly #now: () => number;
  #timer: NodeJS.Timeout | undefined;
  #firesAt = Number.POSITIVE_INFINITY;
  #at = Number.POSITIVE_INFINITY;
  #wake: (() => void) | undefined;
  /** How often it was set. */
  times = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  get isSet(): boolean {
    return this.#wake !== undefined;
  }

  set(at: number, wake: () => void): void {
    this.#at = at;
    this.#wake = wake;
    this.times++;
    if (this.#timer !== undefined && this.#firesAt <= at) this.#timer.ref();
    else this.#arm();
  }

  /** The timer may fire once more, for nothing; until then it does not keep the process alive. */
  cancel(): void {
    this.#wake = undefined;
    this.#timer?.unref();
  }

  clear(): void {
    this.#wake = undefined;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const now = this.#now();
    const ms = Math.min(maxTimerMs, Math.max(0, Math.ceil(this.#at - now)));
    this.#firesAt = now + ms;
    this.#timer = setTimeout(() => this.#fire(), ms);
  }

  #fire(): void {
    this.#timer = undefined;
    const wake = this.#wake;
    if (wake === undefined) return;
    // A timer may fire a fraction of a millisecond early.
    if (this.#now() < this.#at) {
      this.#arm();
      return;
    }
    this.#wake = undefined;
    wake();
  }
}

/**
 * The machine's monotonic clock, set by its wall clock once: leases and delays do not feel a jump of the wall clock, and
 * stamps do not follow one.
 */
export function systemClock(): Clock {
  const origin = Date.now() - performance.now();
  const now = (): number => origin + performance.now();
  // An engine has one wake-up at a time.
  const spare = new Alarm(now);
  return {
    now,
    schedule: (at, wake) => {
      const alarm = spare.isSet ? new Alarm(now) : spare;
      alarm.set(at, wake);
      const { times } = alarm;
      return () => {
        if (alarm.times === times) alarm.cancel();
      };
    },
    close: () => {
      if (!spare.isSet) spare.clear();
    },
  };
}
