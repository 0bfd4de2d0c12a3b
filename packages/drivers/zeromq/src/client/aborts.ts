import { Roster, type Seated } from "@quadrant/contract";

/** Signals without anything that waits: so many keep their listener for what comes next. */
const idleSignals = 64;

/** What ends with a signal: one listener a signal, however many operations share it. */
export class Aborts<T extends Seated> {
  readonly #aborted: (item: T, signal: AbortSignal) => void;
  readonly #signals = new Map<AbortSignal, Roster<T>>();
  readonly #onAbort = (event: Event): void => {
    const signal = event.target as AbortSignal;
    const items = this.#signals.get(signal);
    this.#forget(signal);
    for (const item of items ?? []) this.#aborted(item, signal);
  };

  constructor(aborted: (item: T, signal: AbortSignal) => void) {
    this.#aborted = aborted;
  }

  /** `signal` is not aborted yet. */
  add(signal: AbortSignal, item: T): void {
    let items = this.#signals.get(signal);
    if (items === undefined) {
      items = new Roster();
      this.#signals.set(signal, items);
      signal.addEventListener("abort", this.#onAbort);
    }
    items.add(item);
  }

  delete(signal: AbortSignal, item: T): void {
    const items = this.#signals.get(signal);
    if (items === undefined) return;
    items.delete(item);
    if (items.size === 0 && this.#signals.size > idleSignals) this.#forget(signal);
  }

  #forget(signal: AbortSignal): void {
    signal.removeEventListener("abort", this.#onAbort);
    this.#signals.delete(signal);
  }

  close(): void {
    for (const signal of [...this.#signals.keys()]) this.#forget(signal);
  }
}
