import type { Envelope, Leased, PeekedLetter } from "@quadrant/contract";
import type { Link } from "./chain.ts";
import type { Kept } from "./group-commit.ts";
import type { Slotted } from "./heap.ts";
import type { Lane } from "./lane.ts";
import type { LeaseLine } from "./lease-line.ts";
import type { Loan } from "./loan.ts";
import type { Loaned, Owner } from "./owner.ts";
import type { RowReader, RowWriter } from "./row.ts";
import type { Timer } from "./timer-heap.ts";

/**
 * waiting: can be lent. blocked: waits for an earlier letter of its key. delayed: not before its time. held: lent.
 * gone: settled, expired, purged or dead.
 */
export type LetterState = "waiting" | "blocked" | "delayed" | "held" | "gone";

/** What its sender gave: kept as it came, so that a letter costs one object more and no copies. */
export interface LetterContent extends Omit<Envelope, "subject"> {
  readonly id: string;
}

/** A letter as it is read from a row. */
export interface LetterSpec extends LetterContent {
  readonly subject: string;
  readonly sentAt: number;
  /** Of a log's entry. */
  readonly seq: number | undefined;
}

/** What few letters have: an object of its own, so that the many do without. */
export interface Peculiarities {
  /** Of its sender, for those that are handled one after the other. */
  key: string | undefined;
  lane: Lane | undefined;
  laneLink: Link<Letter> | undefined;
  /** Not delivered before, as its sender asked. */
  notBefore: number;
  expiresAt: number;
  expiry: Timer | undefined;
}

/** One message and where it stands. Its state is written by the ledger that lends it. */
export class Letter implements Slotted, Kept, Loaned {
  /** In the heap of what came back. */
  slot = -1;
  row = 0;
  change: number | undefined = undefined;
  readonly content: LetterContent;
  readonly subject: string;
  readonly sentAt: number;
  /** The order among all letters of its ledger; of a log's entry, its sequence. */
  readonly order: number;
  attempt = 0;
  state: LetterState = "blocked";
  /** Of the loan; the number of its token. */
  serial = 0;
  /** Of the session that holds it, its roster's note. */
  seat: number | undefined = undefined;
  owner: Owner | undefined = undefined;
  /** When the lease, or the delay, is over; of no meaning otherwise. */
  until = 0;
  /** The leases that end one after the other, while it is held; its delay's timer, while it is delayed. */
  line: LeaseLine | undefined = undefined;
  lineNext: Letter | undefined = undefined;
  linePrevious: Letter | undefined = undefined;
  delay: Timer | undefined = undefined;
  /** Where loans are kept, and this letter has been lent. */
  loan: Loan | undefined = undefined;
  /** Of a log's entry. */
  readonly seq: number | undefined;
  /** Of a log: delivered though the log may no longer hold it. */
  revived = false;

  // Of a queue's letter alone:
  /** In the line of all that its queue has. */
  next: Letter | undefined = undefined;
  previous: Letter | undefined = undefined;
  peculiar: Peculiarities | undefined = undefined;

  constructor(content: LetterContent, subject: string, sentAt: number, order: number, seq: number | undefined) {
    this.content = content;
    this.subject = subject;
    this.sentAt = sentAt;
    this.order = order;
    this.seq = seq;
  }

  get key(): string | undefined {
    return this.peculiar?.key;
  }

  get expiresAt(): number {
    return this.peculiar?.expiresAt ?? Number.POSITIVE_INFINITY;
  }

  /** Made when first asked for: not for what is only sent and settled. */
  peculiarities(): Peculiarities {
    this.peculiar ??= {
      key: undefined,
      lane: undefined,
      laneLink: undefined,
      notBefore: 0,
      expiresAt: Number.POSITIVE_INFINITY,
      expiry: undefined,
    };
    return this.peculiar;
  }

  /** What ends its lease unsettled. */
  lapse(): void {
    this.line?.lapse(this);
  }

  peeked(): PeekedLetter {
    const { id, headers, contentType, body } = this.content;
    return { id, attempt: this.attempt, sentAt: this.sentAt, subject: this.subject, headers, contentType, body };
  }
}

/** A loan as its holder sees it. The letter may be lent anew meanwhile: what changes with that is a copy. */
export class Lent implements Leased {
  readonly letter: Letter;
  readonly serial: number;
  readonly attempt: number;
  readonly #epoch: string;

  constructor(letter: Letter, epoch: string) {
    this.letter = letter;
    this.serial = letter.serial;
    this.attempt = letter.attempt;
    this.#epoch = epoch;
  }

  get token(): string {
    return `${this.#epoch}-${this.serial}`;
  }

  get id(): string {
    return this.letter.content.id;
  }

  get sentAt(): number {
    return this.letter.sentAt;
  }

  get seq(): number | undefined {
    return this.letter.seq;
  }

  get subject(): string {
    return this.letter.subject;
  }

  get headers(): Envelope["headers"] {
    return this.letter.content.headers;
  }

  get contentType(): string {
    return this.letter.content.contentType;
  }

  get body(): Uint8Array {
    return this.letter.content.body;
  }

  get text(): string | undefined {
    return this.letter.content.text;
  }
}

export function encodeLetter({ content, subject, sentAt, seq }: Letter, rows: RowWriter): RowWriter {
  const { id, headers, contentType, text } = content;
  rows.text(id).text(subject).number(sentAt).optionalNumber(seq).headers(headers).text(contentType);
  return text === undefined ? rows.bytes(content.body) : rows.text(text);
}

export function readSpec(row: RowReader): LetterSpec {
  const id = row.text();
  const subject = row.text();
  const sentAt = row.number();
  const seq = row.optionalNumber();
  return { id, subject, sentAt, seq, headers: row.headers(), contentType: row.text(), body: row.bytes() };
}

export function letterOf(spec: LetterSpec, order: number): Letter {
  return new Letter(spec, spec.subject, spec.sentAt, order, spec.seq);
}
