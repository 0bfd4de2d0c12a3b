import { after } from "@quadrant/contract";
import type { Loan } from "./loan.ts";

/** Renewals that are due this part of a lease later go along. */
const togetherness = 1 / 12;

/** Watches over the leases of one receiver with one timer: has them renewed in batches, and says when one is over. */
export class LeaseClock {
  readonly #leaseMs: number;
  /** Renews and calls `renewed` on each loan; undefined: leases are not renewed. */
  readonly #renew: ((loans: readonly Loan[]) => void) | undefined;
  readonly #loans = new Set<Loan>();
  #armedAt = Number.POSITIVE_INFINITY;
  #disarm: (() => void) | undefined;
  #stopped = false;

  constructor(leaseMs: number, renew: ((loans: readonly Loan[]) => void) | undefined) {
    this.#leaseMs = leaseMs;
    this.#renew = renew;
  }

  /** Watches a loan, or notices that its lease was changed. */
  watch(loan: Loan): void {
    if (this.#stopped || loan.lost) return;
    this.#loans.add(loan);
    this.#arm(this.#wakeFor(loan));
  }

  forget(loan: Loan): void {
    this.#loans.delete(loan);
    if (this.#loans.size === 0) this.#rest();
  }

  /** A renewal failed: it is tried again a little later. */
  postpone(loans: readonly Loan[]): void {
    const again = performance.now() + this.#leaseMs * togetherness;
    for (const loan of loans) {
      loan.renewAt = again;
      if (this.#loans.has(loan)) this.#arm(this.#wakeFor(loan));
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#loans.clear();
    this.#rest();
  }

  #wakeFor(loan: Loan): number {
    return this.#renew !== undefined && loan.held ? Math.min(loan.renewAt, loan.expiresAt) : loan.expiresAt;
  }

  #rest(): void {
    this.#disarm?.();
    this.#disarm = undefined;
    this.#armedAt = Number.POSITIVE_INFINITY;
  }

  #arm(at: number): void {
    if (at >= this.#armedAt) return;
    this.#disarm?.();
    this.#armedAt = at;
    // A timer may fire a fraction of a millisecond early.
    this.#disarm = after(Math.max(1, Math.ceil(at - performance.now())), () => this.#tick());
  }

  #tick(): void {
    this.#armedAt = Number.POSITIVE_INFINITY;
    this.#disarm = undefined;
    const now = performance.now();
    const due: Loan[] = [];
    for (const loan of [...this.#loans]) {
      if (loan.expiresAt <= now) {
        this.#loans.delete(loan);
        loan.lose();
      } else if (this.#renew !== undefined && loan.held && loan.renewAt <= now + this.#leaseMs * togetherness) {
        // Until the answer is here, only the end of the lease wakes.
        loan.renewAt = Number.POSITIVE_INFINITY;
        due.push(loan);
      }
    }
    if (this.#stopped) return;
    for (const loan of this.#loans) this.#arm(this.#wakeFor(loan));
    if (due.length > 0) this.#renew?.(due);
  }
}
