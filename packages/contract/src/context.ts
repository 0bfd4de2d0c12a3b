import type { Bodies } from "./body.ts";
import type { BusStatus } from "./bus.ts";
import type { Driver } from "./driver.ts";

/** Something of a connection that has to end before it: a subscription, a receiver, a server. */
export interface Drainable {
  /** Stops intake; resolves when the work in flight has finished, however long that takes. Never rejects. */
  drain(): Promise<void>;
  /** Ends now; what is unfinished is given up. */
  abandon(): void;
}

/** What a model gets from the connection it serves. */
export interface Context {
  readonly driver: Driver;
  readonly bodies: Bodies;
  readonly requestTimeoutMs: number;
  /** Throws "closed" once the connection has closed. While it drains, work in flight may still send and settle. */
  assertOpen(): void;
  /** Throws "closed" once the connection has begun to close: nothing new is opened then. */
  assertIntake(): void;
  /** Includes `work` in the drain; call what is returned when it has ended by itself. */
  track(work: Drainable): () => void;
  report(kind: BusStatus["kind"], detail: Readonly<Record<string, unknown>>): void;
}
