import { allSessionsBytes } from "./limits.ts";

/** Somebody for whom something waits in memory. */
export interface Holding {
  /** Bytes that wait for it. */
  readonly held: number;
}

/** What waits for all clients together. Beyond the bound the one with most of it has to go. */
export class Memory<T extends Holding> {
  readonly #limit: number;
  readonly #all: () => Iterable<T>;
  #held = 0;

  constructor(all: () => Iterable<T>, limit: number = allSessionsBytes) {
    this.#all = all;
    this.#limit = limit;
  }

  get held(): number {
    return this.#held;
  }

  /** Somebody holds so much more, or less. Returns who has to go, which drops what it holds. */
  changed(by: number): T | undefined {
    this.#held += by;
    if (this.#held <= this.#limit || by <= 0) return undefined;
    let most: T | undefined;
    for (const each of this.#all()) if (most === undefined || each.held > most.held) most = each;
    return most;
  }
}
