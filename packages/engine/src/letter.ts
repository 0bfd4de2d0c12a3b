import type { Envelope, Leased, PeekedLetter } from "@quadrant/contract";
import type { Link } from "./chain.ts";
import type { Slotted } from "./heap.ts";
import type { Lane } from "./lane.ts";
import type { Owner } from "./owner.ts";
import type { Timer } from "./timer-heap.ts";

/**
 * waiting: can be lent. blocked: waits for an earlier letter of its key. delayed: not before its time. held: lent.
 * gone: settled, expired, purged or dead.
 */
export type LetterState = "waiting" | "blocked" | "delayed" | "held" | "gone";

export interface LetterSpec extends Envelope {
  readonly id: string;
  readonly sentAt: number;
  /** Of a log's entry. */
  readonly seq?: number | undefined;
}

/** One message and where it stands. Its state is written by the ledger that lends it. */
export class Letter implements Slotted {
  slot = -1;
  readonly spec: LetterSpec;
  /** The order among all letters of its ledger. */
  readonly order: number;
  attempt = 0;
  state: LetterState = "blocked";
  token = "";
  owner: Owner | undefined;
  /** Of the lease, or of the delay. */
  timer: Timer | undefined;
  /** What ends the lease unsettled. */
  lapse: (() => void) | undefined;

  /** Of a log: delivered though the log may no longer hold it. */
  revived = false;

  // Of a queue's letter alone:
  readonly key: string | undefined;
  expiresAt: number = Number.POSITIVE_INFINITY;
  expiry: Timer | undefined;
  place: Link<Letter> | undefined;
  lane: Lane | undefined;
  laneLink: Link<Letter> | undefined;

  constructor(spec: LetterSpec, order: number, key?: string) {
    this.spec = spec;
    this.order = order;
    this.key = key;
  }

  leased(): Leased {
    const { id, subject, headers, contentType, body, sentAt, seq } = this.spec;
    const { token, attempt } = this;
    const leased = { id, token, attempt, sentAt, subject, headers, contentType, body };
    return seq === undefined ? leased : { ...leased, seq };
  }

  peeked(): PeekedLetter {
    const { id, subject, headers, contentType, body, sentAt } = this.spec;
    return { id, attempt: this.attempt, sentAt, subject, headers, contentType, body };
  }
}
