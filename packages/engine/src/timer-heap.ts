import type { Clock } from "./clock.ts";
import { Heap, type Slotted } from "./heap.ts";

/** One thing that is to happen at a time. */
export interface Timer extends Slotted {
  /** When it is to fire. */
  readonly at: number;
}

class Alarm implements Timer {
  slot = -1;
  at: number;
  /** Where it stands in the heap: at or before `at`. */
  key: number;
  /** Among those of one time. */
  order: number;
  readonly fire: () => void;

  constructor(at: number, order: number, fire: () => void) {
    this.at = this.key = at;
    this.order = order;
    this.fire = fire;
  }
}

/**
 * All timers of an engine, with one wake-up of the clock. A timer that moves to later stays where it is and is looked at
 * again when its old time comes: leases that are renewed all the time cost nothing.
 *
 * `runDue` or `catchUp` is called at the start of every operation, so that what is due has happened before anything looks, however
 * late the clock's wake-up comes.
 */
export class TimerHeap {
  readonly #clock: Clock;
  readonly #heap = new Heap<Alarm>((a, b) => a.key < b.key || (a.key === b.key && a.order < b.order));
  #order = 0;
  #wakeAt = Number.POSITIVE_INFINITY;
  #cancelWake: (() => void) | undefined;
  #running = false;
  #closed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#heap.size;
  }

  now(): number {
    return this.#clock.now();
  }

  /** Never fires for Infinity. */
  add(at: number, fire: () => void): Timer {
    const alarm = new Alarm(at, this.#order++, fire);
    this.#insert(alarm);
    return alarm;
  }

  /** A timer that has fired or was cancelled is set anew. */
  move(timer: Timer, at: number): void {
    const alarm = timer as Alarm;
    alarm.at = at;
    if (alarm.slot === -1) {
      alarm.key = at;
      this.#insert(alarm);
    } else if (at === Number.POSITIVE_INFINITY) {
      this.cancel(alarm);
    } else if (at < alarm.key) {
      alarm.key = at;
      this.#heap.reorder(alarm);
      this.#arm();
    }
  }

  /** Sets a timer anew, with its place among those that fire at the same time: the lower one first. */
  set(timer: Timer, at: number, order: number): void {
    const alarm = timer as Alarm;
    alarm.at = alarm.key = at;
    alarm.order = order;
    if (alarm.slot === -1) this.#insert(alarm);
    else {
      this.#heap.reorder(alarm);
      this.#arm();
    }
  }

  /** Harmless for one that has fired or was cancelled. */
  cancel(timer: Timer | undefined): void {
    if (timer === undefined || timer.slot === -1) return;
    this.#heap.remove(timer as Alarm);
    if (this.#heap.size === 0) this.#disarm();
  }

  /** As `runDue`, for who does not need the time: without a timer the clock is not read. */
  catchUp(): void {
    if (this.#heap.size > 0) this.runDue();
  }

  /** Fires what is due, in order. Returns the time. */
  runDue(): number {
    const now = this.#clock.now();
    const first = this.#heap.first();
    if (first !== undefined && first.key <= now && !this.#running) this.#run(now);
    return now;
  }

  #run(now: number): void {
    this.#running = true;
    try {
      for (let alarm = this.#heap.first(); alarm !== undefined && alarm.key <= now; alarm = this.#heap.first()) {
        if (alarm.at > now) {
          alarm.key = alarm.at;
          this.#heap.reorder(alarm);
        } else {
          this.#heap.remove(alarm);
          alarm.fire();
        }
      }
    } finally {
      this.#running = false;
      this.#arm();
    }
  }

  /** Nothing fires any more, also of what is added later. */
  close(): void {
    this.#closed = true;
    this.#heap.clear();
    this.#disarm();
    this.#clock.close?.();
  }

  #insert(alarm: Alarm): void {
    if (alarm.at === Number.POSITIVE_INFINITY || this.#closed) return;
    this.#heap.push(alarm);
    this.#arm();
  }

  #arm(): void {
    if (this.#running) return;
    const first = this.#heap.first();
    if (first === undefined) this.#disarm();
    else if (first.key < this.#wakeAt) {
      this.#disarm();
      this.#wakeAt = first.key;
      this.#cancelWake = this.#clock.schedule(first.key, () => {
        this.#wakeAt = Number.POSITIVE_INFINITY;
        this.#cancelWake = undefined;
        this.runDue();
        this.#arm();
      });
    }
  }

  #disarm(): void {
    this.#cancelWake?.();
    this.#cancelWake = undefined;
    this.#wakeAt = Number.POSITIVE_INFINITY;
  }
}
