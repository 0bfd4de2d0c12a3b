import { setTimeout as sleep } from "node:timers/promises";
import { BusError } from "@quadrant/bus";

const mostAttempts = 8;
const firstPauseMs = 50;
const longestPauseMs = 5_000;

/**
 * Repeats an operation that may succeed later, with backoff and full jitter, up to eight times. Only for what may happen
 * twice without harm. An aborted signal ends the waiting with "aborted".
 */
export async function persist<T>(operation: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await operation();
    } catch (error) {
      if (!(error instanceof BusError) || !error.retryable || attempt === mostAttempts || signal.aborted) throw error;
      const ceiling = Math.min(firstPauseMs * 2 ** attempt, longestPauseMs);
      await sleep(Math.random() * ceiling, undefined, { signal }).catch(() => {
        throw new BusError("aborted", "a retry was aborted by its signal", { cause: error });
      });
    }
  }
}

/** Whether a failure says nothing about the work itself: it was stopped, its claim was lost, or the broker was away. */
export function isPassing(error: unknown, ...signals: readonly AbortSignal[]): boolean {
  if (signals.some((signal) => signal.aborted)) return true;
  return error instanceof BusError && (error.code === "stale" || error.code === "aborted" || error.retryable);
}
