import type { Deadlines, Line } from "./deadlines.ts";

/** Whose deadline it is. */
export interface Due {
  /** The deadline has passed. */
  expired(): void;
}

/** A deadline that is moved often and passes seldom: moving it touches no timer. */
export class Deadline {
  readonly #deadlines: Deadlines;
  readonly #ms: number;
  readonly #due: Due;
  #line: Line | undefined;
  /** The line's: when it passes, by the clock that nobody sets, and who stands beside it. */
  at = 0;
  earlier: Deadline | undefined = undefined;
  later: Deadline | undefined = undefined;

  constructor(deadlines: Deadlines, ms: number, due: Due) {
    this.#deadlines = deadlines;
    this.#ms = ms;
    this.#due = due;
  }

  /** Passes `ms` from now, unless it is started again or stopped before. */
  start(): void {
    this.stop();
    if (this.#ms === Number.POSITIVE_INFINITY) return;
    this.#line = this.#deadlines.line(this.#ms);
    this.#line.append(this);
  }

  /** Does not pass until it is started again; nothing is left of it. */
  stop(): void {
    this.#line?.remove(this);
    this.#line = undefined;
  }

  /** Called by its line, which it has left. */
  pass(): void {
    this.#line = undefined;
    this.#due.expired();
  }
}
