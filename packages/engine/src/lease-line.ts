import type { Letter } from "./letter.ts";
import type { Setting } from "./setting.ts";
import type { Timer } from "./timer-heap.ts";

/**
 * Letters that are held for equally long, in the order in which their leases end: one timer for all of them. It stands at
 * the end of the first one, or of one before that was settled, and is looked at again when that time comes. Leases that
 * end at the same time end in the order in which they began.
 */
export class LeaseLine {
  first: Letter | undefined;
  last: Letter | undefined;
  readonly leaseMs: number;
  readonly timer: Timer;
  /** Whose end the timer stands at. */
  serial = 0;
  readonly leases: Leases;

  constructor(leases: Leases, leaseMs: number, timer: Timer) {
    this.leases = leases;
    this.leaseMs = leaseMs;
    this.timer = timer;
  }

  lapse(letter: Letter): void {
    this.leases.lapse(letter);
  }
}

/** The leases of one ledger. */
export class Leases {
  readonly #setting: Setting;
  readonly #lapsed: (letter: Letter) => void;
  /** By how long they are. */
  readonly #lines = new Map<number, LeaseLine>();
  /** The one that was used last: mostly all leases are equally long. */
  #recent: LeaseLine | undefined;

  /** `lapsed` is told of each lease that has ended, when its letter has left the line. */
  constructor(setting: Setting, lapsed: (letter: Letter) => void) {
    this.#setting = setting;
    this.#lapsed = lapsed;
  }

  /** The lease of the letter, which has none, ends `leaseMs` after `now`. */
  begin(letter: Letter, now: number, leaseMs: number): void {
    const line = this.#recent?.leaseMs === leaseMs ? this.#recent : this.#lineOf(leaseMs);
    this.#join(line, letter, now + leaseMs);
  }

  /** As `begin`, of a lease that ran before the engine was started again. */
  resume(letter: Letter, until: number): void {
    // Two that end at the same time are in one line; nobody else comes into it.
    this.#join(this.#lineOf(-until), letter, until);
  }

  end(letter: Letter): void {
    const line = letter.line;
    if (line === undefined) return;
    const { linePrevious: previous, lineNext: next } = letter;
    if (previous === undefined) line.first = next;
    else previous.lineNext = next;
    if (next === undefined) line.last = previous;
    else next.linePrevious = previous;
    letter.line = letter.lineNext = letter.linePrevious = undefined;
    if (line.first === undefined) this.#rest(line);
  }

  lapse(letter: Letter): void {
    this.end(letter);
    this.#lapsed(letter);
  }

  #lineOf(leaseMs: number): LeaseLine {
    const before = this.#recent;
    if (before !== undefined && before.first === undefined) this.#lines.delete(before.leaseMs);
    let line = this.#lines.get(leaseMs);
    if (line === undefined) {
      const timer = this.#setting.timers.add(Number.POSITIVE_INFINITY, () => this.#look(made));
      const made = new LeaseLine(this, leaseMs, timer);
      line = made;
      this.#lines.set(leaseMs, line);
    }
    this.#recent = line;
    return line;
  }

  #join(line: LeaseLine, letter: Letter, until: number): void {
    letter.until = until;
    letter.line = line;
    let before = line.last;
    // Only a lease that is extended has others of a later beginning before it, and few of them end at the very same time.
    while (before !== undefined && before.until === until && before.serial > letter.serial)
      before = before.linePrevious;
    const next = before === undefined ? line.first : before.lineNext;
    letter.linePrevious = before;
    letter.lineNext = next;
    if (next === undefined) line.last = letter;
    else next.linePrevious = letter;
    if (before !== undefined) before.lineNext = letter;
    else {
      line.first = letter;
      this.#set(line, letter);
    }
  }

  #set(line: LeaseLine, { until, serial }: Letter): void {
    line.serial = serial;
    this.#setting.timers.set(line.timer, until, serial);
  }

  /** The line is empty. The one that was used last is kept. */
  #rest(line: LeaseLine): void {
    this.#setting.timers.cancel(line.timer);
    if (line !== this.#recent) this.#lines.delete(line.leaseMs);
  }

  /** One at a time: leases of other lines may end in between. */
  #look(line: LeaseLine): void {
    const { first } = line;
    if (first === undefined) return;
    if (first.until === line.timer.at && first.serial === line.serial) this.lapse(first);
    if (line.first !== undefined && line.timer.slot === -1) this.#set(line, line.first);
  }
}
