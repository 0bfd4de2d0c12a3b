import {
  afterTurn,
  type BusError,
  type Context,
  Feed,
  type Leased,
  type LoanOptions,
  type LoanSource,
  type Opened,
  type Opening,
  openEnvelope,
  Roster,
  tellInvalid,
} from "@quadrant/contract";
import { failureOf } from "./failure.ts";
import { Fetcher } from "./fetcher.ts";
import { LeaseClock } from "./lease-clock.ts";
import { LeasedLetter, type Lender, Loan, type Term } from "./loan.ts";
import { type Settlements, settlementsOf } from "./settlements.ts";

export const defaultMaxInFlight: number = 16;

const accepted: Promise<void> = Promise.resolve();

/**
 * Fetches letters ahead of the iterator, keeps their leases alive, settles them in batches. What waits here unread when
 * it ends, or pauses, is given back as if nobody had seen it.
 */
export class Receiver<T> implements Lender {
  readonly feed: Feed<LeasedLetter<T>, Loan>;
  readonly #context: Context;
  readonly #source: LoanSource;
  readonly #options: LoanOptions<T>;
  readonly leaseMs: number;
  readonly settlements: Settlements;
  readonly #ahead: boolean;
  readonly #maxInFlight: number;
  readonly #clock: LeaseClock;
  readonly #fetcher: Fetcher;
  readonly #opening: Opening<T, Opened<LeasedLetter<T>>, Loan>;
  /** Unread ones, those with the user, those being settled. */
  readonly #held = new Roster<Loan>();
  #state: "open" | "draining" | "closed" = "open";
  #paused = false;
  #pumping = false;
  readonly #drained: PromiseWithResolvers<void> = Promise.withResolvers<void>();
  readonly #closed: PromiseWithResolvers<void> = Promise.withResolvers<void>();

  constructor(context: Context, source: LoanSource, options: LoanOptions<T>) {
    this.#context = context;
    this.#source = source;
    this.#options = options;
    this.leaseMs = options.leaseMs ?? source.leaseMs;
    this.#ahead = options.autoExtend ?? true;
    this.#maxInFlight = options.maxInFlight ?? defaultMaxInFlight;
    this.settlements = settlementsOf(context, source);
    const renew = (loans: readonly Loan[]): void => void this.#renew(loans);
    this.#clock = new LeaseClock(this.leaseMs, this.#held, this.#ahead ? renew : undefined);
    this.#fetcher = new Fetcher(source, this.leaseMs, {
      accept: (letters) => this.#accept(letters),
      ready: () => this.#pump(),
      fail: (error) => this.#fail(error),
    });
    this.#opening = {
      bodies: context.bodies,
      schema: options.schema,
      value: (data, loan) => this.#hand(loan, data),
      refused: (data, error, loan) => this.#refuse(loan, data, error),
    };
    this.feed = new Feed({
      open: (loan) => this.#open(loan),
      onEnd: (unread) => this.#onEnd(unread),
      onLeave: () => this.#drained.resolve(),
      onWant: () => this.#pump(),
      signal: options.signal,
    });
    this.#pump();
  }

  get what(): string {
    return this.#source.what;
  }

  /** Whether the subscription has closed. */
  get closed(): boolean {
    return this.#state === "closed";
  }

  /** Resolves once the subscription has closed. */
  get whenClosed(): Promise<void> {
    return this.#closed.promise;
  }

  assertOpen(): void {
    this.#context.assertOpen();
  }

  // -- intake

  #pump(): void {
    if (this.#state !== "open" || this.#paused || this.#fetcher.busy) return;
    const free = this.#maxInFlight - this.#held.size;
    if (free <= 0) return;
    if (this.#ahead) {
      // The store is filled up when half of it is gone, not letter by letter.
      if (this.feed.size * 2 <= this.#maxInFlight) this.#fetcher.start(free);
    } else if (this.feed.hungry) this.#fetcher.start(1);
  }

  /** Keeps the letters for the iterator; resolves once those that it will not get are given back. */
  #accept(letters: readonly Leased[]): Promise<void> {
    const now = performance.now();
    const term: Term = { expiresAt: now + this.leaseMs, renewAt: now + this.leaseMs / 3 };
    const loans = letters.map((leased) => new Loan(this, leased, term));
    for (const loan of loans) this.#held.add(loan);
    if (this.#state !== "open" || this.#paused) return this.#release(loans);
    // All leases end at the same time.
    if (loans.length > 0) this.#clock.watch(loans[0]!);
    for (const loan of loans) this.feed.push(loan);
    return accepted;
  }

  #fail(error: BusError): void {
    if (this.#state !== "open") return;
    void this.#release(this.#unread());
    void this.feed.end(error);
  }

  /** Those that wait for the iterator, taken out. */
  #unread(): readonly Loan[] {
    const unread: Loan[] = [];
    while (this.feed.size > 0) unread.push(this.feed.shift()!);
    return unread;
  }

  // -- handing over

  #open(loan: Loan): Opened<LeasedLetter<T>> | Promise<Opened<LeasedLetter<T>>> {
    if (loan.lost) return undefined;
    return openEnvelope(loan.leased, this.#opening, loan);
  }

  #hand(loan: Loan, data: T): Opened<LeasedLetter<T>> {
    if (this.closed) void this.#release([loan]);
    return loan.held ? { value: new LeasedLetter(loan, data), done: false } : undefined;
  }

  /** Trying again would not help: to the dead letters. */
  #refuse(loan: Loan, data: unknown, error: BusError): undefined {
    if (!loan.held) return;
    void loan.settle({ kind: "reject", token: loan.leased.token, failure: failureOf(error) });
    const { invalid } = this.#options;
    if (invalid !== undefined) tellInvalid(invalid, loan.leased, data, error);
  }

  // -- what was lent

  /** A mailbox in this process is asked itself. */
  isOver(loan: Loan): boolean {
    return this.#source.local === undefined && performance.now() >= loan.expiresAt;
  }

  settling(loan: Loan): void {
    this.#clock.forget(loan);
  }

  returned(loan: Loan): void {
    this.#clock.forget(loan);
    this.#drop(loan);
  }

  lapsing(loan: Loan): void {
    this.#clock.lapsing(loan);
    this.#drop(loan);
  }

  extended(loan: Loan): void {
    if (this.#held.has(loan)) this.#clock.watch(loan);
  }

  #drop(loan: Loan): void {
    if (!this.#held.delete(loan)) return;
    if (this.#held.size === 0) {
      this.#clock.rest();
      if (this.#state === "draining") this.#drained.resolve();
    }
    if (!this.#pumping) this.#pumpAfterTurn();
  }

  /** Letters are settled many at a time: the room that they leave is filled by one fetch. */
  #pumpAfterTurn(): void {
    this.#pumping = true;
    afterTurn(() => {
      this.#pumping = false;
      this.#pump();
    });
  }

  async #renew(loans: readonly Loan[]): Promise<void> {
    const began = performance.now();
    const batch = loans.map((loan) => ({ kind: "extend" as const, token: loan.leased.token, leaseMs: this.leaseMs }));
    const results = await this.settlements.carryMany(batch).catch(() => undefined);
    const failed: Loan[] = [];
    for (const [index, loan] of loans.entries()) {
      if (!loan.held) continue;
      const refused = results?.[index];
      if (refused?.code === "stale") loan.lose();
      else if (results === undefined || refused !== undefined) failed.push(loan);
      else loan.renewed(began);
    }
    this.#clock.postpone(failed);
  }

  /** Given back as if nobody had seen them. Never rejects. */
  async #release(loans: readonly Loan[]): Promise<void> {
    await Promise.allSettled(
      loans.map((loan) => (loan.held ? loan.settle({ kind: "release", token: loan.leased.token }) : undefined)),
    );
  }

  // -- pausing and ending

  /** Stops intake; what waits unread is given back. */
  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    void this.#stopIntake(this.#unread());
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#pump();
  }

  async #stopIntake(unread: readonly Loan[]): Promise<void> {
    await Promise.all([this.#fetcher.stop(), this.#release(unread)]);
  }

  /** The feed has ended. Letters of a receiver that drains stay alive. */
  #onEnd(unread: readonly Loan[]): Promise<void> {
    const draining = this.#state === "draining";
    const stopped = this.#stopIntake(unread);
    if (!draining) this.#close();
    return stopped;
  }

  #close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#clock.stop();
    for (const loan of this.#held) loan.closed();
    this.#held.clear();
    this.#drained.resolve();
    this.#closed.resolve();
  }

  /** Stops intake; resolves when the letters that were handed over are settled, lost, or left. */
  async drain(): Promise<void> {
    if (this.#state === "open") {
      this.#state = "draining";
      await this.feed.end();
      if (this.#held.size === 0) this.#drained.resolve();
    }
    await this.#drained.promise;
    this.#close();
  }

  /** Ends now. */
  abandon(): void {
    void this.feed.end();
    this.#close();
  }
}
