import { type Context, isBusError, type LoanSource, type Settled, type Settlement } from "@quadrant/contract";
import { Batches } from "./batches.ts";
import { DrainWatch } from "./drain-watch.ts";
import { type Loan, refusal } from "./loan.ts";

/** Settles what a receiver holds. Of each loan, what becomes of it is told to the loan itself, before its promise is settled. */
export interface Settlements {
  /** At most once at a time for a loan; its rejection is nobody's who does not look at it. */
  settle(loan: Loan, settlement: Settlement): Promise<void>;
  /** The same, of one that is acknowledged. */
  acknowledge(loan: Loan): Promise<void>;
  /** Without telling the loan. */
  carry(settlement: Settlement): Promise<Settled>;
  carryMany(settlements: readonly Settlement[]): Promise<readonly Settled[]>;
}

const done: Promise<void> = Promise.resolve();

/** Many at a time: what is settled in one turn goes together. */
class BatchedSettlements implements Settlements {
  readonly #batches: Batches<Settlement, Settled>;

  constructor(context: Context, source: LoanSource) {
    this.#batches = new Batches(context, (batch) => source.settle(batch));
  }

  acknowledge(loan: Loan): Promise<void> {
    return this.settle(loan, { kind: "ack", token: loan.leased.token });
  }

  settle(loan: Loan, settlement: Settlement): Promise<void> {
    const outcome = new Promise<void>((resolve, reject) => {
      const failed = (error: unknown): void => {
        loan.unsettled();
        reject(error);
      };
      const answered = (settled: Settled): void => {
        if (settled === undefined) {
          loan.settled();
          resolve();
        } else if (isBusError(settled, "stale")) {
          loan.lose();
          reject(settled);
        } else failed(settled);
      };
      this.#batches.put(settlement, 0, answered, failed);
    });
    outcome.catch(() => undefined);
    return outcome;
  }

  carry(settlement: Settlement): Promise<Settled> {
    return this.#batches.add(settlement);
  }

  carryMany(settlements: readonly Settlement[]): Promise<readonly Settled[]> {
    return this.#batches.addMany(settlements);
  }
}

/** Letters that are settled, and become stable together: they share a promise. */
interface Company {
  readonly stable: Promise<void>;
  readonly loans: Loan[];
  readonly outcome: Promise<void>;
}

/** At once, in a mailbox of this process. */
class LocalSettlements implements Settlements {
  readonly #local: NonNullable<LoanSource["local"]>;
  readonly #source: LoanSource;
  readonly #drain: DrainWatch;
  #company: Company | undefined;

  constructor(context: Context, source: LoanSource, local: NonNullable<LoanSource["local"]>) {
    this.#local = local;
    this.#source = source;
    this.#drain = new DrainWatch(context);
  }

  settle(loan: Loan, settlement: Settlement): Promise<void> {
    try {
      return this.#answered(loan, this.#local.settle(settlement));
    } catch (error) {
      return this.#failed(loan, error);
    }
  }

  acknowledge(loan: Loan): Promise<void> {
    try {
      return this.#answered(loan, this.#local.acknowledge(loan.leased));
    } catch (error) {
      return this.#failed(loan, error);
    }
  }

  #failed(loan: Loan, error: unknown): Promise<void> {
    loan.unsettled();
    return refusal(error);
  }

  #answered(loan: Loan, settled: Settled): Promise<void> {
    const stable = this.#local.stable(settled === undefined);
    if (settled !== undefined) {
      loan.lose();
      return stable === undefined ? refusal(settled) : quiet(stable.then(() => Promise.reject(settled)));
    }
    if (stable === undefined) {
      loan.settled();
      return this.#local.turn() ?? done;
    }
    const company = this.#company?.stable === stable ? this.#company : this.#gather(stable);
    company.loans.push(loan);
    return company.outcome;
  }

  #gather(stable: Promise<void>): Company {
    this.#drain.watch(stable);
    const loans: Loan[] = [];
    const outcome = stable.then(
      () => {
        for (const loan of loans) loan.settled();
      },
      (error: unknown) => {
        for (const loan of loans) loan.unsettled();
        throw error;
      },
    );
    this.#company = { stable, loans, outcome: quiet(outcome) };
    return this.#company;
  }

  async carry(settlement: Settlement): Promise<Settled> {
    const settled = this.#local.settle(settlement);
    await this.#local.stable(settled === undefined);
    return settled;
  }

  carryMany(settlements: readonly Settlement[]): Promise<readonly Settled[]> {
    return this.#source.settle(settlements);
  }
}

/** Settling is often not waited for; who does not look at the outcome gets the letter again. */
function quiet(outcome: Promise<void>): Promise<void> {
  outcome.catch(() => undefined);
  return outcome;
}

export function settlementsOf(context: Context, source: LoanSource): Settlements {
  const { local } = source;
  return local === undefined ? new BatchedSettlements(context, source) : new LocalSettlements(context, source, local);
}
