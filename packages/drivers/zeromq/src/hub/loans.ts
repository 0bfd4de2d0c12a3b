import { BusError, type Leased, type Settled, type Settlement } from "@quadrant/contract";
import { leasedRow } from "../wire/transfer.ts";
import { responseBytes } from "./limits.ts";
import type { Outcome } from "./operations.ts";
import type { HubSession } from "./session.ts";

type Settle = (settlements: readonly Settlement[]) => Promise<readonly Settled[]>;

function release(settle: Settle, letters: readonly Leased[]): void {
  if (letters.length === 0) return;
  // What cannot be released any more was lost, purged or destroyed meanwhile: nothing is left to give back.
  settle(letters.map((letter) => ({ kind: "release", token: letter.token }))).catch(() => undefined);
}

/** Who opens something again after the loss of the hub does not bring back what was destroyed meanwhile: "conflict". */
export function assertKept(session: HubSession, kind: "mailbox" | "log" | "space", name: string): void {
  if (session.engine.isDestroyed(kind, name)) {
    throw new BusError("conflict", `the ${kind} ${name} was destroyed: open it again to make it anew`);
  }
}

/**
 * Of a settlement that was asked again after the hub was lost: that the lease is gone may be its own doing, the first time,
 * so nothing is claimed about it.
 */
export function doubted(settled: Settled, again: boolean): Settled {
  if (!again || settled?.code !== "stale") return settled;
  return new BusError("indefinite", "the hub was lost meanwhile: settled before that, or the lease is gone");
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
