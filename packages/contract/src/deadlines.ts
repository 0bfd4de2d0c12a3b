import { afterReading } from "./grace.ts";

/** What can be in a list of deadlines: in one at a time. The fields are the list's. */
export interface Timed {
  due: number;
  earlier: Timed | undefined;
  later: Timed | undefined;
}

/**
 * What has the same time to end, in the order in which it began: one timer for all of it. A list of links, since what
 * comes and goes so often makes V8 keep the old tables of a Set; a link that leaves points to nothing any more.
 */
export class Deadlines<T extends Timed> {
  readonly #ms: number;
  readonly #passed: (item: T) => void;
  #first: T | undefined;
  #last: T | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** `passed` is called for what was not deleted within `ms`, once what has come meanwhile has been read. */
  constructor(ms: number, passed: (item: T) => void) {
    this.#ms = ms;
    this.#passed = passed;
  }

  /** It is in no list. */
  add(item: T): void {
    item.due = performance.now() + this.#ms;
    item.earlier = this.#last;
    if (this.#last === undefined) this.#first = item;
    else this.#last.later = item;
    this.#last = item;
    this.#timer ??= this.#arm(this.#ms);
  }

  delete(item: T): void {
    if (item.earlier === undefined && this.#first !== item) return;
    const earlier = item.earlier as T | undefined;
    const later = item.later as T | undefined;
    if (earlier === undefined) this.#first = later;
    else earlier.later = later;
    if (later === undefined) this.#last = earlier;
    else later.earlier = earlier;
    item.earlier = undefined;
    item.later = undefined;
  }

  #arm(ms: number): NodeJS.Timeout {
    return setTimeout(() => afterReading(() => this.#expire()), Math.min(Math.max(1, ms), 0x7fff_ffff)).unref();
  }

  #expire(): void {
    const now = performance.now();
    this.#timer = undefined;
    for (let item = this.#first; item !== undefined; item = this.#first) {
      if (item.due > now) {
        this.#timer ??= this.#arm(item.due - now);
        return;
      }
      this.delete(item);
      this.#passed(item);
    }
  }

  close(): void {
    clearTimeout(this.#timer);
    while (this.#first !== undefined) this.delete(this.#first);
  }
}
