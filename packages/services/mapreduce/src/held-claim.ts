import { BusError, type Claim } from "@quadrant/bus";

/**
 * Keeps a claim while the work on its tuple goes on: its lease, which nothing renews by itself, is renewed three times in
 * its length, and the work is told when it was lost all the same. Returns what the work returns; settling the claim is
 * the work's. A work that fails gives the tuple back.
 */
export async function whileHeld<T, R>(
  claim: Claim<T>,
  leaseMs: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<R>,
): Promise<R> {
  const lost = new AbortController();
  const renewal = setInterval(() => {
    claim.extend(leaseMs).catch((error: unknown) => {
      // Any other failure leaves the lease as it was, to be renewed the next time.
      if (error instanceof BusError && error.code === "stale") lost.abort(error);
    });
  }, leaseMs / 3);
  try {
    return await work(AbortSignal.any([claim.signal, lost.signal, signal]));
  } catch (error) {
    await claim.nak().catch(() => undefined);
    throw error;
  } finally {
    clearInterval(renewal);
  }
}
