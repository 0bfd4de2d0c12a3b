import { matchesSubject } from "@quadrant/contract";
import { addTo, greatest } from "./grouping.ts";
import type { Operation, Operations } from "./operation.ts";
import type { Findings } from "./violation.ts";

function keyOf(subject: string | undefined, data: string | undefined): string {
  return `${subject}\n${data}`;
}

/** What was published, by subject and by what it says. */
class Publications {
  readonly byKey: Map<string, Operation[]> = new Map();
  readonly bySubject: Map<string, Operation[]> = new Map();
  readonly failed: Map<string, Operation> = new Map();

  constructor(all: readonly Operation[]) {
    for (const operation of all) {
      if (operation.op !== "publish") continue;
      const key = keyOf(operation.on, operation.args.data);
      if (operation.outcome === "failed") {
        this.failed.set(key, operation);
        continue;
      }
      addTo(this.byKey, key, operation);
      addTo(this.bySubject, operation.on, operation);
    }
  }

  /** The one that a message can only be of; undefined where there are several alike. */
  only(key: string): Operation | undefined {
    const alike = this.byKey.get(key);
    return alike?.length === 1 ? alike[0] : undefined;
  }

  matching(pattern: string): Operation[] {
    return [...this.bySubject].flatMap(([subject, published]) => (matchesSubject(pattern, subject) ? published : []));
  }
}

class Subscriber {
  readonly #subscription: Operation;
  readonly #published: Publications;
  readonly #findings: Findings;
  readonly #operations: Operations;
  /** What it was given, and how often. */
  readonly counts: Map<string, number> = new Map();
  /** By publisher, its latest message that came. */
  readonly #latest = new Map<string, Operation>();

  constructor(subscription: Operation, published: Publications, operations: Operations, findings: Findings) {
    this.#subscription = subscription;
    this.#published = published;
    this.#operations = operations;
    this.#findings = findings;
  }

  #report(rule: string, message: string, ...others: readonly Operation[]): void {
    const operations = [...others, this.#subscription];
    const { on } = this.#subscription;
    this.#findings.violations.push({ model: "publish/subscribe", rule, on, message, operations });
  }

  /** Each message was published, matches, and comes in the order of its publisher. */
  checkMessages(): void {
    const { on, got } = this.#subscription;
    for (const { us, value } of got) {
      this.#findings.steps++;
      const key = keyOf(value.subject, value.data);
      this.counts.set(key, (this.counts.get(key) ?? 0) + 1);
      if (!matchesSubject(on, value.subject ?? "")) this.#report("no-match", `${value.subject} does not match`);
      const alike = this.#published.byKey.get(key);
      const failed = this.#published.failed.get(key);
      if (alike === undefined) {
        if (failed !== undefined) this.#report("failed-yet-there", `${value.data}: its publish failed`, failed);
        else this.#report("invented", `${value.data} on ${value.subject}: nobody has published it`);
      } else if (alike.every(({ began }) => began > us)) {
        this.#report("before-published", `${value.data} came before it was published`, alike[0]!);
      } else if (alike.length === 1) this.#inOrder(alike[0]!);
    }
  }

  #inOrder(operation: Operation): void {
    const before = this.#latest.get(operation.process);
    if (before !== undefined && operation.n < before.n) {
      this.#report("out-of-order", `${operation.args.data} came after ${before.args.data}`, operation, before);
    }
    if (before === undefined || operation.n > before.n) this.#latest.set(operation.process, operation);
  }

  checkOnce(counts: ReadonlyMap<string, number>): void {
    for (const [key, count] of counts) {
      const alike = this.#published.byKey.get(key)?.length ?? count;
      if (count > alike) this.#report("delivered-twice", `${key.split("\n")[1]} came ${count} times`);
    }
  }

  /**
   * Of what a publisher published up to the last message that came, all came or was reported as dropped. Nothing is said
   * of what was published later: it may be on its way.
   */
  checkLoss(reported: number): void {
    const { process, on, ended } = this.#subscription;
    const missing: Operation[] = [];
    for (const operation of this.#published.matching(on)) {
      this.#findings.steps++;
      const latest = this.#latest.get(operation.process);
      if (latest === undefined || operation.n >= latest.n || operation.began < ended) continue;
      const key = keyOf(operation.on, operation.args.data);
      if (operation.outcome !== "done" || this.counts.has(key) || this.#published.only(key) === undefined) continue;
      missing.push(operation);
    }
    if (missing.length <= reported) return;
    const { POSITIVE_INFINITY: never } = Number;
    const out = [process, ...missing.map((each) => each.process)].some((who) =>
      this.#operations.isOut(who, ended, never),
    );
    // While a connection is away live messages are lost, and nobody can count them.
    if (out) this.#findings.count("messagesLostInOutages", missing.length - reported);
    else {
      const message = `${missing.length} messages did not come, ${reported} were reported as dropped`;
      this.#report("loss-unreported", message, ...missing.slice(0, 5));
    }
  }
}

function droppedBy(subscription: Operation, continuations: ReadonlyMap<string, readonly Operation[]>): number {
  const ends = continuations.get(`${subscription.process} ${subscription.n}`) ?? [];
  const told = [...subscription.got.map(({ value }) => value.dropped), ...ends.map(({ value }) => value.dropped)];
  return greatest(
    told.map((dropped) => dropped ?? 0),
    0,
  );
}

/** Looks at everything that was published and subscribed to. */
export function checkTopics(
  operations: Operations,
  continuations: ReadonlyMap<string, readonly Operation[]>,
  findings: Findings,
): void {
  const subscriptions = operations.all.filter(({ op, outcome }) => op === "subscribe" && outcome === "done");
  if (subscriptions.length === 0) return;
  const published = new Publications(operations.all);
  const groups = new Map<string, { readonly counts: Map<string, number>; readonly member: Subscriber }>();
  for (const subscription of subscriptions) {
    const subscriber = new Subscriber(subscription, published, operations, findings);
    subscriber.checkMessages();
    findings.count("messages", subscription.got.length);
    const { group } = subscription.args;
    if (group === undefined) {
      const dropped = droppedBy(subscription, continuations);
      findings.count("dropped", dropped);
      subscriber.checkOnce(subscriber.counts);
      subscriber.checkLoss(dropped);
      continue;
    }
    const key = `${group} ${subscription.on}`;
    const { counts } = groups.get(key) ?? { counts: new Map<string, number>() };
    for (const [message, count] of subscriber.counts) counts.set(message, (counts.get(message) ?? 0) + count);
    groups.set(key, { counts, member: subscriber });
  }
  for (const { counts, member } of groups.values()) member.checkOnce(counts);
}
