import {
  BusError,
  type Context,
  checkDuration,
  isBusError,
  type Lease,
  type TupleLease,
  type Tuples,
} from "@quadrant/contract";

/** The lease of a tuple that was put out. */
export class StoredLease implements Lease {
  readonly #context: Context;
  readonly #tuples: Tuples;
  readonly #space: string;
  readonly #id: string;
  #grantedMs: number;
  /** When the request that granted it was sent: it runs here before it runs there. */
  #since: number;

  constructor(context: Context, tuples: Tuples, space: string, granted: TupleLease, sentAt: number) {
    this.#context = context;
    this.#tuples = tuples;
    this.#space = space;
    this.#id = granted.id;
    this.#grantedMs = granted.expiresInMs;
    this.#since = sentAt;
  }

  get expiresInMs(): number {
    return Math.max(0, this.#grantedMs - (performance.now() - this.#since));
  }

  async renew(leaseMs: number): Promise<void> {
    this.#context.assertOpen();
    if (leaseMs === undefined) throw new BusError("invalid", "renew(leaseMs): give milliseconds from now");
    checkDuration("leaseMs", leaseMs);
    const sentAt = performance.now();
    try {
      const granted = await this.#tuples.renew(this.#space, this.#id, leaseMs);
      this.#grantedMs = granted.expiresInMs;
      this.#since = sentAt;
    } catch (error) {
      if (isBusError(error, "stale")) this.#grantedMs = 0;
      throw error;
    }
  }

  async cancel(): Promise<void> {
    this.#context.assertOpen();
    try {
      await this.#tuples.cancel(this.#space, this.#id);
    } catch (error) {
      // Gone already, which is all that was asked for.
      if (!isBusError(error, "stale")) throw error;
    }
    this.#grantedMs = 0;
  }
}
