import {
  after,
  type Bodies,
  BusError,
  type BusStatus,
  type Context,
  type Drainable,
  type Driver,
  Roster,
  type Seated,
} from "@quadrant/contract";
import { StatusBoard } from "./status-board.ts";

/** What a drain that took all its time leaves for the flush: within the tolerance that every timeout has. */
function flushReserve(drainMs: number): number {
  return Math.max(50, drainMs * 0.05);
}

interface Tracked extends Seated {
  readonly work: Drainable;
}

/** One open driver and what lives on it: what the models get, and what ends it in order. */
export class Connection implements Context {
  readonly driver: Driver;
  readonly bodies: Bodies;
  readonly requestTimeoutMs: number;
  readonly statuses: StatusBoard = new StatusBoard();
  #state: "open" | "draining" | "closed" = "open";
  readonly #tracked = new Roster<Tracked>();
  readonly #draining = new Set<Promise<void>>();
  #closing: Promise<void> | undefined;
  /** What the driver said when it ended by itself. */
  #lastWords: BusStatus | undefined;

  constructor(driver: Driver, bodies: Bodies, requestTimeoutMs: number) {
    this.driver = driver;
    this.bodies = bodies;
    this.requestTimeoutMs = requestTimeoutMs;
    driver.onStatus((status) => {
      if (status.kind !== "closed") this.statuses.post(status);
      else {
        this.#lastWords = status;
        // The driver has given up for good: nothing is left to drain.
        void this.close(0);
      }
    });
  }

  assertOpen(): void {
    if (this.#state === "closed") throw this.#closedError("is closed");
  }

  assertIntake(): void {
    if (this.#state !== "open") throw this.#closedError(this.#state === "closed" ? "is closed" : "is closing");
  }

  #closedError(what: string): BusError {
    return new BusError("closed", `the bus ${what}; connect again`, { driver: this.driver.name });
  }

  track(work: Drainable): () => void {
    if (this.#state === "closed") {
      work.abandon();
      return () => undefined;
    }
    const tracked: Tracked = { work, seat: undefined };
    this.#tracked.add(tracked);
    if (this.#state === "draining") this.#drain(tracked);
    return () => void this.#tracked.delete(tracked);
  }

  report(kind: BusStatus["kind"], detail: Readonly<Record<string, unknown>>): void {
    this.statuses.post({ kind, at: new Date(), detail });
  }

  #drain(tracked: Tracked): void {
    const drained = (async (): Promise<void> => {
      try {
        await tracked.work.drain();
      } finally {
        this.#tracked.delete(tracked);
      }
    })().catch(() => undefined);
    this.#draining.add(drained);
    void drained.then(() => this.#draining.delete(drained));
  }

  async #drainAll(): Promise<void> {
    for (const tracked of this.#tracked) this.#drain(tracked);
    // What is finishing may open something that finishes in its turn.
    while (this.#draining.size > 0) await Promise.all(this.#draining);
  }

  /** Idempotent: every call gets the promise of the first. Never rejects. */
  close(drainMs: number): Promise<void> {
    this.#closing ??= this.#close(drainMs);
    return this.#closing;
  }

  async #close(drainMs: number): Promise<void> {
    this.#state = "draining";
    const began = performance.now();
    await new Promise<void>((resolve) => {
      const cancel = after(drainMs, resolve);
      void this.#drainAll().then(() => {
        cancel();
        resolve();
      });
    });
    this.#state = "closed";
    for (const tracked of this.#tracked) {
      this.#tracked.delete(tracked);
      try {
        tracked.work.abandon();
      } catch {
        // It is given up either way.
      }
    }
    const left = Math.max(drainMs - (performance.now() - began), flushReserve(drainMs));
    await this.driver.close(Math.min(left, this.requestTimeoutMs)).catch(() => undefined);
    this.statuses.post(this.#lastWords ?? { kind: "closed", at: new Date() });
  }
}
