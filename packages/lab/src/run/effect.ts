/** How much two samples differ. */
import { median } from "simple-statistics";

/**
 * Cliff's delta: how much oftener a value of `b` is above one of `a` than below, from -1 to 1; 0 where neither is (N. Cliff,
 * "Dominance statistics", Psychological Bulletin 114, 1993).
 */
export function cliffsDelta(a: readonly number[], b: readonly number[]): number {
  let balance = 0;
  for (const x of a) for (const y of b) balance += Math.sign(y - x);
  return balance / (a.length * b.length);
}

/** The Hodges-Lehmann estimate of the shift from `a` to `b`: the median of all differences (Annals of Mathematical Statistics 34, 1963). */
export function hodgesLehmann(a: readonly number[], b: readonly number[]): number {
  return median(a.flatMap((x) => b.map((y) => y - x)));
}

/** In words (J. Romano et al., 2006). */
export function magnitudeOf(delta: number): "negligible" | "small" | "medium" | "large" {
  const size = Math.abs(delta);
  if (size < 0.147) return "negligible";
  if (size < 0.33) return "small";
  return size < 0.474 ? "medium" : "large";
}
