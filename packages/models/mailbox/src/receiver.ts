import {
  after,
  BusError,
  type Context,
  checkCount,
  checkLease,
  checkSchema,
  checkSignal,
  Feed,
  type Leased,
  type LoanOptions,
  type LoanSource,
  type Opened,
  type Settled,
  type Settlement,
  validate,
} from "@quadrant/contract";
import { Batches } from "./batches.ts";
import { failureOf } from "./failure.ts";
import { LeaseClock } from "./lease-clock.ts";
import { LeasedLetter, type Lender, Loan } from "./loan.ts";
import { afterTurn } from "./turn.ts";

export const defaultMaxInFlight: number = 16;
const firstRetryMs = 50;
const longestRetryMs = 1_000;

/** Throws "invalid" or "aborted". */
export function checkReceive(source: LoanSource, options: LoanOptions<unknown>): void {
  checkLease("leaseMs", options.leaseMs);
  if (options.autoExtend !== undefined && typeof options.autoExtend !== "boolean")
    throw new BusError("invalid", "autoExtend: true or false");
  if (options.invalid !== undefined && typeof options.invalid !== "function")
    throw new BusError("invalid", "invalid: give a function");
  checkCount("maxInFlight", options.maxInFlight);
  checkSchema(options.schema);
  checkSignal(options.signal, `receiving from ${source.what}`);
}

/**
 * Fetches letters ahead of the iterator, keeps their leases alive, settles them in batches. What waits here unread when
 * it ends, or pauses, is given back as if nobody had seen it.
 */
export class Receiver<T> implements Lender {
  readonly feed: Feed<LeasedLetter<T>, Loan>;
  readonly #context: Context;
  readonly #source: LoanSource;
  readonly #options: LoanOptions<T>;
  readonly #leaseMs: number;
  readonly #ahead: boolean;
  readonly #maxInFlight: number;
  readonly #settlements: Batches<Settlement, Settled>;
  readonly #clock: LeaseClock;
  /** Unread ones, those with the user, those being settled. */
  readonly #held = new Set<Loan>();
  #state: "open" | "draining" | "closed" = "open";
  #paused = false;
  #pumping = false;
  #fetching: { readonly controller: AbortController; ended: Promise<void> } | undefined;
  #cancelRetry: (() => void) | undefined;
  #failures = 0;
  readonly #drained: PromiseWithResolvers<void> = Promise.withResolvers<void>();
  readonly #closed: PromiseWithResolvers<void> = Promise.withResolvers<void>();

  constructor(context: Context, source: LoanSource, options: LoanOptions<T>) {
    this.#context = context;
    this.#source = source;
    this.#options = options;
    this.#leaseMs = options.leaseMs ?? source.leaseMs;
    this.#ahead = options.autoExtend ?? true;
    this.#maxInFlight = options.maxInFlight ?? defaultMaxInFlight;
    this.#settlements = new Batches(context, (batch) => source.settle(batch));
    this.#clock = new LeaseClock(this.#leaseMs, this.#ahead ? (loans) => void this.#renew(loans) : undefined);
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
    if (this.#state !== "open" || this.#paused || this.#fetching !== undefined || this.#cancelRetry !== undefined)
      return;
    const free = this.#maxInFlight - this.#held.size;
    if (free <= 0) return;
    if (this.#ahead) {
      // The store is filled up when half of it is gone, not letter by letter.
      if (this.feed.size * 2 <= this.#maxInFlight) this.#startFetch(free);
    } else if (this.feed.hungry) this.#startFetch(1);
  }

  #startFetch(max: number): void {
    const controller = new AbortController();
    const fetching = { controller, ended: Promise.resolve() };
    this.#fetching = fetching;
    fetching.ended = this.#fetch(max, controller.signal);
  }

  async #fetch(max: number, signal: AbortSignal): Promise<void> {
    let letters: readonly Leased[];
    try {
      letters = await this.#source.fetch({ max, leaseMs: this.#leaseMs, signal });
      this.#failures = 0;
    } catch (error) {
      this.#fetching = undefined;
      return this.#fetchFailed(error);
    }
    this.#fetching = undefined;
    await this.#accept(letters);
  }

  /** Keeps the letters for the iterator; resolves once those that it will not get are given back. */
  #accept(letters: readonly Leased[]): Promise<void> {
    const now = performance.now();
    const loans = letters.map((leased) => new Loan(this, leased, this.#leaseMs, now));
    for (const loan of loans) this.#held.add(loan);
    if (this.#state !== "open" || this.#paused) return this.#release(loans);
    for (const loan of loans) {
      this.#clock.watch(loan);
      this.feed.push(loan);
    }
    this.#pump();
    return Promise.resolve();
  }

  #fetchFailed(error: unknown): void {
    if (this.#state !== "open") return;
    if (!(error instanceof BusError) || !error.retryable) {
      this.#fail(
        error instanceof BusError
          ? error
          : new BusError("unavailable", `fetching from ${this.what} failed: ${String(error)}`, { cause: error }),
      );
      return;
    }
    this.#failures++;
    const longest = Math.min(longestRetryMs, firstRetryMs * 2 ** (this.#failures - 1));
    this.#cancelRetry = after(longest / 2 + (Math.random() * longest) / 2, () => {
      this.#cancelRetry = undefined;
      this.#pump();
    });
  }

  #fail(error: BusError): void {
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
    const { contentType, body } = loan.leased;
    let data: unknown;
    try {
      data = this.#context.bodies.decode(contentType, body);
    } catch (error) {
      this.#refuse(loan, new Uint8Array(body), error);
      return undefined;
    }
    const { schema } = this.#options;
    if (schema === undefined) return this.#hand(loan, data as T);
    try {
      const valid = validate(schema, data);
      if (!(valid instanceof Promise)) return this.#hand(loan, valid);
      return valid.then(
        (value) => (loan.held ? this.#hand(loan, value) : undefined),
        (error: unknown) => this.#refuse(loan, data, error),
      );
    } catch (error) {
      return this.#refuse(loan, data, error);
    }
  }

  #hand(loan: Loan, data: T): Opened<LeasedLetter<T>> {
    if (this.closed) {
      void this.#release([loan]);
      return undefined;
    }
    return { value: new LeasedLetter(loan, data), done: false };
  }

  /** Trying again would not help: to the dead letters. */
  #refuse(loan: Loan, data: unknown, error: unknown): undefined {
    if (!loan.held) return;
    void loan.settle({ kind: "reject", token: loan.leased.token, failure: failureOf(error) });
    const { subject, headers } = loan.leased;
    try {
      const told: unknown = this.#options.invalid?.({ subject, data, headers: { ...headers } }, error as BusError);
      if (told instanceof Promise) told.catch(() => undefined);
    } catch {
      // A callback that throws does not stop the letters.
    }
  }

  // -- what was lent

  settle(settlement: Settlement): Promise<Settled> {
    return this.#settlements.add(settlement);
  }

  settling(loan: Loan): void {
    this.#clock.forget(loan);
  }

  returned(loan: Loan): void {
    this.#clock.forget(loan);
    this.#drop(loan);
  }

  lapsing(loan: Loan): void {
    this.#clock.watch(loan);
    this.#drop(loan);
  }

  extended(loan: Loan): void {
    if (this.#held.has(loan)) this.#clock.watch(loan);
  }

  #drop(loan: Loan): void {
    if (!this.#held.delete(loan)) return;
    if (this.#state === "draining" && this.#held.size === 0) this.#drained.resolve();
    this.#pumpAfterTurn();
  }

  /** Letters are settled many at a time: the room that they leave is filled by one fetch. */
  #pumpAfterTurn(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    afterTurn(() => {
      this.#pumping = false;
      this.#pump();
    });
  }

  async #renew(loans: readonly Loan[]): Promise<void> {
    const began = performance.now();
    const batch = loans.map((loan) => ({ kind: "extend" as const, token: loan.leased.token, leaseMs: this.#leaseMs }));
    const results = await this.#settlements.addMany(batch).catch(() => undefined);
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
    this.#cancelRetry?.();
    this.#cancelRetry = undefined;
    const fetching = this.#fetching;
    fetching?.controller.abort();
    await Promise.all([fetching?.ended, this.#release(unread)]);
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
