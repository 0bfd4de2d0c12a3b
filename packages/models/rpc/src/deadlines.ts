import type { Context } from "@quadrant/contract";
import type { Deadline } from "./deadline.ts";

/** The longest delay that setTimeout takes. */
const maxTimerMs = 2_147_483_647;
/** A duration that was asked for so often keeps its timer while nothing runs: it is asked for again. */
const popular = 16;

/** How many durations are remembered of which nothing runs. */
const durations = 64;

/** The deadlines of one duration that run, the earliest first, with one timer for all of them. */
class Line {
  readonly #ms: number;
  #first: Deadline | undefined;
  #last: Deadline | undefined;
  #timer: NodeJS.Timeout | undefined;
  #uses = 0;

  constructor(ms: number) {
    this.#ms = ms;
  }

  /** Whether nothing runs and no timer is kept. */
  get idle(): boolean {
    return this.#timer === undefined;
  }

  append(deadline: Deadline): void {
    this.#uses++;
    deadline.at = performance.now() + this.#ms;
    deadline.earlier = this.#last;
    if (this.#last === undefined) {
      this.#first = deadline;
      // A process waits for what runs, not for a timer that was kept.
      this.#timer?.ref();
    } else this.#last.later = deadline;
    this.#last = deadline;
    this.#timer ??= this.#arm(this.#ms);
  }

  remove(deadline: Deadline): void {
    this.#unlink(deadline);
    if (this.#first !== undefined) return;
    if (this.#uses >= popular) this.#timer?.unref();
    else {
      clearTimeout(this.#timer);
      this.#timer = undefined;
    }
  }

  #unlink(deadline: Deadline): void {
    const { earlier, later } = deadline;
    if (earlier === undefined) this.#first = later;
    else earlier.later = later;
    if (later === undefined) this.#last = earlier;
    else later.earlier = earlier;
    deadline.earlier = undefined;
    deadline.later = undefined;
  }

  #arm(ms: number): NodeJS.Timeout {
    return setTimeout(() => this.#fire(), Math.min(Math.max(1, ms), maxTimerMs));
  }

  #fire(): void {
    this.#timer = undefined;
    const now = performance.now();
    for (let deadline = this.#first; deadline !== undefined && deadline.at <= now; deadline = this.#first) {
      this.#unlink(deadline);
      deadline.pass();
    }
    if (this.#first !== undefined) this.#timer ??= this.#arm(this.#first.at - now);
  }
}

/** The deadlines of the calls of one connection. */
export class Deadlines {
  static readonly #all = new WeakMap<Context, Deadlines>();

  static of(context: Context): Deadlines {
    let deadlines = Deadlines.#all.get(context);
    if (deadlines === undefined) {
      deadlines = new Deadlines();
      Deadlines.#all.set(context, deadlines);
    }
    return deadlines;
  }

  readonly #lines = new Map<number, Line>();
  /** What was asked for last: most calls have one duration. */
  #lastMs = Number.NaN;
  #last: Line | undefined;
  #sweepAt = durations;

  line(ms: number): Line {
    if (ms !== this.#lastMs) {
      this.#last = this.#find(ms);
      this.#lastMs = ms;
    }
    return this.#last!;
  }

  #find(ms: number): Line {
    let line = this.#lines.get(ms);
    if (line === undefined) {
      if (this.#lines.size >= this.#sweepAt) this.#sweep();
      line = new Line(ms);
      this.#lines.set(ms, line);
    }
    return line;
  }

  #sweep(): void {
    for (const [ms, line] of this.#lines) if (line.idle) this.#lines.delete(ms);
    this.#sweepAt = Math.max(durations, this.#lines.size * 2);
  }
}

export type { Line };
