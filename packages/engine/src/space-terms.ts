import type { SpaceSpec } from "@quadrant/contract";
import type { Pick } from "./bucket.ts";

/** What a space was made with. */
export interface SpaceTerms {
  readonly pick: Pick;
  readonly capacity: number | undefined;
  readonly whenFull: "wait" | "reject";
  readonly maxScan: number;
  readonly history: number;
}

export function termsOf(spec: SpaceSpec): SpaceTerms {
  return {
    pick: spec.pick ?? "oldest",
    capacity: spec.capacity,
    whenFull: spec.whenFull ?? "wait",
    maxScan: spec.maxScan ?? 100_000,
    history: spec.history ?? 10_000,
  };
}
