import type { Context, Tuples } from "@quadrant/contract";

/** Where a lease or a claim was made: what it is renewed and settled by. */
export interface Origin {
  readonly context: Context;
  readonly tuples: Tuples;
  readonly space: string;
}
