import type { BusError } from "@quadrant/contract";

interface Kept {
  readonly operation: number;
  readonly values: readonly unknown[];
  readonly failed: (error: BusError) => void;
}

export interface Restored {
  forget(): void;
}

/** How many things that were merely opened are remembered; beyond it the oldest are left to the hub's defaults. */
const maxOpened = 10_000;

/** What the hub has to be told again when it has lost the session: subscriptions, servers, and how things were opened. */
export class Restorer {
  readonly #kept = new Set<Kept>();
  readonly #opened = new Map<string, Kept>();

  keep(operation: number, values: readonly unknown[], failed: (error: BusError) => void): Restored {
    const kept = { operation, values, failed };
    this.#kept.add(kept);
    return { forget: () => this.#kept.delete(kept) };
  }

  /** The options with which something was opened: it is opened alike on a hub that has forgotten it. */
  opened(key: string, operation: number, values: readonly unknown[]): void {
    this.#opened.delete(key);
    if (this.#opened.size >= maxOpened) this.#opened.delete(this.#opened.keys().next().value!);
    // Somebody else was quicker with other options: what is there is used, as it was before.
    this.#opened.set(key, { operation, values, failed: () => undefined });
  }

  destroyed(key: string): void {
    this.#opened.delete(key);
  }

  each(visit: (operation: number, values: readonly unknown[], failed: (error: BusError) => void) => void): void {
    for (const { operation, values, failed } of this.#opened.values()) visit(operation, values, failed);
    for (const { operation, values, failed } of this.#kept) visit(operation, values, failed);
  }
}
