import type { BusError, PeekedLetter, QueueInfo, QueueLetter, QueueOptions, SendOutcome } from "@quadrant/contract";
import { assertSame } from "./catalog.ts";
import { DedupeWindow } from "./dedupe-window.ts";
import { Lane } from "./lane.ts";
import { Ledger } from "./ledger.ts";
import { encodeLetter, Letter, letterOf, readSpec } from "./letter.ts";
import type { LetterHome, LoanTerms } from "./letter-home.ts";
import { LetterLine } from "./letter-line.ts";
import { bytesOf, sizeOf } from "./letter-size.ts";
import { encodeStanding, readStanding, type Standing } from "./loan.ts";
import { RowKind, type RowReader, type RowWriter } from "./row.ts";
import type { Setting } from "./setting.ts";

export const defaultLeaseMs: number = 30_000;
export const defaultMaxAttempts: number = 5;

interface QueueTerms extends LoanTerms {
  readonly capacity: number | undefined;
}

const accepted: SendOutcome = Object.freeze({ duplicate: false });
const duplicate: SendOutcome = Object.freeze({ duplicate: true });

/** A letter that was there when the engine ended, and where it stood, as far as that is kept with it. */
export interface RestoredLetter {
  readonly letter: Letter;
  readonly standing: Standing;
}

/** Up to this size a letter is written anew when it is lent, instead of a row beside it. */
const smallBytes = 1_024;

/** One mailbox: its letters in the order they were sent, until each is settled. */
export class Queue implements LetterHome {
  row = 0;
  readonly address: string;
  readonly terms: QueueTerms;
  readonly ledger: Ledger;
  readonly #setting: Setting;
  /** All that are not settled, held and delayed ones included. */
  readonly #letters = new LetterLine();
  /** The first that was not looked at to be lent; those behind it were not either. What is before it and waits is offered. */
  #fresh: Letter | undefined;
  /** How many from there on can be lent. */
  #unread = 0;
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
    this.#ids = new DedupeWindow(setting, this);
  }

  get what(): string {
    return `the mailbox ${this.address}`;
  }

  assertSame(options: QueueOptions): void {
    assertSame(this.#setting, this.what, this.terms, options);
  }

  send(letters: readonly QueueLetter[]): SendOutcome[] {
    if (this.#setting.commits !== undefined) {
      this.#setting.commits.reserve(letters.reduce((sum, letter) => sum + sizeOf(letter), 0));
    }
    const now = this.#setting.now();
    const outcomes = letters.map((letter) => this.#sendOne(letter, now));
    this.ledger.dispatch();
    return outcomes;
  }

  /** As `send`, of one of many that are sent in this turn: those who wait get them together, at the end of it. */
  sendSingly(letter: QueueLetter, now: number): SendOutcome {
    this.#setting.commits?.reserve(sizeOf(letter));
    this.ledger.dispatchTogether();
    return this.#sendOne(letter, now);
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
    this.ledger.destroy(error);
    for (const letter of this.#letters) {
      this.#setting.timers.cancel(letter.peculiar?.expiry);
      this.#setting.commits?.drop(letter);
    }
    this.#ids.clear();
  }

  // ---- the home of the letters that the ledger lends

  fresh(): Letter | undefined {
    while (this.#unread > 0) {
      const letter = this.#fresh!;
      this.#fresh = letter.next;
      if (letter.state !== "waiting") continue;
      this.#unread--;
      return letter;
    }
    return undefined;
  }

  unread(): number {
    return this.#unread;
  }

  isAlive(letter: Letter): boolean {
    return letter.peculiar === undefined || letter.expiresAt > this.#setting.now();
  }

  admit(letter: Letter): void {
    const lane = letter.peculiar?.lane;
    if (lane === undefined || lane.head === letter) this.#offer(letter);
    else letter.state = "blocked";
  }

  passOver(): void {
    this.#unread--;
  }

  gone(letter: Letter): void {
    if (letter === this.#fresh) this.#fresh = letter.next;
    this.#letters.remove(letter);
    this.#setting.commits?.drop(letter);
    const { peculiar } = letter;
    if (peculiar === undefined) return;
    this.#setting.timers.cancel(peculiar.expiry);
    peculiar.expiry = undefined;
    const { lane } = peculiar;
    if (lane === undefined) return;
    peculiar.laneLink?.leave();
    peculiar.lane = undefined;
    const next = lane.head;
    if (next === undefined) this.#lanes.delete(lane.key);
    else if (next.state === "blocked") this.#offer(next);
  }

  keep(letter: Letter): boolean {
    const commits = this.#setting.commits!;
    if (letter.loan !== undefined) return false;
    if (bytesOf(letter.content) > smallBytes && !commits.isFresh(letter)) return false;
    commits.put(letter, this.#encodeLetter);
    return true;
  }

  revive(dead: Letter): void {
    const letter = new Letter(dead.content, dead.subject, dead.sentAt, this.#order++, undefined);
    if (dead.key !== undefined) letter.peculiarities().key = dead.key;
    this.#enqueue(letter);
  }

  // ----

  #sendOne(sent: QueueLetter, now: number): SendOutcome {
    if (sent.dedupe && this.#ids.find(sent.id) !== undefined) return duplicate;
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
    const { key, delayMs = 0, ttlMs = Number.POSITIVE_INFINITY } = sent;
    const letter = new Letter(sent, this.address, Math.floor(now), this.#order++, undefined);
    if (key !== undefined || delayMs > 0 || ttlMs !== Number.POSITIVE_INFINITY) {
      const peculiar = letter.peculiarities();
      peculiar.key = key;
      if (delayMs > 0) peculiar.notBefore = now + delayMs;
      peculiar.expiresAt = now + ttlMs;
    }
    this.#enqueue(letter);
    return accepted;
  }

  #enqueue(letter: Letter): void {
    this.#place(letter);
    this.#watch(letter);
    this.#setting.commits?.put(letter, this.#encodeLetter);
    const notBefore = letter.peculiar?.notBefore ?? 0;
    if (notBefore > 0) this.ledger.postpone(letter, notBefore);
    else this.admit(letter);
  }

  /** It can be lent: found where it stands, or, once that was passed, offered. */
  #offer(letter: Letter): void {
    if (this.#fresh === undefined || letter.order < this.#fresh.order) this.ledger.offer(letter);
    else {
      letter.state = "waiting";
      this.#unread++;
    }
  }

  #place(letter: Letter): void {
    this.#letters.append(letter);
    this.#fresh ??= letter;
    const key = letter.peculiar?.key;
    if (key !== undefined) this.#join(letter, key);
  }

  /** Ends it when it expires. */
  #watch(letter: Letter): void {
    const { peculiar } = letter;
    if (peculiar === undefined || peculiar.expiresAt === Number.POSITIVE_INFINITY) return;
    // A held letter that expires is looked at when it comes back.
    peculiar.expiry = this.#setting.timers.add(peculiar.expiresAt, () => {
      if (letter.state === "held" || letter.state === "gone") return;
      this.ledger.withdraw(letter);
      this.ledger.dispatch();
    });
  }

  #join(letter: Letter, key: string): void {
    let lane = this.#lanes.get(key);
    if (lane === undefined) {
      lane = new Lane(key);
      this.#lanes.set(key, lane);
    }
    const peculiar = letter.peculiarities();
    peculiar.lane = lane;
    peculiar.laneLink = lane.letters.append(letter);
  }

  // ---- what outlives the engine

  readonly #encodeLetter = (letter: Letter, rows: RowWriter): void => {
    rows.begin(letter.row, RowKind.letter).whole(this.row).number(letter.order).optionalText(letter.key);
    rows.number(letter.peculiar?.notBefore ?? 0).number(letter.expiresAt);
    encodeStanding(letter, this.#setting, rows);
    encodeLetter(letter, rows).end();
  };

  /** Offered by `admitRestored`, or with a loan of its own by `lendRestored`: until then it does not expire either. */
  restore(row: number, reader: RowReader): RestoredLetter {
    const order = reader.number();
    const key = reader.optionalText();
    const notBefore = reader.number();
    const expiresAt = reader.number();
    const standing = readStanding(reader);
    const letter = letterOf(readSpec(reader), order);
    letter.row = row;
    if (key !== undefined || notBefore > 0 || expiresAt !== Number.POSITIVE_INFINITY) {
      Object.assign(letter.peculiarities(), { key, notBefore, expiresAt });
    }
    this.#order = Math.max(this.#order, order + 1);
    this.#place(letter);
    return { letter, standing };
  }

  /** A restored letter whose loan is on a row of its own. */
  lendRestored(letter: Letter, loan: Standing, row: number): void {
    this.#watch(letter);
    this.ledger.restore(letter, loan, row);
  }

  /** A restored letter whose loan is kept with it. */
  admitRestored({ letter, standing }: RestoredLetter): void {
    this.#watch(letter);
    if (standing.attempt > 0) this.ledger.restore(letter, standing);
    else if ((letter.peculiar?.notBefore ?? 0) > this.#setting.now()) {
      this.ledger.postpone(letter, letter.peculiar!.notBefore);
    } else this.admit(letter);
  }

  restoreId(row: number, id: string, time: number): void {
    this.#ids.restore(row, id, true, time);
  }
}
