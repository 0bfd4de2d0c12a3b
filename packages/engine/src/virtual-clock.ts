import type { Clock } from "./clock.ts";

interface Alarm {
  readonly at: number;
  readonly wake: () => void;
}

/** A clock that stands still until it is advanced: for tests. */
export class VirtualClock implements Clock {
  #now: number;
  readonly #alarms = new Set<Alarm>();

  constructor(start: number = 1_000_000) {
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  /** How many wake-ups are scheduled. */
  get pending(): number {
    return this.#alarms.size;
  }

  schedule(at: number, wake: () => void): () => void {
    const alarm: Alarm = { at, wake };
    this.#alarms.add(alarm);
    return () => void this.#alarms.delete(alarm);
  }

  /** Lets `ms` pass: wakes in order, each at its own time. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      let next: Alarm | undefined;
      for (const alarm of this.#alarms) if (alarm.at <= end && (next === undefined || alarm.at < next.at)) next = alarm;
      if (next === undefined) break;
      this.#alarms.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.wake();
    }
    this.#now = end;
  }
}
