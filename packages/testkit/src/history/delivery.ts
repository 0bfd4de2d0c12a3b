import { type Hold, holdOf } from "./hold.ts";
import type { Operation, Operations } from "./operation.ts";
import type { Findings, Violation } from "./violation.ts";

/** A letter, or an entry of a log, as a receiver got it. */
export interface Delivery {
  readonly id: string;
  readonly attempt: number;
  readonly data: string | undefined;
  readonly seq: number | undefined;
  readonly at: number;
  /** The operation that receives. */
  readonly receiver: Operation;
  readonly hold: Hold;
}

const defaultLeaseMs = 30_000;

function keyOf(process: string, of: number | undefined, id: unknown, attempt: unknown): string {
  return `${process} ${of} ${id} ${attempt}`;
}

/** Whose settlement is left to the library once its handler has ended. */
function handled(hold: Hold, handling: Operation | undefined): Hold {
  if (handling === undefined || hold.settled !== "no" || handling.ended === Number.POSITIVE_INFINITY) return hold;
  const { POSITIVE_INFINITY: never } = Number;
  return { ...hold, settled: "unknown", certainTo: Math.min(hold.certainTo, handling.ended), backBy: never };
}

/** All deliveries of a mailbox or of a log's durable, in the order in which they were handed over. */
export function deliveriesOf(
  operations: Operations,
  receivers: readonly Operation[],
  settlements: readonly Operation[],
  leaseMs: number = defaultLeaseMs,
): readonly Delivery[] {
  const byKey = Map.groupBy(settlements, ({ process, args }) => keyOf(process, args.of, args.id, args.attempt));
  const deliveries = receivers.flatMap((receiver) =>
    receiver.got.map(({ us, value }): Delivery => {
      const { id = "", attempt = 1, data, seq } = value;
      const own = byKey.get(keyOf(receiver.process, receiver.n, id, attempt)) ?? [];
      const { autoExtend, leaseMs: shorter = leaseMs } = receiver.args;
      const lease = autoExtend === false ? shorter : Number.POSITIVE_INFINITY;
      const loan = { operation: receiver, began: us, ended: us, leaseMs: lease };
      const lost = own.some(({ op }) => op === "delivery.lost");
      const hold = handled(
        holdOf(
          operations,
          loan,
          own.filter(({ op }) => op !== "delivery.lost" && op !== "mailbox.handle"),
        ),
        own.find(({ op }) => op === "mailbox.handle"),
      );
      const certainTo = lost && hold.settled === "no" ? us : hold.certainTo;
      return { id, attempt, data, seq, at: us, receiver, hold: { ...hold, certainTo } };
    }),
  );
  return deliveries.sort((a, b) => a.at - b.at);
}

/** Leases do not overlap, what was settled does not come again, attempts count up. `redriven`: they may begin anew. */
export function checkLoans(
  model: Violation["model"],
  on: string,
  deliveries: readonly Delivery[],
  redriven: boolean,
  findings: Findings,
): void {
  for (const [id, ofOne] of Map.groupBy(deliveries, (delivery) => delivery.id)) {
    /** The one before that is held longest. */
    let held: Delivery | undefined;
    const attempts = new Map<number, Delivery>();
    for (const delivery of ofOne) {
      findings.steps++;
      const report = (rule: string, message: string, other: Delivery): void => {
        const involved = [other.hold.settlement ?? other.receiver, delivery.receiver];
        findings.violations.push({ model, rule, on, message: `${id}: ${message}`, operations: involved });
      };
      const { attempt } = delivery;
      const same = attempts.get(attempt);
      if (same !== undefined && !redriven) report("attempt-twice", `attempt ${attempt} was delivered twice`, same);
      attempts.set(attempt, delivery);
      if (held !== undefined && held.hold.settled === "taken" && !redriven) {
        const { settlement } = held.hold;
        if (settlement!.ended < delivery.at) report("resurrected", "delivered after it was settled", held);
        else if (settlement!.began > delivery.at) report("held-twice", "delivered while somebody held it", held);
      } else if (held !== undefined && held.hold.certainTo > delivery.at) {
        report("held-twice", "delivered while somebody held it", held);
      }
      if (held === undefined || delivery.hold.certainTo >= held.hold.certainTo) held = delivery;
    }
  }
}
