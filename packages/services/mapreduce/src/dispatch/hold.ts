import { BusError } from "@quadrant/bus";

/**
 * Keeps a lease that nothing renews by itself: renews it three times in its length. `signal` aborts when a renewal is
 * refused as "stale", or when this process was stopped for longer than the lease. Any other failure leaves the lease as it
 * was: where the broker or the master is away, nobody else gets the task either.
 */
export class Hold {
  readonly signal: AbortSignal;
  readonly #lost = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #leaseMs: number;
  #ticked = performance.now();
  #renewing = false;

  constructor(leaseMs: number, renew: () => Promise<void>, given?: AbortSignal | undefined) {
    this.#leaseMs = leaseMs;
    this.signal = given === undefined ? this.#lost.signal : AbortSignal.any([given, this.#lost.signal]);
    this.#timer = setInterval(() => void this.#renew(renew), leaseMs / 3);
    this.#timer.unref();
  }

  /** "stale" when the lease was lost, be it that nobody has told so far. */
  assertHeld(): void {
    this.#tick();
    if (this.signal.aborted) throw staleLease(this.signal.reason);
  }

  /** From outside: another worker has it. */
  lose(cause?: unknown): void {
    this.end();
    this.#lost.abort(staleLease(cause));
  }

  end(): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    const now = performance.now();
    if (now - this.#ticked > this.#leaseMs) this.lose(new Error("this process was stopped for longer than the lease"));
    this.#ticked = now;
  }

  async #renew(renew: () => Promise<void>): Promise<void> {
    this.#tick();
    if (this.#renewing || this.signal.aborted) return;
    this.#renewing = true;
    try {
      await renew();
    } catch (error) {
      if (error instanceof BusError && error.code === "stale") this.lose(error);
    } finally {
      this.#renewing = false;
    }
  }
}

export function staleLease(cause: unknown): BusError {
  return new BusError("stale", "the task's lease was lost: another worker has it", { cause });
}
