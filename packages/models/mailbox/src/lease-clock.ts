import type { Roster } from "@quadrant/contract";
import type { Loan } from "./loan.ts";

/** Renewals that are due this part of a lease later go along. */
const togetherness = 1 / 12;
/** The longest delay that setTimeout takes: it is looked at again then. */
const maxTimerMs = 2_147_483_647;

/**
 * Watches over the leases of one receiver with one timer: has them renewed in batches, and says when one is over. The timer
 * stands at the first end there was when it was set, so that letters that come and go cost nothing.
 */
export class LeaseClock {
  readonly #leaseMs: number;
  /** What the receiver holds; of what is being settled, nothing is to be said. */
  readonly #held: Roster<Loan>;
  /** Renews and calls `renewed` on each loan; undefined: leases are not renewed. */
  readonly #renew: ((loans: readonly Loan[]) => void) | undefined;
  /** Those that could not be settled. */
  readonly #lapsing = new Set<Loan>();
  #armedAt = Number.POSITIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #resting = false;
  #stopped = false;

  constructor(leaseMs: number, held: Roster<Loan>, renew: ((loans: readonly Loan[]) => void) | undefined) {
    this.#leaseMs = leaseMs;
    this.#held = held;
    this.#renew = renew;
  }

  /** There is a loan, or its lease was changed. */
  watch(loan: Loan): void {
    if (this.#stopped || loan.lost) return;
    this.#arm(this.#wakeFor(loan));
  }

  /** The lease runs out, unless the loan is settled before. */
  lapsing(loan: Loan): void {
    if (this.#stopped || loan.lost) return;
    this.#lapsing.add(loan);
    this.#arm(loan.expiresAt);
  }

  forget(loan: Loan): void {
    if (this.#lapsing.size === 0 || !this.#lapsing.delete(loan)) return;
    if (this.#held.size === 0) this.rest();
  }

  /** A renewal failed: it is tried again a little later. */
  postpone(loans: readonly Loan[]): void {
    const again = performance.now() + this.#leaseMs * togetherness;
    for (const loan of loans) {
      loan.renewAt = again;
      if (loan.held) this.watch(loan);
    }
  }

  /** Nothing is held. The timer need not keep the process alive, and is there for the next. */
  rest(): void {
    if (this.#lapsing.size > 0 || this.#timer === undefined) return;
    this.#resting = true;
    this.#timer.unref();
  }

  stop(): void {
    this.#stopped = true;
    this.#lapsing.clear();
    this.#disarm();
  }

  #wakeFor(loan: Loan): number {
    return this.#renew !== undefined && loan.held ? Math.min(loan.renewAt, loan.expiresAt) : loan.expiresAt;
  }

  #disarm(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#resting = false;
    this.#armedAt = Number.POSITIVE_INFINITY;
  }

  #arm(at: number): void {
    if (at >= this.#armedAt) {
      if (!this.#resting) return;
      this.#resting = false;
      this.#timer?.ref();
      return;
    }
    this.#disarm();
    this.#armedAt = at;
    // A timer may fire a fraction of a millisecond early.
    const ms = Math.max(1, Math.ceil(at - performance.now()));
    this.#timer = setTimeout(() => this.#tick(), Math.min(ms, maxTimerMs));
  }

  #tick(): void {
    this.#disarm();
    const now = performance.now();
    const due: Loan[] = [];
    for (const loan of [...this.#held, ...this.#lapsing]) {
      const lapses = this.#lapsing.has(loan);
      if (!loan.held && !lapses) continue;
      if (loan.expiresAt <= now) loan.lose();
      else if (this.#renew !== undefined && loan.held && loan.renewAt <= now + this.#leaseMs * togetherness) {
        // Until the answer is here, only the end of the lease wakes.
        loan.renewAt = Number.POSITIVE_INFINITY;
        due.push(loan);
      }
    }
    if (this.#stopped) return;
    for (const loan of this.#held) if (loan.held) this.#arm(this.#wakeFor(loan));
    for (const loan of this.#lapsing) this.#arm(loan.expiresAt);
    if (due.length > 0) this.#renew?.(due);
  }
}
