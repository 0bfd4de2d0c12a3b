import type { Counters } from "./task.ts";

/** A task's counters. */
export class CounterTable {
  readonly #counts = new Map<string, number>();

  add(name: string, by: number = 1): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + by);
  }

  addAll(counters: Counters): void {
    for (const [name, by] of Object.entries(counters)) this.add(name, by);
  }

  /** By name, in the order of names. */
  all(): Counters {
    return Object.fromEntries([...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}
