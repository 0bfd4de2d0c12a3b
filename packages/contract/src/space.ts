import type { Subscription } from "./message.ts";
import type { FieldOf, Match, Template, Tuple } from "./tuple.ts";

export interface SpaceOptions {
  /** Which matching tuple is picked: oldest (default), newest, or at random. */
  readonly pick?: "oldest" | "newest" | "random" | undefined;
  readonly capacity?: number | undefined;
  /** At capacity `out` waits for room (default; at most its timeoutMs), or rejects with "overflow". */
  readonly whenFull?: "wait" | "reject" | undefined;
  /** A template that no index serves may scan this many tuples, then "overflow". Default 100 000. */
  readonly maxScan?: number | undefined;
  /** Events kept for `watch({ from })`. Default 10 000. */
  readonly history?: number | undefined;
}
export interface Wait {
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface SpaceOps {
  /** Once it resolves, every operation that begins later can match the tuple. It first satisfies every waiting `rd` that matches, then the longest-waiting matching `in`; else it is stored. leaseMs 0: waiters see it, nothing is stored. */
  out<const T>(tuple: T & FieldOf<T>, options?: Wait & { readonly leaseMs?: number | undefined }): Promise<Lease>;
  /** Takes: blocks until a match, removes it. At most one taker ever gets a tuple. "timeout" or "aborted": nothing was taken; "indefinite": the broker stopped answering. */
  in<const P extends Template>(template: P, options?: Wait): Promise<Match<P>>;
  /** Reads: blocks until a match, leaves it. */
  rd<const P extends Template>(template: P, options?: Wait): Promise<Match<P>>;
  /** Never wait; a tuple that a transaction holds counts as absent. */
  inp<const P extends Template>(template: P): Promise<Match<P> | undefined>;
  rdp<const P extends Template>(template: P): Promise<Match<P> | undefined>;
}

export interface TupleSpace extends SpaceOps {
  readonly name: string;
  /** All or none. */
  outMany(tuples: readonly Tuple[], options?: { readonly leaseMs?: number | undefined }): Promise<void>;
  /** Takes up to `max` matches now. */
  inMany<const P extends Template>(template: P, options: { readonly max: number }): Promise<readonly Match<P>[]>;
  /** Takes one match of each template, all or none, blocking; never holds some while it waits for others. */
  inAll<const P extends readonly Template[]>(
    templates: P,
    options?: Wait,
  ): Promise<{ readonly [K in keyof P]: Match<P[K]> }>;
  /** Every match at one instant. */
  rdAll<const P extends Template>(template: P): Promise<readonly Match<P>[]>;
  count(template: Template): Promise<number>;
  /** Moves (copies) every match to another space of the same bus, all or none; returns how many. */
  collect(template: Template, target: TupleSpace): Promise<number>;
  copyCollect(template: Template, target: TupleSpace): Promise<number>;
  /** A crash-safe `in`: the tuple is held for leaseMs (default 30 000, never renewed by itself); ack removes it; nak, expiry or the taker's death puts it back in its original place. */
  claim<const P extends Template>(
    template: P,
    options?: Wait & { readonly leaseMs?: number | undefined },
  ): Promise<Claim<Match<P>>>;
  /** Active tuple: runs the function here, then outs what it returns; when it throws, outs `["eval-error", name, message]`. */
  eval(work: (signal: AbortSignal) => Tuple | Promise<Tuple>): Promise<{ readonly done: Promise<Tuple> }>;
  /** What happens to matching tuples. `seq` counts the space's events without gaps, so a filtered watch skips numbers; `from` resumes after a sequence, also for events that nobody watched; "gap" where they are no longer held. */
  watch<const P extends Template>(
    template: P,
    options?: { readonly from?: number | undefined; readonly signal?: AbortSignal | undefined },
  ): Promise<Subscription<SpaceEvent<Match<P>>>>;
  /** `bus.transaction` on this space alone. */
  transaction(options?: { readonly leaseMs?: number | undefined }): Promise<Transaction & SpaceOps>;
  /** Which index serves the template, and how many candidates it would look at now. */
  explain(template: Template): Promise<{ readonly index: string; readonly candidates: number }>;
  destroy(): Promise<void>;
}

/** Strict two-phase locking: serialisable as to tuples read and taken; absence is not protected. Takes reappear in place on abort; outs appear on commit; the end of its lease (default 30 000) or of the client aborts it. Repeating commit or abort is harmless, and so is disposing after either; the opposite, and any other use after its end, rejects with "conflict". */
export interface Transaction extends AsyncDisposable {
  on(space: TupleSpace): SpaceOps;
  commit(): Promise<void>;
  abort(): Promise<void>;
}
export interface Lease {
  readonly expiresInMs: number;
  renew(leaseMs: number): Promise<void>;
  cancel(): Promise<void>;
}
export interface Claim<T> extends AsyncDisposable {
  readonly tuple: T;
  readonly signal: AbortSignal;
  ack(): Promise<void>;
  nak(): Promise<void>;
  extend(leaseMs: number): Promise<void>;
}
export interface SpaceEvent<T> {
  readonly kind: "out" | "in" | "expire" | "return";
  readonly seq: number;
  readonly tuple: T;
}
