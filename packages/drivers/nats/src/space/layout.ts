import type { StreamConfig } from "../jetstream.ts";

/** One journal for all tuple spaces of an account, since one owner has them all. */
export const journalStream = "QUADRANT_SPACES";
export const journalSubject = "_quadrant.space.journal";
/** A bucket as the KV clients know it, with one key: who owns the spaces. */
export const seatStream = "KV_QUADRANT_SPACES";
export const seatSubject = "$KV.QUADRANT_SPACES.owner";

/** Where the owner tells that it is there. */
export const ownerSubject = "_quadrant.space.owner";
/** Where it can be asked whether it is; nobody answers where there is none. */
export const whoSubject = "_quadrant.space.who";
/** Where an owner of this epoch takes requests: one that was deposed is asked nothing any more. */
export const askSubject = (epoch: number): string => `_quadrant.space.ask.${epoch}`;
/** Whether an owner is asked there. */
export const asksAnOwner = (subject: string): boolean =>
  subject === whoSubject || /^_quadrant\.space\.ask\./.test(subject);

/** How often the owner says that it is there, and renews its hold of the seat. */
export const announceMs = 400;
/** So long after it last renewed it an owner trusts in its seat: it answers nothing after that. */
export const leaseMs = 1_500;
/** A seat that was not renewed for so long, as somebody else has seen it, is taken over. */
export const seatMs = 2_000;

export function journalConfig(replicas: number): StreamConfig {
  return {
    name: journalStream,
    description: "Quadrant: the journal of the tuple spaces; written by their owner alone",
    subjects: [journalSubject],
    retention: "limits",
    discard: "new",
    storage: "file",
    num_replicas: replicas,
  };
}

export function seatConfig(replicas: number): StreamConfig & { readonly allow_rollup_hdrs: true } {
  return {
    name: seatStream,
    description: "Quadrant: who owns the tuple spaces",
    subjects: ["$KV.QUADRANT_SPACES.>"],
    retention: "limits",
    discard: "new",
    storage: "file",
    num_replicas: replicas,
    max_msgs_per_subject: 1,
    allow_rollup_hdrs: true,
    deny_delete: true,
  };
}
