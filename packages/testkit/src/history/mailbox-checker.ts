import { checkLoans, type Delivery, deliveriesOf } from "./delivery.ts";
import { addTo, greatest } from "./grouping.ts";
import type { Operation, Operations } from "./operation.ts";
import type { Findings } from "./violation.ts";

/** A letter that was accepted. */
interface Posted {
  readonly operation: Operation;
  readonly data: string | undefined;
  /** Its place among those of one operation. */
  readonly at: number;
}

/** What the senders say. */
class Post {
  readonly accepted: Map<string, Posted> = new Map();
  /** Bodies of letters that may have been accepted, and of those that were not. */
  readonly #maybe = new Map<string, Operation[]>();
  readonly #failed = new Map<string, Operation>();
  /** Whose letter a delivery of an unknown id was taken for. */
  readonly #recognised = new Map<string, Operation>();

  add(operation: Operation): void {
    const { args, value, outcome } = operation;
    const bodies = args.bodies ?? [args.data];
    const ids = value.ids ?? (value.id === undefined ? [] : [value.id]);
    const whole = ids.length === bodies.length;
    for (const [at, id] of ids.entries()) {
      const first = this.accepted.get(id);
      // A duplicate of one whose sender did not learn of it tells that it was accepted.
      if (first === undefined) this.accepted.set(id, { operation, data: whole ? bodies[at] : undefined, at });
    }
    if (outcome === "done") return;
    for (const body of bodies) {
      if (body === undefined) continue;
      if (outcome === "failed" && ids.length === 0) this.#failed.set(body, operation);
      else addTo(this.#maybe, body, operation);
    }
  }

  /** What is wrong with a letter that nobody is known to have sent. */
  unknown({ id, data = "" }: Delivery): readonly [rule: string, message: string, operation?: Operation] | undefined {
    if (this.#recognised.has(id)) return undefined;
    const sender = this.#maybe.get(data)?.shift();
    if (sender !== undefined) {
      this.#recognised.set(id, sender);
      return undefined;
    }
    const failed = this.#failed.get(data);
    if (failed !== undefined) return ["failed-yet-there", "its send failed, yet it was delivered", failed];
    return ["invented", "nobody has sent it"];
  }
}

/** How much earlier than its delay a letter may come: clocks are read at different moments. */
const delayGraceUs = 50_000;

function checkOrigins(on: string, post: Post, deliveries: readonly Delivery[], findings: Findings): void {
  for (const delivery of deliveries) {
    findings.steps++;
    const report = (rule: string, message: string, other?: Operation): void => {
      const operations = other === undefined ? [delivery.receiver] : [other, delivery.receiver];
      findings.violations.push({ model: "mailbox", rule, on, message: `${delivery.id}: ${message}`, operations });
    };
    const posted = post.accepted.get(delivery.id);
    if (posted === undefined) {
      const wrong = post.unknown(delivery);
      if (wrong !== undefined) report(...wrong);
      continue;
    }
    const { operation, data } = posted;
    if (data !== undefined && data !== delivery.data) report("altered", `${delivery.data} was ${data}`, operation);
    if (delivery.at < operation.began) report("before-sent", "delivered before it was sent", operation);
    const due = operation.began + (operation.args.delayMs ?? 0) * 1_000 - delayGraceUs;
    if (delivery.at < due) report("early", "delivered before its delay was over", operation);
  }
}

/** Each receiver gets the letters of a sender in the order in which they were sent, as long as nothing comes twice. */
function checkOrder(
  on: string,
  operations: Operations,
  post: Post,
  deliveries: readonly Delivery[],
  findings: Findings,
): void {
  if (deliveries.some(({ attempt }) => attempt > 1)) return;
  const last = new Map<string, { readonly posted: Posted; readonly delivery: Delivery }>();
  for (const delivery of deliveries) {
    findings.steps++;
    const posted = post.accepted.get(delivery.id);
    if (posted === undefined || posted.operation.args.delayMs !== undefined) continue;
    const { operation, at } = posted;
    const { process, n, args } = operation;
    const key = `${delivery.receiver.process} ${delivery.receiver.n} ${process} ${args.key ?? ""}`;
    const before = last.get(key);
    const earlier = before?.posted.operation;
    if (earlier === undefined || n > earlier.n || (n === earlier.n && at > before!.posted.at)) {
      last.set(key, { posted, delivery });
      continue;
    }
    // Of those that were under way when the connection was lost nobody knows which came first.
    if (operation.ended >= earlier.began && operations.isOut(process, operation.began, earlier.ended)) continue;
    const message = `${delivery.id} was sent before ${before!.delivery.id}, and came after it`;
    const involved = [operation, earlier, delivery.receiver];
    findings.violations.push({ model: "mailbox", rule: "out-of-order", on, message, operations: involved });
  }
}

/** Judged where somebody asked what is left after the last letter was sent. */
function checkLoss(
  on: string,
  own: readonly Operation[],
  post: Post,
  deliveries: readonly Delivery[],
  findings: Findings,
): void {
  const delivered = new Set(deliveries.map(({ id }) => id));
  const dead = new Set(own.filter(({ op }) => op === "mailbox.deadLetters").flatMap(({ value }) => value.ids ?? []));
  const missing = [...post.accepted].filter(
    ([id, { operation }]) => !delivered.has(id) && !dead.has(id) && operation.args.ttlMs === undefined,
  );
  findings.steps += post.accepted.size;
  if (missing.length === 0) return;
  const emptied = own.some(({ op }) => op === "mailbox.purge" || op === "mailbox.destroy");
  const lastSent = greatest([...post.accepted.values()].map(({ operation }) => operation.ended));
  const asked = own.findLast(
    ({ op, outcome, began }) => op === "mailbox.info" && outcome === "done" && began > lastSent,
  );
  if (emptied || asked === undefined) {
    findings.count("lettersUnjudged", missing.length);
    return;
  }
  const { waiting = 0, held = 0, delayed = 0, dead: died = 0 } = asked.value;
  const left = waiting + held + delayed + died;
  findings.count("lettersLeft", Math.min(left, missing.length));
  if (missing.length <= left) return;
  const ids = missing.slice(0, 5).map(([id]) => id);
  findings.violations.push({
    model: "mailbox",
    rule: "lost",
    on,
    message: `${missing.length} letters were accepted and not delivered, ${left} are left: ${ids.join(", ")} …`,
    operations: [...missing.slice(0, 5).map(([, { operation }]) => operation), asked],
  });
}

/** Looks at the operations on one mailbox. */
export function checkMailbox(on: string, operations: Operations, own: readonly Operation[], findings: Findings): void {
  const post = new Post();
  for (const operation of own) if (operation.op.startsWith("mailbox.send")) post.add(operation);
  const receivers = own.filter(({ op }) => op === "mailbox.receive" || op === "mailbox.process");
  const settlements = own.filter(({ op }) => op.startsWith("delivery.") || op === "mailbox.handle");
  const leaseMs = own.find(({ op, args }) => op === "mailbox.open" && args.leaseMs !== undefined)?.args.leaseMs;
  const deliveries = deliveriesOf(operations, receivers, settlements, leaseMs);
  findings.count("lettersAccepted", post.accepted.size);
  findings.count("deliveries", deliveries.length);
  checkOrigins(on, post, deliveries, findings);
  const redriven = own.some(({ op }) => op === "mailbox.redrive");
  checkLoans("mailbox", on, deliveries, redriven, findings);
  checkOrder(on, operations, post, deliveries, findings);
  checkLoss(on, own, post, deliveries, findings);
}
