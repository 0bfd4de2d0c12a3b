import type { Context } from "@quadrant/contract";

/** Calls of one connection that may be unanswered at once; one more is "overflow". */
export const maxInFlight: number = 65_536;
const inFlight = new WeakMap<Context, { calls: number }>();

export function inFlightOf(context: Context): { calls: number } {
  let count = inFlight.get(context);
  if (count === undefined) {
    count = { calls: 0 };
    inFlight.set(context, count);
  }
  return count;
}
