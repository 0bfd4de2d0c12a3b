import type { Calls, DirectTuples, Logs, Queues, Topics, Tuples, Wait } from "@quadrant/contract";

/** A tuple that was taken for somebody who may never get it. */
export interface RevocableTuple {
  readonly tuple: string;
  /** Puts it back in its original place, unless its lease has run out meanwhile; it may exceed the capacity. At most once. */
  restore(): void;
  /** It has arrived: it will not be asked for again. Of no meaning without a ticket. */
  arrived(): void;
}

/** Several of them, put back together. */
export interface RevocableTupleList {
  readonly tuples: readonly string[];
  restore(): void;
  arrived(): void;
}

/** The capability, with takes that can be undone: for a server whose answer may not reach the taker. */
export interface RevocableTuples extends Required<Omit<Tuples, "direct">> {
  /**
   * A ticket names the request. Where the engine outlives its process, who asks again by the same ticket gets what was
   * taken for it before, unless that is known to have arrived.
   */
  takeRevocable(space: string, template: string, wait: Wait, ticket?: string): Promise<RevocableTuple>;
  takeAllRevocable(
    space: string,
    templates: readonly string[],
    wait: Wait,
    ticket?: string,
  ): Promise<RevocableTupleList>;
  takeManyRevocable(space: string, template: string, max: number, ticket?: string): Promise<RevocableTupleList>;
}

/** One party's connection to an engine: the capabilities of the driver contract, and what ends with the party. */
export interface EngineSession {
  readonly topics: Topics;
  readonly queues: Queues;
  readonly logs: Logs;
  readonly tuples: RevocableTuples;
  /** The same, for who is in this process. */
  readonly directTuples: DirectTuples;
  readonly calls: Calls;
  /** Whether there was such a thing, and it was destroyed and not made anew; forgotten after ten thousand others. */
  isDestroyed(kind: "mailbox" | "log" | "space", name: string): boolean;
  /** The names there are, sorted. */
  list(kind: "mailbox" | "log" | "space"): readonly string[];
  /**
   * A goodbye: what waits rejects with "closed", subscriptions end with it, servers are gone and calls in flight to them
   * fail with "indefinite" at their callers. Letters that are held go back at once, their attempt counted; claimed tuples
   * go back to their place. Idempotent.
   */
  close(): void;
  /** The party vanished: the same, but what it holds stays lent until the leases run out, since it may be alive behind a cut network. */
  abandon(): void;
}
