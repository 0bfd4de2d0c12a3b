import type { Leased, Settled, Settlement } from "@quadrant/contract";
import { failed } from "../failure.ts";
import type { Incoming } from "../incoming.ts";
import type { Pulls } from "../pulls.ts";
import type { Box, HeldLetter } from "./box.ts";

/** How many are asked for at a time. */
const batch = 256;

/** Lends what comes, in which of this client's connections it is now. */
export interface Lender {
  readonly epoch: number;
  lend(box: Box, messages: readonly Incoming[], leaseMs: number): Promise<readonly Leased[]>;
  settle(box: Box, settlements: readonly Settlement[]): Promise<readonly Settled[]>;
}

/**
 * A server that was killed may not have written down that it had delivered something. Then it heeds nothing that is said of that
 * delivery, and from 2.10 on does not even answer. So it is asked to deliver it again: who holds it here holds it still, and
 * settles the new delivery. Resolves once the server knows of the loan. Rejects with "unavailable" within timeoutMs.
 */
export function recall(lender: Lender, pulls: Pulls, box: Box, held: HeldLetter, timeoutMs: number): Promise<void> {
  if (held.epoch === lender.epoch) return Promise.resolve();
  const deadline = performance.now() + timeoutMs;
  // One after the other: what one asks for brings back what the others hold.
  const turn = box.recalling.then(() => recallNow(lender, pulls, box, held, deadline));
  box.recalling = turn.catch(() => undefined);
  return turn;
}

async function recallNow(lender: Lender, pulls: Pulls, box: Box, held: HeldLetter, deadline: number): Promise<void> {
  /** What nobody holds here: given back at the end, since what is given back comes again before anything else. */
  const others: Leased[] = [];
  try {
    while (held.epoch !== lender.epoch) {
      const { epoch } = lender;
      const consumer = await box.consumerInfo(deadline - performance.now());
      const missing = consumer === undefined ? 0 : held.seq - consumer.delivered.stream_seq;
      if (missing <= 0) {
        held.epoch = epoch;
        return;
      }
      if (performance.now() >= deadline)
        throw failed("unavailable", `${box.what}: the server does not know of this loan any more; it will come again`);
      others.push(...(await ask(lender, pulls, box, held, Math.min(missing, batch), deadline)));
    }
  } finally {
    const release = others.map(({ token }): Settlement => ({ kind: "release", token }));
    // Where that fails their leases run out.
    if (release.length > 0) await lender.settle(box, release).catch(() => undefined);
  }
}

async function ask(
  lender: Lender,
  pulls: Pulls,
  box: Box,
  held: HeldLetter,
  max: number,
  deadline: number,
): Promise<readonly Leased[]> {
  const recalled = new AbortController();
  held.recalled = () => recalled.abort();
  const late = setTimeout(held.recalled, Math.max(1, deadline - performance.now()));
  try {
    const { messages } = await pulls.fetch(box, max, recalled.signal);
    return messages.length === 0 ? [] : await lender.lend(box, messages, box.terms.leaseMs);
  } finally {
    clearTimeout(late);
    held.recalled = undefined;
  }
}
