import type { DurableSpec, StoredEntry } from "@quadrant/contract";
import { assertSame } from "./catalog.ts";
import type { Entries } from "./entries.ts";
import { compileFilter, type Filter } from "./filter.ts";
import type { Kept } from "./group-commit.ts";
import { Ledger } from "./ledger.ts";
import { Letter, type LetterSpec, letterOf } from "./letter.ts";
import type { LetterHome, LoanTerms } from "./letter-home.ts";
import type { LoanRecord } from "./loan.ts";
import { defaultLeaseMs, defaultMaxAttempts } from "./queue.ts";
import { RowKind, type RowReader, type RowWriter } from "./row.ts";
import type { Setting } from "./setting.ts";

interface DurableTerms extends LoanTerms {
  readonly filter: string | undefined;
}

interface NamedLog extends Kept {
  readonly name: string;
}

/**
 * A position in a log that its members share: entries are lent as letters of a mailbox are. Where retention overtakes it,
 * it goes on with what is left.
 */
export class Durable implements LetterHome {
  row = 0;
  readonly name: string;
  readonly log: NamedLog;
  readonly what: string;
  readonly terms: DurableTerms;
  readonly ledger: Ledger;
  readonly #setting: Setting;
  readonly #entries: Entries;
  readonly #wants: Filter;
  /** The first entry that was not looked at. */
  #next: number;

  constructor(setting: Setting, log: NamedLog, entries: Entries, spec: DurableSpec, start: number) {
    this.#setting = setting;
    this.log = log;
    this.name = spec.durable;
    this.what = `the durable ${spec.durable} of the log ${log.name}`;
    this.#entries = entries;
    this.terms = {
      filter: spec.filter,
      leaseMs: spec.leaseMs ?? defaultLeaseMs,
      maxAttempts: spec.maxAttempts ?? defaultMaxAttempts,
    };
    this.#wants = compileFilter(spec.filter);
    this.#next = start;
    this.ledger = new Ledger(setting, this);
  }

  assertSame({ filter, leaseMs, maxAttempts }: DurableSpec): void {
    assertSame(this.#setting, this.what, this.terms, { filter, leaseMs, maxAttempts });
  }

  fresh(): Letter | undefined {
    if (this.#next < this.#entries.first) this.#next = this.#entries.first;
    for (let entry = this.#entries.at(this.#next); entry !== undefined; entry = this.#entries.at(this.#next)) {
      this.#next++;
      this.#setting.commits?.put(this, encodeDurable);
      if (this.#wants(entry.subject)) return letterOf(this.#spec(entry), entry.seq);
    }
    return undefined;
  }

  /** The first entry that was not looked at. */
  get next(): number {
    return this.#next;
  }

  unread(): number {
    return Math.max(0, this.#entries.last + 1 - this.#next);
  }

  isAlive(letter: Letter): boolean {
    return letter.revived || letter.order >= this.#entries.first;
  }

  admit(letter: Letter): void {
    this.ledger.offer(letter);
  }

  /** What waits was offered. */
  passOver(): void {}

  gone(): void {}

  /** The entry is the log's, which does not know of loans. */
  keep(): boolean {
    return false;
  }

  /** Its body was kept with the dead letter, so that it is delivered even where the log no longer holds it. */
  revive(dead: Letter): void {
    const letter = new Letter(dead.content, dead.subject, dead.sentAt, dead.order, dead.seq);
    letter.revived = true;
    this.ledger.offer(letter);
  }

  #spec({ id, seq, time, subject, headers, contentType, body }: StoredEntry): LetterSpec {
    return { id: id ?? `${this.log.name}-${seq}`, sentAt: time, seq, subject, headers, contentType, body };
  }

  // ---- what outlives the engine

  /** Whether what was lent is still there: the log has it, or it carries itself. */
  holds({ order, revived }: LoanRecord): boolean {
    return revived || this.#entries.at(order) !== undefined;
  }

  /** An entry that was lent when the engine ended, or waits to be lent again. */
  restoreLoan(stood: LoanRecord, revived: LetterSpec | undefined): void {
    const letter = letterOf(revived ?? this.#spec(this.#entries.at(stood.order)!), stood.order);
    letter.revived = stood.revived;
    this.ledger.restore(letter, stood, stood.row);
  }
}

export function encodeDurable({ row, log, name, terms, next }: Durable, rows: RowWriter): void {
  rows.begin(row, RowKind.durable).whole(log.row).text(name).optionalText(terms.filter);
  rows.number(terms.leaseMs).number(terms.maxAttempts).number(next).end();
}

export function readDurable(setting: Setting, log: NamedLog, entries: Entries, reader: RowReader): Durable {
  const durable = reader.text();
  const filter = reader.optionalText();
  const leaseMs = reader.number();
  const maxAttempts = reader.number();
  return new Durable(setting, log, entries, { durable, filter, leaseMs, maxAttempts }, reader.number());
}
