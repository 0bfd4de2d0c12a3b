const firstMs = 100;
const longestMs = 30_000;

/** Exponential with full jitter: at random up to 100 ms · 2^(attempt - 1), at most up to 30 s. */
export function fullJitter(attempt: number, random: () => number = Math.random): number {
  return random() * Math.min(longestMs, firstMs * 2 ** (attempt - 1));
}

/** The caller's backoff; where it throws, or names no duration, the default one: a letter is never stuck on it. */
export function backoffMs(backoff: ((attempt: number) => number) | undefined, attempt: number): number {
  if (backoff === undefined) return fullJitter(attempt);
  try {
    const ms = backoff(attempt);
    return Number.isFinite(ms) && ms >= 0 ? ms : fullJitter(attempt);
  } catch {
    return fullJitter(attempt);
  }
}
