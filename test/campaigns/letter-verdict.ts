import { digestOf, type LetterEvent, letterBody } from "./letter-record.ts";

/** What one consumer process noted down, and how it ended. */
export interface ConsumerRecord {
  readonly killed: boolean;
  readonly events: readonly LetterEvent[];
}

export interface LetterVerdict {
  /** Sends that resolved. */
  readonly sent: number;
  /** Sent and never delivered. */
  readonly lost: number;
  /** Delivered and never sent. */
  readonly invented: number;
  readonly altered: number;
  /** Deliveries beyond the first. */
  readonly duplicates: number;
  /** Those that followed an acknowledgement, or a delivery by a consumer that lived and was not told it was stale. */
  readonly unexplained: number;
}

interface Delivery {
  readonly attempt: number;
  readonly killed: boolean;
  outcome: LetterEvent["kind"] | "none";
}

function deliveriesOf(records: readonly ConsumerRecord[]): { byLetter: Map<number, Delivery[]>; altered: number } {
  const byLetter = new Map<number, Delivery[]>();
  let altered = 0;
  for (const { killed, events } of records) {
    const own = new Map<string, Delivery>();
    for (const { kind, n, attempt, digest } of events) {
      const key = `${n}:${attempt}`;
      if (kind !== "delivered") {
        own.get(key)!.outcome = kind;
        continue;
      }
      if (digest !== digestOf(letterBody(n))) altered++;
      const delivery: Delivery = { attempt, killed, outcome: "none" };
      own.set(key, delivery);
      const all = byLetter.get(n);
      if (all === undefined) byLetter.set(n, [delivery]);
      else all.push(delivery);
    }
  }
  return { byLetter, altered };
}

/** Whether the lease of this delivery can have been lost: its holder was killed before its ack, or was told so. */
function lostItsLease({ killed, outcome }: Delivery): boolean {
  return outcome === "stale" || (outcome !== "acked" && killed);
}

/** Judges what was noted down: letters 0 to sent - 1 were acknowledged to their sender. */
export function judge(sent: number, records: readonly ConsumerRecord[]): LetterVerdict {
  const { byLetter, altered } = deliveriesOf(records);
  let duplicates = 0;
  let unexplained = 0;
  let invented = 0;
  for (const [n, deliveries] of byLetter) {
    if (n >= sent) invented++;
    duplicates += deliveries.length - 1;
    const inOrder = deliveries.toSorted((a, b) => a.attempt - b.attempt);
    // Attempts count up one by one; one number given twice would be two holders at once.
    unexplained += inOrder.slice(0, -1).filter((delivery, index) => {
      return !lostItsLease(delivery) || inOrder[index + 1]!.attempt === delivery.attempt;
    }).length;
  }
  let lost = 0;
  for (let n = 0; n < sent; n++) if (!byLetter.has(n)) lost++;
  return { sent, lost, invented, altered, duplicates, unexplained };
}
