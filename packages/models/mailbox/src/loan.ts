import {
  BusError,
  checkDuration,
  checkLease,
  type Delivery,
  type Headers,
  isBusError,
  type Leased,
  noHeaders,
  type Seated,
  type Settlement,
} from "@quadrant/contract";
import { failureOf } from "./failure.ts";
import type { Settlements } from "./settlements.ts";

/** Who lent it: the receiver. */
export interface Lender {
  readonly what: string;
  /** Of its leases, unless they are extended. */
  readonly leaseMs: number;
  /** Whether the subscription has closed. */
  readonly closed: boolean;
  readonly settlements: Settlements;
  assertOpen(): void;
  /** Whether its lease is over, as far as that is to be judged here. */
  isOver(loan: Loan): boolean;
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
export function refusal(error: unknown): Promise<never> {
  const refused = Promise.reject(error);
  refused.catch(() => undefined);
  return refused;
}

const rejected: { readonly code: string; readonly message: string } = {
  code: "rejected",
  message: "rejected by its receiver",
};

/** A lease, in times of performance.now(). */
export interface Term {
  /** When it ends, if nobody renews it. */
  readonly expiresAt: number;
  /** When to renew it. */
  readonly renewAt: number;
}

/** One letter on loan and what becomes of it. Times are of performance.now(). */
export class Loan implements Seated {
  seat: number | undefined = undefined;
  readonly leased: Leased;
  /** Shared by letters that came together, until it changes. */
  #term: Term;
  /** Whether it is with the user or waits for him: nothing has been done about it yet. Otherwise it is being settled. */
  held = true;
  /** Whether anybody ever tried to settle it. */
  touched = false;
  readonly #lender: Lender;
  #lost = false;
  /** As what it was settled, or is being settled, and the outcome. */
  #kind: Settlement["kind"] | undefined = undefined;
  #outcome: Promise<void> | undefined = undefined;
  #controller: AbortController | undefined = undefined;

  constructor(lender: Lender, leased: Leased, term: Term) {
    this.#lender = lender;
    this.leased = leased;
    this.#term = term;
  }

  get expiresAt(): number {
    return this.#term.expiresAt;
  }

  get renewAt(): number {
    return this.#term.renewAt;
  }

  set renewAt(at: number) {
    this.#term = { expiresAt: this.expiresAt, renewAt: at };
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
    const refused = this.#beginSettling(settlement.kind);
    if (refused !== undefined) return refused;
    this.#outcome = this.#lender.settlements.settle(this, settlement);
    return this.#outcome;
  }

  acknowledge(): Promise<void> {
    const refused = this.#beginSettling("ack");
    if (refused !== undefined) return refused;
    this.#outcome = this.#lender.settlements.acknowledge(this);
    return this.#outcome;
  }

  /** Undefined: nothing is against it, and from now on nobody renews its lease here, nor says that it has ended. */
  #beginSettling(kind: Settlement["kind"]): Promise<void> | undefined {
    const before = this.#kind;
    if (before !== undefined) {
      return before === kind ? this.#outcome : refusal(this.#stale(`it was settled before (${before})`));
    }
    if (!this.#lost && this.#lender.isOver(this)) this.lose();
    if (this.#lost) return refusal(this.#stale());
    try {
      this.#lender.assertOpen();
    } catch (error) {
      return refusal(error);
    }
    this.touched = true;
    this.held = false;
    this.#kind = kind;
    this.#lender.settling(this);
    return undefined;
  }

  settled(): void {
    this.#lender.returned(this);
  }

  /** It was not settled, or nobody knows. */
  unsettled(): void {
    this.#kind = undefined;
    this.#lender.lapsing(this);
  }

  async extend(leaseMs: number): Promise<void> {
    if (leaseMs === undefined) throw new BusError("invalid", "extend: give the milliseconds from now");
    checkLease("leaseMs", leaseMs);
    const settled = this.#kind;
    if (!this.#lost && settled === undefined && this.#lender.isOver(this)) this.lose();
    if (this.#lost || settled !== undefined)
      throw this.#stale(this.#lost ? undefined : `it was settled before (${settled})`);
    this.#lender.assertOpen();
    const now = performance.now();
    const refused = await this.#lender.settlements.carry({ kind: "extend", token: this.leased.token, leaseMs });
    if (refused === undefined) return this.renewed(now, leaseMs);
    if (isBusError(refused, "stale")) this.lose();
    throw refused;
  }

  /** Its lease ends `leaseMs` after `now`. It is renewed in time for that, and late enough not to cut a longer one short. */
  renewed(now: number, leaseMs: number = this.#lender.leaseMs): void {
    const renewAt = now + Math.max(leaseMs / 3, leaseMs - (2 * this.#lender.leaseMs) / 3);
    this.#term = { expiresAt: now + leaseMs, renewAt };
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
    const { headers } = leased;
    this.headers = headers === noHeaders ? noHeaders : { ...headers };
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
    return this.#loan.acknowledge();
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
