import type { DurableSpec, StoredEntry } from "@quadrant/contract";
import { assertSame } from "./catalog.ts";
import type { Entries } from "./entries.ts";
import { compileFilter, type Filter } from "./filter.ts";
import { Ledger, type LetterHome, type LoanTerms } from "./ledger.ts";
import { Letter, type LetterSpec } from "./letter.ts";
import { defaultLeaseMs, defaultMaxAttempts } from "./queue.ts";
import type { Setting } from "./setting.ts";

interface DurableTerms extends LoanTerms {
  readonly filter: string | undefined;
}

/**
 * A position in a log that its members share: entries are lent as letters of a mailbox are. Where retention overtakes it,
 * it goes on with what is left.
 */
export class Durable implements LetterHome {
  readonly what: string;
  readonly terms: DurableTerms;
  readonly ledger: Ledger;
  readonly #setting: Setting;
  readonly #log: string;
  readonly #entries: Entries;
  readonly #wants: Filter;
  /** The first entry that was not looked at. */
  #next: number;

  constructor(setting: Setting, log: string, entries: Entries, spec: DurableSpec, start: number) {
    this.#setting = setting;
    this.#log = log;
    this.what = `the durable ${spec.durable} of the log ${log}`;
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
      if (this.#wants(entry.subject)) return new Letter(this.#spec(entry), entry.seq);
    }
    return undefined;
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

  gone(): void {}

  /** Its body was kept with the dead letter, so that it is delivered even where the log no longer holds it. */
  revive(dead: Letter): void {
    const letter = new Letter(dead.spec, dead.order);
    letter.revived = true;
    this.ledger.offer(letter);
  }

  #spec({ id, seq, time, subject, headers, contentType, body }: StoredEntry): LetterSpec {
    return { id: id ?? `${this.#log}-${seq}`, sentAt: time, seq, subject, headers, contentType, body };
  }
}
