import { graceUs, type Hold, holdOf } from "./hold.ts";
import type { Operation, Operations } from "./operation.ts";
import { TupleStory } from "./tuple-story.ts";

/** An operation that found no match, other than those that it names, at some moment in between. */
export interface Absence {
  readonly operation: Operation;
  readonly template: string;
  readonly from: number;
  readonly to: number;
  /** Tuples that were there: what was read, or taken with the others. */
  readonly except: ReadonlySet<string>;
}

/**
 * An operation of which nobody knows what it took: so many matches at most, from then on. What it took may come back until
 * `heldTo`: a claim whose lease ends, a tuple on its way to a taker that has died.
 */
export interface UnknownTake {
  readonly operation: Operation;
  readonly template: string;
  readonly from: number;
  readonly heldTo: number;
  /** Whether it comes back for certain. */
  readonly returns: boolean;
  readonly most: number;
}

/** Timers may fire a little before their time. */
const timerUs = 5_000;
/** What ends this much after it gave up was not answered by anybody: it may never have been looked for. */
const answeredUs = 50_000;
/** How long it may take until a broker finds that a taker has died, and puts back what it did not get. */
const underWayUs = 10_000_000;
const nothing: ReadonlySet<string> = new Set();
const blocking: ReadonlySet<string> = new Set(["space.in", "space.rd", "space.claim"]);
const taking: ReadonlySet<string> = new Set(["space.in", "space.inp"]);
const { POSITIVE_INFINITY: never } = Number;

/** What the operations on one space say of its tuples. */
export class SpaceLedger {
  readonly stories: Map<string, TupleStory> = new Map();
  readonly absences: Absence[] = [];
  readonly unknownTakes: UnknownTake[] = [];
  /** What was asked for, and the tuple that was given. */
  readonly picks: { readonly operation: Operation; readonly template: string; readonly tuple: string }[] = [];
  /** Evaluations of which nobody knows what they put out. */
  openEvaluations = 0;
  /** The order of picking, where all who opened the space agree; "oldest" unless told. */
  pick = "oldest";
  /** When the space began to be destroyed. */
  destroyed: number = never;
  readonly #operations: Operations;
  /** By process and the operation that they go on with. */
  readonly #continuations: ReadonlyMap<string, readonly Operation[]>;

  constructor(operations: Operations, continuations: ReadonlyMap<string, readonly Operation[]>) {
    this.#operations = operations;
    this.#continuations = continuations;
  }

  story(tuple: string): TupleStory {
    let story = this.stories.get(tuple);
    if (story === undefined) {
      story = new TupleStory(tuple);
      this.stories.set(tuple, story);
    }
    return story;
  }

  #continuationsOf(process: string, n: number): readonly Operation[] {
    return this.#continuations.get(`${process} ${n}`) ?? [];
  }

  add(operation: Operation): void {
    const { op, args, value, outcome } = operation;
    switch (op) {
      case "space.open":
        if (args.pick !== undefined) this.pick = args.pick;
        return;
      case "space.out":
      case "space.outMany":
        for (const tuple of args.tuples ?? [args.tuple]) if (tuple !== undefined) this.#put(operation, tuple);
        return;
      case "space.eval":
        if (value.tuple !== undefined) this.#put(operation, value.tuple);
        else if (outcome === "indefinite") this.openEvaluations++;
        return;
      case "space.in":
      case "space.inp":
      case "space.rd":
      case "space.rdp":
      case "space.claim":
        this.#find(operation, args.template);
        return;
      case "space.inMany":
      case "space.rdAll":
        this.#findMany(operation, args.template);
        return;
      case "space.inAll":
        this.#takeAll(operation);
        return;
      case "space.collect":
        this.#mayTake(operation, args.template, never);
        return;
      case "space.destroy":
        if (outcome !== "failed") this.destroyed = Math.min(this.destroyed, operation.began);
    }
  }

  #put(operation: Operation, tuple: string): void {
    const { process, n, args, began, outcome } = operation;
    const story = this.story(tuple);
    const renewals = this.#continuationsOf(process, n).filter(({ op }) => op.startsWith("lease."));
    let ended = outcome === "done" ? operation.ended : never;
    if (args.transaction !== undefined) {
      const ends = this.#continuationsOf(process, args.transaction);
      const commit = ends.find(({ op, outcome: end }) => op === "transaction.commit" && end !== "failed");
      if (commit === undefined && ends.some(({ outcome: end }) => end !== "indefinite")) return;
      ended = commit?.outcome === "done" ? commit.ended : never;
    }
    story.puts.push({ operation, began, ended, failed: outcome === "failed", leaseMs: args.leaseMs, renewals });
  }

  #find(operation: Operation, template: string | undefined): void {
    const { op, began, ended, outcome, code, args, value } = operation;
    if (template === undefined) return;
    if (outcome === "done") {
      if (value.tuple !== undefined) this.#found(operation, template, value.tuple);
      else this.absences.push({ operation, template, from: began, to: ended, except: nothing });
    } else if (outcome === "indefinite") {
      if (!op.startsWith("space.rd")) this.#mayTake(operation, template, 1);
    } else if (blocking.has(op)) {
      // While its connection was away it could not know.
      if (this.#operations.isOut(operation.process, began, ended)) return;
      let from = never;
      if (code === "timeout") from = Math.max(began, began + (args.timeoutMs ?? never) * 1_000 - timerUs);
      else if (code === "aborted") from = operation.aborted ?? never;
      const answered = from <= ended && ended <= from + timerUs + answeredUs;
      if (answered) this.absences.push({ operation, template, from, to: ended, except: nothing });
    }
  }

  #found(operation: Operation, template: string, tuple: string): void {
    const { op, process, n, began, ended, args } = operation;
    const story = this.story(tuple);
    const span = { operation, began, ended };
    this.picks.push({ operation, template, tuple });
    // What a transaction has put out itself is seen by nobody else.
    const { transaction } = args;
    if (transaction !== undefined && story.putBy(process, transaction)) return;
    const loan = op === "space.claim" ? n : taking.has(op) ? transaction : undefined;
    if (loan !== undefined) story.holds.push(this.#hold(span, loan, args.leaseMs));
    else if (taking.has(op)) story.takes.push(span);
    else story.reads.push(span);
  }

  #hold(span: { operation: Operation; began: number; ended: number }, of: number, leaseMs = never): Hold {
    return holdOf(this.#operations, { ...span, leaseMs }, this.#continuationsOf(span.operation.process, of));
  }

  #findMany(operation: Operation, template: string | undefined): void {
    const { op, began, ended, outcome, args, value } = operation;
    if (template === undefined) return;
    const takes = op === "space.inMany";
    if (outcome === "indefinite" && takes) this.#mayTake(operation, template, args.max ?? never);
    if (outcome !== "done") return;
    const tuples = value.tuples ?? [];
    for (const tuple of tuples) {
      this.picks.push({ operation, template, tuple });
      const story = this.story(tuple);
      (takes ? story.takes : story.reads).push({ operation, began, ended });
    }
    if (takes && tuples.length >= (args.max ?? never)) return;
    this.absences.push({ operation, template, from: began, to: ended, except: new Set(tuples) });
  }

  #takeAll(operation: Operation): void {
    const { began, ended, outcome, args, value } = operation;
    for (const [at, template] of (args.templates ?? []).entries()) {
      const tuple = value.tuples?.[at];
      if (outcome === "indefinite") this.#mayTake(operation, template, 1);
      if (outcome !== "done" || tuple === undefined) continue;
      this.picks.push({ operation, template, tuple });
      this.story(tuple).takes.push({ operation, began, ended });
    }
  }

  #mayTake(operation: Operation, template: string | undefined, most: number): void {
    const { op, began, ended, args, outcome } = operation;
    if (template === undefined || outcome === "failed") return;
    // The last moment at which it can have got something.
    const waits = blocking.has(op) ? (args.timeoutMs ?? never) * 1_000 : never;
    const got = Math.min(ended, began + waits);
    const returns = op === "space.claim";
    const heldTo = returns ? got + (args.leaseMs ?? never) * 1_000 + graceUs : got + underWayUs;
    this.unknownTakes.push({ operation, template, from: began, heldTo, returns, most });
  }
}
