import { greatest, least } from "./grouping.ts";
import type { Hold } from "./hold.ts";
import type { Operation } from "./operation.ts";

/** An operation that took effect at one moment in between. */
export interface Span {
  readonly operation: Operation;
  readonly began: number;
  readonly ended: number;
}

export interface Put extends Span {
  readonly failed: boolean;
  readonly leaseMs: number | undefined;
  /** What was done to its lease. */
  readonly renewals: readonly Operation[];
}

/** From when to when a tuple was there for certain, without the times at which somebody may have held it. */
export interface Presence {
  readonly from: number;
  readonly to: number;
  readonly gaps: readonly { readonly from: number; readonly to: number }[];
}

/** How much later than its lease says a tuple may be seen: clocks of broker and client are read at different moments. */
const leaseGraceUs = 100_000;
const { POSITIVE_INFINITY: never } = Number;

/** What is contradictory about a tuple: a rule, and the operations that show it. */
export type Contradiction = readonly [rule: string, message: string, operations: readonly Operation[]];

/** What happened to one tuple that was put once. */
export class TupleStory {
  readonly text: string;
  readonly puts: Put[] = [];
  readonly takes: Span[] = [];
  readonly reads: Span[] = [];
  readonly holds: Hold[] = [];
  /** When the space began to be destroyed. */
  destroyed: number = never;
  /** From when on somebody unknown may have taken it. */
  mayBeTaken: number = never;
  /** When somebody unknown may have held it, before it came back. */
  readonly mayBeHeld: { readonly from: number; readonly to: number }[] = [];

  constructor(text: string) {
    this.text = text;
  }

  putBy(process: string, transaction: number): boolean {
    return this.puts.some(
      ({ operation }) => operation.process === process && operation.args.transaction === transaction,
    );
  }

  /** Those that took it for good. */
  get finalTakes(): readonly Span[] {
    return [...this.takes, ...this.holds.filter(({ settled }) => settled === "taken")];
  }

  /** Everybody who got or saw it. */
  get finds(): readonly Span[] {
    return [...this.reads, ...this.takes, ...this.holds];
  }

  /** When its lease ended, at the earliest and at the latest. */
  #lease(put: Put): readonly [earliest: number, latest: number] {
    if (put.leaseMs === undefined && put.renewals.length === 0) return [never, never];
    let earliest = put.began + (put.leaseMs ?? never) * 1_000;
    let latest = put.ended + (put.leaseMs ?? never) * 1_000 + leaseGraceUs;
    for (const { op, outcome, began, ended, args } of put.renewals) {
      if (outcome === "failed") continue;
      const leaseUs = op === "lease.cancel" ? 0 : (args.leaseMs ?? never) * 1_000;
      earliest = Math.min(earliest, began + leaseUs);
      if (op === "lease.cancel" && outcome === "done") return [earliest, ended];
      latest = Math.max(latest, ended + leaseUs + leaseGraceUs);
    }
    return [earliest, latest];
  }

  /** What contradicts itself, looked at alone: the other half of linearizability is who missed it while it was there. */
  *contradictions(): Generator<Contradiction> {
    const { finds } = this;
    const possible = this.puts.filter(({ failed }) => !failed);
    const takes = this.finalTakes;
    if (takes.length > Math.max(1, possible.length)) {
      yield ["taken-twice", `taken ${takes.length} times, put ${possible.length} times`, operationsOf(takes)];
    }
    if (finds.length === 0) return;
    const [put] = possible;
    if (put === undefined) {
      const [failed] = this.puts;
      if (failed !== undefined) {
        yield ["failed-yet-there", "its out failed, yet it was there", [failed.operation, finds[0]!.operation]];
      } else yield ["invented", "nobody has put it", [finds[0]!.operation]];
    } else if (possible.length === 1) yield* this.#outOfOrder(put, finds, takes[0]);
  }

  *#outOfOrder(put: Put, finds: readonly Span[], take: Span | undefined): Generator<Contradiction> {
    const [, latest] = this.#lease(put);
    for (const find of finds) {
      const pair = [put.operation, find.operation];
      if (find.ended < put.began) yield ["before-put", "there before it was put", pair];
      if (find.began > latest) yield ["resurrected", "there after its lease had ended", pair];
      if (take !== undefined && find !== take && find.began > take.ended) {
        yield ["resurrected", "there after it was taken", [take.operation, find.operation]];
      }
    }
    yield* this.#heldTwice(finds);
  }

  *#heldTwice(finds: readonly Span[]): Generator<Contradiction> {
    const holds = this.holds.filter(({ settled }) => settled !== "taken");
    if (holds.length === 0) return;
    const byBeginning = finds.toSorted((a, b) => a.began - b.began);
    for (const hold of holds) {
      let low = 0;
      let high = byBeginning.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (byBeginning[middle]!.began <= hold.ended) low = middle + 1;
        else high = middle;
      }
      for (let at = low; at < byBeginning.length && byBeginning[at]!.began < hold.certainTo; at++) {
        const find = byBeginning[at]!;
        if (find.ended >= hold.certainTo) continue;
        yield ["held-twice", "there while somebody held it", [hold.operation, find.operation]];
      }
    }
  }

  /**
   * When it was there for certain: from the latest moment at which it can have been put to the earliest at which it can
   * have been taken. Undefined where that is no time at all, or where equal tuples make it impossible to say.
   * `knownTakersAlone`: as if those who may have taken or held it, without anybody's knowing, had not.
   */
  presence(knownTakersAlone = false): Presence | undefined {
    const possible = this.puts.filter(({ failed }) => !failed);
    const [put] = possible;
    if (put === undefined || possible.length > 1) return undefined;
    const { finds } = this;
    const [take] = this.finalTakes;
    const from = least(
      finds.map(({ ended }) => ended),
      put.ended,
    );
    if (from === never) return undefined;
    const [earliest] = this.#lease(put);
    const unknown = this.holds
      .filter(({ settled }) => settled === "unknown")
      .map(({ settlement }) => settlement!.began);
    const strangers = knownTakersAlone ? never : this.mayBeTaken;
    const mayGo = least([strangers, ...unknown], take?.began ?? never);
    const seen = greatest(finds.map(({ began }) => began));
    // It was there when it was last seen, whoever else may have wanted it.
    const to = Math.min(Math.max(mayGo, seen), earliest, this.destroyed);
    if (to <= from) return undefined;
    const gaps = this.holds.map((hold) => ({ from: hold.began, to: hold.backBy }));
    return { from, to, gaps: knownTakersAlone ? gaps : [...gaps, ...this.mayBeHeld] };
  }
}

function operationsOf(spans: readonly Span[]): readonly Operation[] {
  return spans.map(({ operation }) => operation);
}
