import type { Calls, Logs, Queues, Topics, Tuples } from "@quadrant/contract";

/** One party's connection to an engine: the capabilities of the driver contract, and what ends with the party. */
export interface EngineSession {
  readonly topics: Topics;
  readonly queues: Queues;
  readonly logs: Logs;
  readonly tuples: Tuples;
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
