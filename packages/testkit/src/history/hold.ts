import type { Operation, Operations } from "./operation.ts";

/** What is held by one receiver: a claimed tuple, a tuple taken in a transaction, a letter on loan. */
export interface Hold {
  readonly operation: Operation;
  /** It began in between. */
  readonly began: number;
  readonly ended: number;
  /** Until then nobody else can have got it. */
  readonly certainTo: number;
  /** By then others can get it again; Infinity where it was settled for good, or may have been. */
  readonly backBy: number;
  /** How it was settled, as far as is known. */
  readonly settled: "taken" | "returned" | "unknown" | "no";
  /** The operation that settled it. */
  readonly settlement?: Operation | undefined;
}

/** The part of a hold that its settlements do not tell. */
export interface Loan {
  readonly operation: Operation;
  readonly began: number;
  readonly ended: number;
  /** Infinity where it is renewed as long as its holder lives. */
  readonly leaseMs: number;
}

/** How much later than its lease says a hold may be over: brokers look at intervals, and are restarted. */
export const graceUs: number = 2_000_000;
const ack = /\.(ack|commit)$/;
const returning = /\.(nak|dispose|abort)$/;
const final = /\.reject$/;

/** Until when its holder was there, connected, and did not give it up by itself. */
function lived(operations: Operations, { operation, ended }: Loan): number {
  const process = operations.processes.get(operation.process)!;
  const outage = process.outages.find(({ to }) => to >= ended);
  const alive = process.ended ? process.closing : process.last;
  return Math.max(ended, Math.min(alive, process.closing, outage?.from ?? Number.POSITIVE_INFINITY));
}

/** When the lease ends, at the earliest and at the latest. */
function leaseOf(loan: Loan, settlements: readonly Operation[]): readonly [earliest: number, latest: number] {
  let earliest = loan.began + loan.leaseMs * 1_000;
  let latest = loan.ended + loan.leaseMs * 1_000 + graceUs;
  for (const { op, outcome, began, ended, args } of settlements) {
    if (!op.endsWith(".extend") || outcome === "failed") continue;
    const leaseUs = (args.leaseMs ?? 0) * 1_000;
    // It may be made shorter.
    earliest = Math.min(earliest, began + leaseUs);
    latest = Math.max(latest, ended + leaseUs + graceUs);
  }
  return [earliest, latest];
}

/** What the settlements of a loan tell of it. */
export function holdOf(operations: Operations, loan: Loan, settlements: readonly Operation[]): Hold {
  const { operation, began, ended } = loan;
  const { POSITIVE_INFINITY: never } = Number;
  const hold = { operation, began, ended };
  const done = settlements.find(({ op, outcome }) => outcome === "done" && (ack.test(op) || final.test(op)));
  if (done !== undefined) return { ...hold, certainTo: never, backBy: never, settled: "taken", settlement: done };
  const returned = settlements.find(({ op, outcome }) => outcome === "done" && returning.test(op));
  if (returned !== undefined) {
    const { began: from, ended: backBy } = returned;
    return { ...hold, certainTo: from, backBy, settled: "returned", settlement: returned };
  }
  const [earliest, latest] = leaseOf(loan, settlements);
  const doubtful = settlements.filter(({ op, outcome }) => outcome === "indefinite" && !op.endsWith(".extend"));
  // That the lease was lost is learnt later than it happened.
  const stale = operation.lost !== undefined || settlements.some(({ code }) => code === "stale");
  const until = stale ? ended : Math.min(earliest, lived(operations, loan), ...doubtful.map((each) => each.began));
  const certainTo = Math.max(ended, until);
  const gone = doubtful.find(({ op }) => !returning.test(op));
  if (gone !== undefined) return { ...hold, certainTo, backBy: never, settled: "unknown", settlement: gone };
  return { ...hold, certainTo, backBy: latest, settled: "no" };
}
