import type { BusError, Failure, FetchRequest, Leased, RedriveRequest, Settled, Settlement } from "@quadrant/contract";
import { Chain, type Link } from "./chain.ts";
import { DeadLetters } from "./dead-letters.ts";
import { Heap } from "./heap.ts";
import type { Letter } from "./letter.ts";
import type { Owner } from "./owner.ts";
import { Pending } from "./pending.ts";
import type { Setting } from "./setting.ts";

export interface LoanTerms {
  readonly leaseMs: number;
  readonly maxAttempts: number;
}

/** Where the letters of a ledger live: a queue, or a durable of a log. */
export interface LetterHome {
  /** For messages: "the mailbox orders". */
  readonly what: string;
  readonly terms: LoanTerms;
  /** The next letter that was never offered, where there is one: a durable reads on in its log. */
  fresh(): Letter | undefined;
  /** About how many such there are. */
  unread(): number;
  /** Whether the letter may be delivered again: it has not expired, and its log still holds it. */
  isAlive(letter: Letter): boolean;
  /** Its delay is over, or it came back: offer it, unless something is before it. */
  admit(letter: Letter): void;
  /** It was acknowledged, has died, or may not be delivered again. */
  gone(letter: Letter): void;
  /** A dead letter is to be delivered as if it were new. */
  revive(letter: Letter): void;
}

interface Fetcher {
  readonly pending: Pending<readonly Leased[]>;
  readonly owner: Owner;
  readonly request: FetchRequest;
}

/**
 * Lends letters: each loan has a lease, a token that names it (the fence), and an attempt number. The one machine behind
 * mailboxes and durables. Letters are lent in their order; those that come back are lent again before later ones.
 */
export class Ledger {
  readonly dead: DeadLetters = new DeadLetters();
  readonly #setting: Setting;
  readonly #home: LetterHome;
  readonly #held = new Map<string, Letter>();
  readonly #delayed = new Set<Letter>();
  readonly #ready = new Heap<Letter>((a, b) => a.order < b.order);
  readonly #fetchers = new Chain<Fetcher>();

  constructor(setting: Setting, home: LetterHome) {
    this.#setting = setting;
    this.#home = home;
  }

  get held(): number {
    return this.#held.size;
  }

  get delayed(): number {
    return this.#delayed.size;
  }

  get fetchers(): number {
    return this.#fetchers.size;
  }

  /** The letter can be lent from now on. `dispatch` when all are offered. */
  offer(letter: Letter): void {
    letter.state = "waiting";
    this.#ready.push(letter);
  }

  postpone(letter: Letter, until: number): void {
    letter.state = "delayed";
    this.#delayed.add(letter);
    letter.timer = this.#setting.timers.add(until, () => {
      letter.timer = undefined;
      this.#delayed.delete(letter);
      this.#home.admit(letter);
      this.dispatch();
    });
  }

  /** Takes a letter that is not held out of the ledger. */
  withdraw(letter: Letter): void {
    if (letter.state === "waiting") this.#ready.remove(letter);
    if (this.#delayed.delete(letter)) {
      this.#setting.timers.cancel(letter.timer);
      letter.timer = undefined;
    }
    letter.state = "gone";
    this.#home.gone(letter);
  }

  fetch(owner: Owner, request: FetchRequest): Promise<readonly Leased[]> {
    if (request.signal?.aborted) return Promise.resolve([]);
    const taken = this.#lendUpTo(request.max, request.leaseMs, owner);
    if (taken.length > 0) return Promise.resolve(taken);
    let link: Link<Fetcher> | undefined;
    const pending = new Pending<readonly Leased[]>(this.#setting, owner, {
      what: `a fetch from ${this.#home.what}`,
      signal: request.signal,
      onAbort: () => [],
      onEnd: () => link?.leave(),
    });
    link = this.#fetchers.append({ pending, owner, request });
    return pending.promise;
  }

  /** Gives what is ready to those who wait: the longest-waiting first, each its share. */
  dispatch(): void {
    for (let first = this.#fetchers.first; first !== undefined; first = this.#fetchers.first) {
      const { pending, owner, request } = first.value;
      const share = Math.ceil((this.#ready.size + this.#home.unread()) / this.#fetchers.size);
      const taken = this.#lendUpTo(Math.min(request.max, Math.max(1, share)), request.leaseMs, owner);
      if (taken.length === 0) return;
      pending.resolve(taken);
    }
  }

  settle(owner: Owner, settlements: readonly Settlement[]): Settled[] {
    const outcomes = settlements.map((settlement) => this.#settleOne(owner, settlement));
    this.dispatch();
    return outcomes;
  }

  redrive(request: RedriveRequest): number {
    const revived = this.dead.revive(request);
    for (const letter of revived) this.#home.revive(letter);
    this.dispatch();
    return revived.length;
  }

  /** All leases are stale from now on, and all who wait are told. */
  destroy(error: BusError): void {
    for (const letter of this.#held.values()) this.#endLoan(letter);
    for (const letter of this.#delayed) this.#setting.timers.cancel(letter.timer);
    for (const { pending } of this.#fetchers) pending.end(error);
  }

  stale(): BusError {
    return this.#setting.fault(
      "stale",
      `the lease was lost before settling: ${this.#home.what} has lent the letter anew or let it go`,
    );
  }

  #settleOne(owner: Owner, settlement: Settlement): Settled {
    const letter = this.#held.get(settlement.token);
    if (letter === undefined) return this.stale();
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
    while (taken.length < max) {
      // What came back is older than what was never lent.
      const letter = this.#ready.pop() ?? this.#home.fresh();
      if (letter === undefined) break;
      if (!this.#home.isAlive(letter)) this.#finish(letter);
      else taken.push(this.#lend(letter, leaseMs ?? this.#home.terms.leaseMs, owner));
    }
    return taken;
  }

  #lend(letter: Letter, leaseMs: number, owner: Owner): Leased {
    letter.state = "held";
    letter.attempt++;
    letter.token = this.#setting.token();
    letter.owner = owner;
    letter.lapse ??= () => {
      this.#endLoan(letter);
      this.#failed(letter, 0, undefined);
      this.dispatch();
    };
    letter.timer = this.#setting.timers.add(this.#setting.now() + leaseMs, letter.lapse);
    owner.loans.add(letter.lapse);
    this.#held.set(letter.token, letter);
    return letter.leased();
  }

  #extend(letter: Letter, owner: Owner, leaseMs: number): void {
    // A holder that has reconnected has a new session.
    if (letter.owner !== owner) {
      letter.owner?.loans.delete(letter.lapse!);
      letter.owner = owner;
      owner.loans.add(letter.lapse!);
    }
    this.#setting.timers.move(letter.timer!, this.#setting.now() + leaseMs);
  }

  #endLoan(letter: Letter): void {
    this.#held.delete(letter.token);
    this.#setting.timers.cancel(letter.timer);
    letter.timer = undefined;
    letter.owner?.loans.delete(letter.lapse!);
    letter.owner = undefined;
    letter.token = "";
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
    else this.#home.admit(letter);
  }

  #bury(letter: Letter, failure: Failure): void {
    this.dead.add(letter, this.#setting.stamp(), failure);
    this.#finish(letter);
  }

  #finish(letter: Letter): void {
    letter.state = "gone";
    letter.lapse = undefined;
    this.#home.gone(letter);
  }
}
