import {
  type BusError,
  type Failure,
  type FetchRequest,
  IdTable,
  type Leased,
  type RedriveRequest,
  type Settled,
  type Settlement,
} from "@quadrant/contract";
import { DeadLetters } from "./dead-letters.ts";
import { FetchLine } from "./fetch-line.ts";
import { Heap } from "./heap.ts";
import { Leases } from "./lease-line.ts";
import { Lent, type Letter } from "./letter.ts";
import type { LetterHome } from "./letter-home.ts";
import type { Standing } from "./loan.ts";
import { LoanRows } from "./loan-rows.ts";
import type { Owner } from "./owner.ts";
import type { Setting } from "./setting.ts";

/**
 * Lends letters: each loan has a lease, a token that names it (the fence), and an attempt number. The one machine behind
 * mailboxes and durables. Letters are lent in their order; those that come back are lent again before later ones.
 */
export class Ledger {
  readonly dead: DeadLetters;
  readonly #setting: Setting;
  readonly #home: LetterHome;
  readonly #held = new IdTable<Letter>();
  readonly #delayed = new Set<Letter>();
  readonly #leases: Leases;
  readonly #rows: LoanRows;
  /** What came back: all of it was sent before what was never lent. */
  readonly #ready = new Heap<Letter>((a, b) => a.order < b.order);
  readonly #fetches: FetchLine;

  constructor(setting: Setting, home: LetterHome) {
    this.#setting = setting;
    this.#home = home;
    this.dead = new DeadLetters(setting, home);
    this.#rows = new LoanRows(setting, home);
    this.#fetches = new FetchLine(setting, {
      what: home.what,
      ready: () => this.#ready.size + home.unread(),
      lend: (max, leaseMs, owner) => this.#lendUpTo(max, leaseMs, owner),
    });
    this.#leases = new Leases(setting, (letter) => this.#lapsed(letter));
  }

  get held(): number {
    return this.#held.size;
  }

  get delayed(): number {
    return this.#delayed.size;
  }

  get fetchers(): number {
    return this.#fetches.size;
  }

  /** The letter can be lent from now on. `dispatch` when all are offered. */
  offer(letter: Letter): void {
    letter.state = "waiting";
    this.#ready.push(letter);
  }

  postpone(letter: Letter, until: number): void {
    letter.state = "delayed";
    letter.until = until;
    this.#delayed.add(letter);
    letter.delay = this.#setting.timers.add(until, () => {
      letter.delay = undefined;
      this.#delayed.delete(letter);
      this.#home.admit(letter);
      this.dispatch();
    });
    // The sender's own delay is kept with the letter.
    if (letter.attempt > 0) this.#rows.keep(letter);
  }

  /** Takes a letter that is not held out of the ledger. */
  withdraw(letter: Letter): void {
    if (letter.state === "waiting") {
      if (letter.slot === -1) this.#home.passOver(letter);
      else this.#ready.remove(letter);
    } else if (this.#delayed.delete(letter)) {
      this.#setting.timers.cancel(letter.delay);
      letter.delay = undefined;
    }
    letter.state = "gone";
    this.#rows.forget(letter);
    this.#home.gone(letter);
  }

  fetch(owner: Owner, request: FetchRequest): readonly Leased[] | Promise<readonly Leased[]> {
    if (request.signal?.aborted) return [];
    this.#fetches.catchUp();
    const taken = this.#lendUpTo(request.max, request.leaseMs, owner);
    return taken.length > 0 ? taken : this.#fetches.wait(owner, request);
  }

  /** Gives what is ready to those who wait. */
  dispatch(): void {
    this.#fetches.serve();
  }

  /** As `dispatch`, once what is done in this turn is done, and still in time for its commit. */
  dispatchTogether(): void {
    this.#fetches.serveTogether();
  }

  settle(owner: Owner, settlements: readonly Settlement[]): Settled[] {
    const outcomes = settlements.map((settlement) => this.#settleOne(owner, settlement));
    this.dispatch();
    return outcomes;
  }

  /** As `settle`, of one that is acknowledged, by whom it was lent to. */
  acknowledge(owner: Owner, leased: Leased): Settled {
    if (!(leased instanceof Lent)) return this.settle(owner, [{ kind: "ack", token: leased.token }])[0];
    const { letter } = leased;
    if (letter.line?.leases !== this.#leases || letter.serial !== leased.serial) return this.stale();
    this.#endLoan(letter);
    this.#finish(letter);
    this.dispatch();
    return undefined;
  }

  redrive(request: RedriveRequest): number {
    const revived = this.dead.revive(request);
    for (const letter of revived) this.#home.revive(letter);
    this.dispatch();
    return revived.length;
  }

  /** All leases are stale from now on, and all who wait are told. */
  destroy(error: BusError): void {
    for (const letter of this.#held.values()) {
      this.#endLoan(letter);
      this.#rows.forget(letter);
    }
    for (const letter of this.#delayed) {
      this.#setting.timers.cancel(letter.delay);
      this.#rows.forget(letter);
    }
    for (const letter of this.#ready.values()) this.#rows.forget(letter);
    this.dead.clear();
    this.#fetches.end(error);
  }

  stale(): BusError {
    return this.#setting.fault(
      "stale",
      `the lease was lost before settling: ${this.#home.what} has lent the letter anew or let it go`,
    );
  }

  #settleOne(owner: Owner, settlement: Settlement): Settled {
    const { token } = settlement;
    const letter = this.#held.get(this.#setting.serialOf(token));
    if (letter === undefined || this.#setting.token(letter.serial) !== token) return this.stale();
    switch (settlement.kind) {
      case "extend":
        this.#extend(letter, owner, settlement.leaseMs);
        return undefined;
      case "ack":
        this.#endLoan(letter);
        this.#finish(letter);
        return undefined;
      case "reject":
        this.#endLoan(letter);
        this.#bury(letter, settlement.failure);
        return undefined;
      case "release":
        this.#endLoan(letter);
        letter.attempt--;
        this.#putBack(letter, 0);
        return undefined;
      case "nak":
        this.#endLoan(letter);
        this.#failed(letter, settlement.delayMs, settlement.failure);
        return undefined;
    }
  }

  #lendUpTo(max: number, leaseMs: number | undefined, owner: Owner): Leased[] {
    const taken: Leased[] = [];
    const now = this.#setting.now();
    while (taken.length < max) {
      // What came back is older than what was never lent.
      const letter = this.#ready.pop() ?? this.#home.fresh();
      if (letter === undefined) break;
      if (!this.#home.isAlive(letter)) this.#finish(letter);
      else taken.push(this.#lend(letter, now, leaseMs ?? this.#home.terms.leaseMs, owner));
    }
    return taken;
  }

  #lend(letter: Letter, now: number, leaseMs: number, owner: Owner): Leased {
    letter.attempt++;
    letter.serial = this.#setting.serial();
    letter.state = "held";
    this.#leases.begin(letter, now, leaseMs);
    this.#held.set(letter.serial, letter);
    letter.owner = owner;
    owner.loans.add(letter);
    this.#rows.keep(letter);
    return new Lent(letter, this.#setting.epoch);
  }

  /** Its lease has ended unsettled. */
  #lapsed(letter: Letter): void {
    this.#endLoan(letter);
    this.#failed(letter, 0, undefined);
    this.dispatch();
  }

  #extend(letter: Letter, owner: Owner, leaseMs: number): void {
    // A holder that has reconnected has a new session.
    if (letter.owner !== owner) {
      letter.owner?.loans.delete(letter);
      letter.owner = owner;
      owner.loans.add(letter);
    }
    this.#leases.end(letter);
    this.#leases.begin(letter, this.#setting.now(), leaseMs);
    this.#rows.keep(letter);
  }

  #endLoan(letter: Letter): void {
    this.#held.delete(letter.serial);
    this.#leases.end(letter);
    letter.owner?.loans.delete(letter);
    letter.owner = undefined;
  }

  #failed(letter: Letter, delayMs: number, failure: Failure | undefined): void {
    if (letter.attempt < this.#home.terms.maxAttempts) this.#putBack(letter, delayMs);
    else this.#bury(letter, failure ?? this.#exhausted(letter));
  }

  #exhausted(letter: Letter): Failure {
    return { code: "attempts", message: `not acknowledged in ${letter.attempt} attempts` };
  }

  #putBack(letter: Letter, delayMs: number): void {
    if (!this.#home.isAlive(letter)) this.#finish(letter);
    else if (delayMs > 0) this.postpone(letter, this.#setting.now() + delayMs);
    else {
      this.#home.admit(letter);
      this.#rows.keep(letter);
    }
  }

  #bury(letter: Letter, failure: Failure): void {
    this.dead.add(letter, this.#setting.stamp(), failure);
    this.#finish(letter);
  }

  #finish(letter: Letter): void {
    letter.state = "gone";
    this.#rows.forget(letter);
    this.#home.gone(letter);
  }

  // ---- what outlives the engine

  /** Where a letter stood when the engine ended: lent, delayed, or back. `row`: of its loan, where that has one. */
  restore(letter: Letter, stood: Standing, row: number = 0): void {
    if (row !== 0) this.#rows.restore(letter, row);
    letter.attempt = stood.attempt;
    if (stood.token !== "") {
      letter.serial = this.#setting.serialOf(stood.token);
      letter.state = "held";
      this.#leases.resume(letter, stood.until!);
      this.#held.set(letter.serial, letter);
    } else if (stood.until === undefined) this.#home.admit(letter);
    else this.postpone(letter, stood.until);
  }
}
