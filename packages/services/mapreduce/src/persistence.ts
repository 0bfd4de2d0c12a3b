import { setTimeout as sleep } from "node:timers/promises";
import { BusError } from "@quadrant/bus";

const firstPauseMs = 50;
const longestPauseMs = 2_000;
/** A broker that is started again on a loaded machine is back by then. */
const defaultPatienceMs = 120_000;

/**
 * Repeats an operation that may succeed later, with backoff and full jitter, until `patienceMs` have passed. Only for what
 * may happen twice without harm. An aborted signal ends the waiting with "aborted".
 */
export async function persist<T>(
  operation: () => Promise<T>,
  signal: AbortSignal,
  patienceMs: number = defaultPatienceMs,
): Promise<T> {
  const end = performance.now() + patienceMs;
  for (let attempt = 1; ; attempt++) {
    try {
      return await operation();
    } catch (error) {
      if (!(error instanceof BusError) || !error.retryable || performance.now() > end || signal.aborted) throw error;
      const ceiling = Math.min(firstPauseMs * 2 ** attempt, longestPauseMs);
      await sleep(Math.random() * ceiling, undefined, { signal }).catch(() => {
        throw new BusError("aborted", "a retry was aborted by its signal", { cause: error });
      });
    }
  }
}

/** Does something again and again until the signal aborts; after a failure not at once. For what loses nothing by failing. */
export async function keepDoing(work: () => Promise<void>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await work();
    } catch {
      await sleep(firstPauseMs + Math.random() * firstPauseMs, undefined, { signal }).catch(() => undefined);
    }
  }
}

/** Whether a failure says nothing about the work itself: it was stopped, its lease was lost, or the broker was away. */
export function isPassing(error: unknown, ...signals: readonly AbortSignal[]): boolean {
  if (signals.some((signal) => signal.aborted)) return true;
  return error instanceof BusError && (error.code === "stale" || error.code === "aborted" || error.retryable);
}
