import { setTimeout as sleep } from "node:timers/promises";
import { BusError } from "@quadrant/bus";

const firstPauseMs = 100;
const longestPauseMs = 2_000;

const passing: ReadonlySet<string> = new Set([
  "unavailable",
  "timeout",
  "indefinite",
  "stale",
  "no-responder",
  "overflow",
]);

/**
 * Does the work again and again until it is disposed. What fails is tried again after a pause that grows: a broker that is away
 * comes back. Disposing aborts the signal and waits for the work in hand.
 */
export function untilStopped(work: (signal: AbortSignal) => Promise<void>): AsyncDisposable {
  const stop = new AbortController();
  const running = (async () => {
    let pauseMs = firstPauseMs;
    while (!stop.signal.aborted) {
      try {
        await work(stop.signal);
        pauseMs = firstPauseMs;
      } catch (error) {
        if (stop.signal.aborted || (error instanceof BusError && error.code === "closed")) return;
        // Not what a broker's absence or another's turn explains: it is said, and tried again all the same.
        if (!(error instanceof BusError) || !passing.has(error.code)) process.emitWarning(error as Error);
        await sleep(pauseMs, undefined, { signal: stop.signal }).catch(() => undefined);
        pauseMs = Math.min(pauseMs * 2, longestPauseMs);
      }
    }
  })();
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
}
