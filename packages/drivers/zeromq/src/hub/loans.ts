import type { Leased, Settled, Settlement } from "@quadrant/contract";
import { leasedRow } from "../wire/transfer.ts";
import { responseBytes } from "./limits.ts";
import type { Outcome } from "./operations.ts";

type Settle = (settlements: readonly Settlement[]) => Promise<readonly Settled[]>;

function release(settle: Settle, letters: readonly Leased[]): void {
  if (letters.length === 0) return;
  // What cannot be released any more was lost, purged or destroyed meanwhile: nothing is left to give back.
  settle(letters.map((letter) => ({ kind: "release", token: letter.token }))).catch(() => undefined);
}

/** As many of the fetched letters as one response carries, at least one; the rest go back at once, their attempt uncounted. */
export function loanOutcome(letters: readonly Leased[], settle: Settle): Outcome {
  let bytes = 0;
  let count = 0;
  while (count < letters.length && (count === 0 || bytes + letters[count]!.body.length <= responseBytes)) {
    bytes += letters[count]!.body.length;
    count++;
  }
  release(settle, letters.slice(count));
  const given = letters.slice(0, count);
  if (given.length === 0) return { values: [[]] };
  return { values: [given.map(leasedRow)], capture: { undo: () => release(settle, given) } };
}
