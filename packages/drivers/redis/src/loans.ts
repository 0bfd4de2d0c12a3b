import type { Leased } from "@quadrant/contract";

/** Who lends: the key under which it lends, and how to settle there. */
export interface LoanHome {
  readonly key: string;
  /** Gives back, unspent or as if the lease had ended; of those that were settled before, nothing becomes. Never rejects. */
  giveBack(tokens: readonly string[], kind: "release" | "lapse"): Promise<void>;
}

/** What one fetch brought. */
interface Haul {
  readonly home: LoanHome;
  readonly tokens: readonly string[];
  /** How many of them were not settled. */
  left: number;
  /** When the last lease ends; monotonic, in milliseconds. */
  due: number;
}

/** What nobody has settled is forgotten so long after the end of its lease. */
const forgottenMs = 60_000;

/**
 * What this connection holds on a lease, so that it is given back when it closes. Kept by fetch: letters come and go so
 * often that a table of them would be what takes the time.
 */
export class Loans {
  /** By what the tokens of a fetch have in common. */
  readonly #hauls = new Map<string, Haul>();
  #sweepAt = 1_024;

  add(home: LoanHome, nonce: string, letters: readonly Leased[], leaseMs: number): void {
    if (letters.length === 0) return;
    const tokens = letters.map(({ token }) => token);
    this.#hauls.set(nonce, { home, tokens, left: tokens.length, due: performance.now() + leaseMs });
    if (this.#hauls.size >= this.#sweepAt) this.#sweep();
  }

  extend(nonce: string, leaseMs: number): void {
    const haul = this.#hauls.get(nonce);
    if (haul !== undefined) haul.due = Math.max(haul.due, performance.now() + leaseMs);
  }

  settled(nonce: string, count: number): void {
    const haul = this.#hauls.get(nonce);
    if (haul === undefined) return;
    haul.left -= count;
    if (haul.left <= 0) this.#hauls.delete(nonce);
  }

  get size(): number {
    let size = 0;
    for (const { left } of this.#hauls.values()) size += left;
    return size;
  }

  /** Leases that ended unsettled are nobody's. */
  #sweep(): void {
    const now = performance.now();
    for (const [nonce, { due }] of this.#hauls) if (due + forgottenMs < now) this.#hauls.delete(nonce);
    this.#sweepAt = Math.max(1_024, this.#hauls.size * 2);
  }

  /** Gives everything back. */
  async close(): Promise<void> {
    const byHome = Map.groupBy(this.#hauls.values(), ({ home }) => home);
    this.#hauls.clear();
    await Promise.all(
      [...byHome].map(([home, hauls]) =>
        home.giveBack(
          hauls.flatMap(({ tokens }) => tokens),
          "lapse",
        ),
      ),
    );
  }
}
