import { after } from "@quadrant/contract";

/** Time as the engine sees it. */
export interface Clock {
  /** Milliseconds since the epoch, with fractions, never going back: for stamps and deadlines. */
  now(): number;
  /** Wakes once, at or after `at`; returns what cancels it. */
  schedule(at: number, wake: () => void): () => void;
}

/**
 * The machine's monotonic clock, set by its wall clock once: leases and delays do not feel a jump of the wall clock, and
 * stamps do not follow one.
 */
export function systemClock(): Clock {
  const origin = Date.now() - performance.now();
  const now = (): number => origin + performance.now();
  return { now, schedule: (at, wake) => after(Math.max(0, Math.ceil(at - now())), wake) };
}
