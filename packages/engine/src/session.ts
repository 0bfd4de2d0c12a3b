import type { Calls, Logs, Queues, Topics, Tuples, Wait } from "@quadrant/contract";

/** A tuple that was taken for somebody who may never get it. */
export interface RevocableTuple {
  readonly tuple: string;
  /** Puts it back in its original place, unless its lease has run out meanwhile; it may exceed the capacity. At most once. */
  restore(): void;
}

/** Several of them, put back together. */
export interface RevocableTupleList {
  readonly tuples: readonly string[];
  restore(): void;
}

/** The capability, with takes that can be undone: for a server whose answer may not reach the taker. */
export interface RevocableTuples extends Tuples {
  takeRevocable(space: string, template: string, wait: Wait): Promise<RevocableTuple>;
  takeManyRevocable(space: string, template: string, max: number): Promise<RevocableTupleList>;
}

/** One party's connection to an engine: the capabilities of the driver contract, and what ends with the party. */
export interface EngineSession {
  readonly topics: Topics;
  readonly queues: Queues;
  readonly logs: Logs;
  readonly tuples: RevocableTuples;
  readonly calls: Calls;
  /** The names there are, sorted. Of blobs there are none in this release. */
  list(kind: "mailbox" | "log" | "space" | "blobs"): readonly string[];
  /**
   * A goodbye: what waits rejects with "closed", subscriptions end with it, servers are gone and calls in flight to them
   * fail with "indefinite" at their callers. Letters that are held go back at once, their attempt counted; claimed tuples
   * go back to their place. Idempotent.
   */
  close(): void;
  /** The party vanished: the same, but what it holds stays lent until the leases run out, since it may be alive behind a cut network. */
  abandon(): void;
}
