import type { BusError, PeekedLetter, QueueInfo, QueueLetter, QueueOptions, SendOutcome } from "@quadrant/contract";
import { assertSame } from "./catalog.ts";
import { Chain } from "./chain.ts";
import { DedupeWindow } from "./dedupe-window.ts";
import { Lane } from "./lane.ts";
import { Ledger, type LetterHome, type LoanTerms } from "./ledger.ts";
import { Letter } from "./letter.ts";
import type { Setting } from "./setting.ts";

export const defaultLeaseMs: number = 30_000;
export const defaultMaxAttempts: number = 5;

interface QueueTerms extends LoanTerms {
  readonly capacity: number | undefined;
}

/** One mailbox: its letters in the order they were sent, until each is settled. */
export class Queue implements LetterHome {
  readonly address: string;
  readonly terms: QueueTerms;
  readonly ledger: Ledger;
  readonly #setting: Setting;
  /** All that are not settled, held and delayed ones included. */
  readonly #letters = new Chain<Letter>();
  readonly #lanes = new Map<string, Lane>();
  readonly #ids: DedupeWindow<true>;
  #order = 0;

  constructor(setting: Setting, address: string, options: QueueOptions) {
    this.#setting = setting;
    this.address = address;
    this.terms = {
      leaseMs: options.leaseMs ?? defaultLeaseMs,
      maxAttempts: options.maxAttempts ?? defaultMaxAttempts,
      capacity: options.capacity,
    };
    this.ledger = new Ledger(setting, this);
    this.#ids = new DedupeWindow(setting);
  }

  get what(): string {
    return `the mailbox ${this.address}`;
  }

  assertSame(options: QueueOptions): void {
    assertSame(this.#setting, this.what, this.terms, options);
  }

  send(letters: readonly QueueLetter[]): SendOutcome[] {
    const outcomes = letters.map((letter) => this.#sendOne(letter));
    this.ledger.dispatch();
    return outcomes;
  }

  info(): QueueInfo {
    const { held, delayed, dead } = this.ledger;
    return { waiting: this.#letters.size - held - delayed, held, delayed, dead: dead.size };
  }

  peek(limit: number): PeekedLetter[] {
    const peeked: PeekedLetter[] = [];
    for (const letter of this.#letters) {
      if (peeked.length >= limit) break;
      peeked.push(letter.peeked());
    }
    return peeked;
  }

  purge(): number {
    let purged = 0;
    for (const letter of this.#letters) {
      if (letter.state === "held") continue;
      this.ledger.withdraw(letter);
      purged++;
    }
    return purged;
  }

  destroy(error: BusError): void {
    for (const letter of this.#letters) this.#setting.timers.cancel(letter.expiry);
    this.ledger.destroy(error);
  }

  // ---- the home of the letters that the ledger lends

  fresh(): undefined {
    return undefined;
  }

  unread(): number {
    return 0;
  }

  isAlive(letter: Letter): boolean {
    return letter.expiresAt === Number.POSITIVE_INFINITY || letter.expiresAt > this.#setting.now();
  }

  admit(letter: Letter): void {
    if (letter.lane === undefined || letter.lane.head === letter) this.ledger.offer(letter);
    else letter.state = "blocked";
  }

  gone(letter: Letter): void {
    letter.place?.leave();
    this.#setting.timers.cancel(letter.expiry);
    letter.expiry = undefined;
    const lane = letter.lane;
    if (lane === undefined) return;
    letter.laneLink?.leave();
    letter.lane = undefined;
    const next = lane.head;
    if (next === undefined) this.#lanes.delete(lane.key);
    else if (next.state === "blocked") this.ledger.offer(next);
  }

  revive(dead: Letter): void {
    this.#enqueue(new Letter(dead.spec, this.#order++, dead.key), undefined, undefined);
  }

  // ----

  #sendOne(sent: QueueLetter): SendOutcome {
    if (sent.dedupe && this.#ids.find(sent.id) !== undefined) return { duplicate: true };
    const { capacity } = this.terms;
    if (capacity !== undefined && this.#letters.size - this.ledger.held >= capacity) {
      return {
        error: this.#setting.fault(
          "overflow",
          `${this.what} is full: ${capacity} letters wait (capacity); send again when some have been handled`,
        ),
      };
    }
    if (sent.dedupe) this.#ids.add(sent.id, true);
    const { id, headers, contentType, body, key, delayMs, ttlMs } = sent;
    const spec = { id, subject: this.address, headers, contentType, body, sentAt: this.#setting.stamp() };
    this.#enqueue(new Letter(spec, this.#order++, key), delayMs, ttlMs);
    return { duplicate: false };
  }

  #enqueue(letter: Letter, delayMs: number | undefined, ttlMs: number | undefined): void {
    letter.place = this.#letters.append(letter);
    if (letter.key !== undefined) this.#join(letter, letter.key);
    if (ttlMs !== undefined && ttlMs !== Number.POSITIVE_INFINITY) {
      letter.expiresAt = this.#setting.now() + ttlMs;
      // A held letter that expires is looked at when it comes back.
      letter.expiry = this.#setting.timers.add(letter.expiresAt, () => {
        if (letter.state === "held" || letter.state === "gone") return;
        this.ledger.withdraw(letter);
        this.ledger.dispatch();
      });
    }
    if (delayMs !== undefined && delayMs > 0) this.ledger.postpone(letter, this.#setting.now() + delayMs);
    else this.admit(letter);
  }

  #join(letter: Letter, key: string): void {
    let lane = this.#lanes.get(key);
    if (lane === undefined) {
      lane = new Lane(key);
      this.#lanes.set(key, lane);
    }
    letter.lane = lane;
    letter.laneLink = lane.letters.append(letter);
  }
}
