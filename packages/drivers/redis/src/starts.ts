import type { Start } from "@quadrant/contract";
import type { Argument } from "./resp/command-writer.ts";

/** Where to begin, as the scripts take it: a kind and its value. */
export function startValues(from: Start): readonly [kind: string, value: Argument] {
  if (from === "first" || from === "new") return [from, ""];
  if ("time" in from) return ["time", Math.ceil(from.time.getTime())];
  return ["seq", Math.min(from.seq, Number.MAX_SAFE_INTEGER)];
}
