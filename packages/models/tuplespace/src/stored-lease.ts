import { BusError, checkDuration, isBusError, type Lease, type TupleLease } from "@quadrant/contract";
import type { Origin } from "./origin.ts";

/** The lease of a tuple that was put out. */
export class StoredLease implements Lease {
  readonly #origin: Origin;
  readonly #granted: TupleLease;
  #grantedMs: number;
  /** When the request that granted it was sent: it runs here before it runs there. */
  #since: number;

  constructor(origin: Origin, granted: TupleLease, sentAt: number) {
    this.#origin = origin;
    this.#granted = granted;
    this.#grantedMs = granted.expiresInMs;
    this.#since = sentAt;
  }

  get expiresInMs(): number {
    return Math.max(0, this.#grantedMs - (performance.now() - this.#since));
  }

  async renew(leaseMs: number): Promise<void> {
    const { context, tuples, space } = this.#origin;
    context.assertOpen();
    if (leaseMs === undefined) throw new BusError("invalid", "renew(leaseMs): give milliseconds from now");
    checkDuration("leaseMs", leaseMs);
    const sentAt = performance.now();
    try {
      const granted = await tuples.renew(space, this.#granted.id, leaseMs);
      this.#grantedMs = granted.expiresInMs;
      this.#since = sentAt;
    } catch (error) {
      if (isBusError(error, "stale")) this.#grantedMs = 0;
      throw error;
    }
  }

  async cancel(): Promise<void> {
    const { context, tuples, space } = this.#origin;
    context.assertOpen();
    try {
      await tuples.cancel(space, this.#granted.id);
    } catch (error) {
      // Gone already, which is all that was asked for.
      if (!isBusError(error, "stale")) throw error;
    }
    this.#grantedMs = 0;
  }
}
