import {
  BusError,
  checkDuration,
  checkLease,
  type Delivery,
  type Headers,
  isBusError,
  type Leased,
  type Settled,
  type Settlement,
} from "@quadrant/contract";
import { failureOf } from "./failure.ts";

/** Who lent it: the receiver. */
export interface Lender {
  readonly what: string;
  /** Whether the subscription has closed. */
  readonly closed: boolean;
  assertOpen(): void;
  settle(settlement: Settlement): Promise<Settled>;
  /** It is being settled: no renewal, no expiry meanwhile. */
  settling(loan: Loan): void;
  /** It was settled, or lost. */
  returned(loan: Loan): void;
  /** It could not be settled: its lease runs out, unless it is settled after all. */
  lapsing(loan: Loan): void;
  /** Its lease was changed. */
  extended(loan: Loan): void;
}

/** Settling is often not waited for; who does not look at the outcome gets the letter again. */
function refusal(error: unknown): Promise<never> {
  const refused = Promise.reject(error);
  refused.catch(() => undefined);
  return refused;
}

const rejected: { readonly code: string; readonly message: string } = {
  code: "rejected",
  message: "rejected by its receiver",
};

/** One letter on loan and what becomes of it. Times are of performance.now(). */
export class Loan {
  readonly leased: Leased;
  /** When its lease ends, if nobody renews it. */
  expiresAt: number;
  /** When to renew it. */
  renewAt: number;
  /** Whether it is with the user or waits for him: nothing has been done about it yet. */
  held = true;
  /** Whether anybody ever tried to settle it. */
  touched = false;
  readonly #lender: Lender;
  readonly #leaseMs: number;
  #lost = false;
  #settled: { readonly kind: Settlement["kind"]; readonly outcome: Promise<void> } | undefined;
  #controller: AbortController | undefined;

  constructor(lender: Lender, leased: Leased, leaseMs: number, now: number) {
    this.#lender = lender;
    this.leased = leased;
    this.#leaseMs = leaseMs;
    this.expiresAt = now + leaseMs;
    this.renewAt = now + leaseMs / 3;
  }

  get lost(): boolean {
    return this.#lost;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#lost) this.#controller.abort(this.#stale());
      else if (this.#lender.closed) this.closed();
    }
    return this.#controller.signal;
  }

  /** The subscription has closed. */
  closed(): void {
    this.#controller?.abort(new BusError("closed", `the subscription to ${this.#lender.what} has closed`));
  }

  /** The lease is over: somebody else may hold the letter now. */
  lose(): void {
    if (this.#lost) return;
    this.#lost = true;
    this.held = false;
    this.#controller?.abort(this.#stale());
    this.#lender.returned(this);
  }

  #stale(why: string = "its lease was lost before"): BusError {
    const { id, attempt } = this.leased;
    return new BusError(
      "stale",
      `letter ${id} of ${this.#lender.what}, attempt ${attempt}: ${why}; nothing has changed. Give handlers a longer lease, or let it be renewed (autoExtend)`,
    );
  }

  /** The first settlement wins; the same kind again shares its outcome. */
  settle(settlement: Settlement): Promise<void> {
    const before = this.#settled;
    if (before !== undefined) {
      return before.kind === settlement.kind
        ? before.outcome
        : refusal(this.#stale(`it was settled before (${before.kind})`));
    }
    if (!this.#lost && performance.now() >= this.expiresAt) this.lose();
    if (this.#lost) return refusal(this.#stale());
    try {
      this.#lender.assertOpen();
    } catch (error) {
      return refusal(error);
    }
    this.touched = true;
    this.held = false;
    const outcome = this.#carry(settlement);
    this.#settled = { kind: settlement.kind, outcome };
    outcome.catch(() => undefined);
    return outcome;
  }

  async #carry(settlement: Settlement): Promise<void> {
    this.#lender.settling(this);
    let settled: Settled;
    try {
      settled = await this.#lender.settle(settlement);
    } catch (error) {
      this.#settled = undefined;
      this.#lender.lapsing(this);
      throw error;
    }
    if (settled === undefined) {
      this.#lender.returned(this);
      return;
    }
    if (isBusError(settled, "stale")) this.lose();
    else {
      this.#settled = undefined;
      this.#lender.lapsing(this);
    }
    throw settled;
  }

  async extend(leaseMs: number): Promise<void> {
    if (leaseMs === undefined) throw new BusError("invalid", "extend: give the milliseconds from now");
    checkLease("leaseMs", leaseMs);
    if (!this.#lost && this.#settled === undefined && performance.now() >= this.expiresAt) this.lose();
    if (this.#lost || this.#settled !== undefined)
      throw this.#stale(this.#lost ? undefined : `it was settled before (${this.#settled?.kind})`);
    this.#lender.assertOpen();
    const now = performance.now();
    const settled = await this.#lender.settle({ kind: "extend", token: this.leased.token, leaseMs });
    if (settled === undefined) return this.renewed(now, leaseMs);
    if (isBusError(settled, "stale")) this.lose();
    throw settled;
  }

  /** Its lease ends `leaseMs` after `now`. It is renewed in time for that, and late enough not to cut a longer one short. */
  renewed(now: number, leaseMs: number = this.#leaseMs): void {
    this.expiresAt = now + leaseMs;
    this.renewAt = now + Math.max(leaseMs / 3, leaseMs - (2 * this.#leaseMs) / 3);
    this.#lender.extended(this);
  }
}

/** What the user holds of a loan. */
export class LeasedLetter<T> implements Delivery<T> {
  readonly subject: string;
  readonly data: T;
  readonly headers: Headers;
  readonly id: string;
  readonly attempt: number;
  readonly seq?: number | undefined;
  readonly #loan: Loan;

  constructor(loan: Loan, data: T) {
    const { leased } = loan;
    this.subject = leased.subject;
    this.data = data;
    this.headers = { ...leased.headers };
    this.id = leased.id;
    this.attempt = leased.attempt;
    this.seq = leased.seq;
    this.#loan = loan;
  }

  static loanOf(letter: LeasedLetter<unknown>): Loan {
    return letter.#loan;
  }

  get signal(): AbortSignal {
    return this.#loan.signal;
  }

  ack(): Promise<void> {
    return this.#loan.settle({ kind: "ack", token: this.#loan.leased.token });
  }

  nak(options: { readonly delayMs?: number | undefined; readonly error?: Error | undefined } = {}): Promise<void> {
    const { delayMs = 0, error } = options;
    try {
      checkDuration("delayMs", delayMs);
      if (delayMs === Number.POSITIVE_INFINITY)
        throw new BusError("invalid", "delayMs: a letter that never comes again is rejected; use reject()");
    } catch (invalid) {
      return refusal(invalid);
    }
    const failure = error === undefined ? undefined : failureOf(error);
    return this.#loan.settle({ kind: "nak", token: this.#loan.leased.token, delayMs, failure });
  }

  reject(error?: Error): Promise<void> {
    const failure = error === undefined ? rejected : failureOf(error);
    return this.#loan.settle({ kind: "reject", token: this.#loan.leased.token, failure });
  }

  extend(leaseMs: number): Promise<void> {
    return this.#loan.extend(leaseMs);
  }
}
