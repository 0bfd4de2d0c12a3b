/** Over 300 lines: every operation of a space, one beside the other. */
import {
  type BusError,
  type ClaimedTuple,
  type ClaimSettlement,
  type CompiledTemplate,
  Roster,
  type Settled,
  type SpaceSpec,
  type TupleIndexUse,
  type TupleLease,
  type Wait,
  type WatchPage,
  type WatchRequest,
} from "@quadrant/contract";
import { assign } from "./assignment.ts";
import { assertSame } from "./catalog.ts";
import type { Link } from "./chain.ts";
import { type ClaimRecord, Claims } from "./claims.ts";
import type { Kept } from "./group-commit.ts";
import type { HandedRecord } from "./handed.ts";
import { JointTake } from "./joint-take.ts";
import type { Interest, Owner } from "./owner.ts";
import { Pending } from "./pending.ts";
import { Resident } from "./resident.ts";
import type { RevocableTuple, RevocableTupleList } from "./session.ts";
import type { Setting } from "./setting.ts";
import type { SpaceHistory } from "./space-history.ts";
import { type SpaceTerms, termsOf } from "./space-terms.ts";
import { TupleIndex } from "./tuple-index.ts";
import type { TupleRecord } from "./tuple-row.ts";
import { TupleSearch } from "./tuple-search.ts";
import { type Newcomer, TupleStore } from "./tuple-store.ts";
import { SpaceWaiter } from "./waiting-line.ts";

/** How an operation gets hold of the tuple that it found or waited for. A class: see `SpaceWaiter`. */
class Capture<T> {
  /** For messages. */
  readonly what: string;
  readonly takes: boolean;
  readonly get: (resident: Resident) => T;

  constructor(what: string, takes: boolean, get: (resident: Resident) => T) {
    this.what = what;
    this.takes = takes;
    this.get = get;
  }
}

/** One tuple space. Every operation matches, captures or registers in one turn; tuples are their texts. */
export class Space implements Kept {
  row = 0;
  readonly name: string;
  readonly #setting: Setting;
  readonly terms: SpaceTerms;
  readonly #index: TupleIndex;
  readonly #store: TupleStore;
  readonly #search: TupleSearch;
  readonly #joint: JointTake;
  readonly #claims: Claims;
  readonly #pending = new Roster<Interest>("secondSeat");
  readonly #taking: Capture<string>;
  readonly #reading: Capture<string>;

  constructor(setting: Setting, name: string, spec: SpaceSpec) {
    this.#setting = setting;
    this.name = name;
    this.terms = termsOf(spec);
    const { pick, maxScan } = this.terms;
    this.#index = new TupleIndex(pick, setting.random);
    this.#store = new TupleStore(setting, this, this.#index, this.terms);
    this.#search = new TupleSearch(this.#index, pick, setting.random, maxScan, () => this.#scannedTooMany());
    this.#joint = new JointTake(this.#index, this.#search);
    this.#claims = new Claims(setting, name, {
      remove: (resident) => this.#remove(resident),
      putBack: (resident) => this.#store.putBack(resident),
    });
    this.#reading = new Capture("an rd", false, (resident) => resident.text);
    this.#taking = new Capture("an in", true, (resident) => {
      this.#store.take(resident);
      return resident.text;
    });
  }

  assertSame(spec: SpaceSpec): void {
    assertSame(this.#setting, `the space ${this.name}`, this.terms, spec);
  }

  describe(): Record<"tuples" | "claims" | "waiters" | "forms" | "buckets", number> {
    const claims = this.#claims.size;
    return { tuples: this.#store.size - claims, claims, waiters: this.#pending.size, ...this.#index.describe() };
  }

  out(owner: Owner, text: string, leaseMs: number | undefined, wait: Wait): TupleLease | Promise<TupleLease> {
    const resident = new Resident(text);
    if (wait.signal?.aborted) throw this.#setting.aborted(wait.signal, this.#outing);
    this.#setting.commits?.reserve(text.length);
    const lease = this.#store.enter(resident, leaseMs);
    if (lease !== undefined) return lease;
    if (this.terms.whenFull === "reject") throw this.#full();
    if (wait.timeoutMs === 0) throw this.#timeout(this.#outing);
    let link: Link<Newcomer> | undefined;
    const pending = this.#pend<TupleLease>(owner, this.#outing, wait, () => link?.leave());
    link = this.#store.queue({ resident, leaseMs, enter: (entered) => pending.resolve(entered) });
    return pending.promise;
  }

  outMany(texts: readonly string[], leaseMs: number | undefined): void {
    const residents = texts.map((text) => new Resident(text));
    for (const resident of residents) this.#index.check(resident);
    this.#setting.commits?.reserve(texts.reduce((sum, text) => sum + text.length + 64, 0));
    if (leaseMs !== 0 && residents.length > this.#store.room) throw this.#full();
    for (const resident of residents) this.#store.enter(resident, leaseMs);
  }

  take(owner: Owner, template: CompiledTemplate, wait: Wait): string | Promise<string> {
    return this.#want(owner, template, wait, this.#taking);
  }

  takeRevocable(
    owner: Owner,
    template: CompiledTemplate,
    wait: Wait,
    ticket: string | undefined,
  ): RevocableTuple | Promise<RevocableTuple> {
    const handed = ticket === undefined ? undefined : this.#store.handed(ticket);
    if (handed !== undefined) return this.#revocable(handed, ticket).one;
    const capture = new Capture("an in", true, (resident) => this.#revocable([resident], ticket).one);
    return this.#want(owner, template, wait, capture);
  }

  /** Takes them so that it can be undone; with a ticket, so that they can be asked for again until they have arrived. */
  #revocable(
    residents: readonly Resident[],
    ticket: string | undefined,
  ): RevocableTupleList & { readonly one: RevocableTuple } {
    const store = this.#store;
    if (ticket === undefined) for (const resident of residents) store.take(resident);
    else if (store.handed(ticket) === undefined && residents.length > 0) store.handOver(residents, ticket);
    const restore = (): void => {
      if (ticket !== undefined) store.takeBack(ticket);
      else for (const resident of residents) store.restore(resident);
    };
    const arrived = (): void => {
      if (ticket !== undefined) store.forget(ticket);
    };
    const tuples = residents.map((resident) => resident.text);
    return { tuples, restore, arrived, one: { tuple: tuples[0] ?? "", restore, arrived } };
  }

  /** One for each template, in their order, or nothing. */
  takeAll(
    owner: Owner,
    templates: readonly CompiledTemplate[],
    wait: Wait,
    ticket: string | undefined,
  ): RevocableTupleList | Promise<RevocableTupleList> {
    const handed = ticket === undefined ? undefined : this.#store.handed(ticket);
    if (handed !== undefined) {
      // Kept without an order.
      const matches = templates.map((template) => handed.filter((resident) => template.matches(resident.text)));
      return this.#revocable(assign(matches) ?? handed, ticket);
    }
    const what = `an inAll on the space ${this.name}`;
    if (wait.signal?.aborted) throw this.#setting.aborted(wait.signal, what);
    const found = this.#joint.find(templates);
    if (found !== undefined) {
      const taken = this.#revocable(found, ticket);
      this.#store.admit();
      return taken;
    }
    if (wait.timeoutMs === 0) throw this.#timeout(what);
    let leave: (() => void) | undefined;
    const pending = this.#pend<RevocableTupleList>(owner, what, wait, () => leave?.());
    leave = this.#joint.wait(templates, this.#setting.serial(), {
      found: (residents) => {
        pending.resolve(this.#revocable(residents, ticket));
        // Not in this turn: who waits for room may be on his way in with one of these.
        queueMicrotask(() => this.#store.admit());
      },
      failed: (error) => pending.end(error),
    });
    return pending.promise;
  }

  /** Moves every match, or with `keep` copies it: a tuple of its own, with what is left of the lease. All or none. */
  collect(template: CompiledTemplate, target: Space, keep: boolean): number {
    const found = this.#search.all(template);
    const room = target.#store.room + (keep || target !== this ? 0 : found.length);
    if (found.length > room) throw target.#full();
    this.#setting.commits?.reserve(found.reduce((sum, { text }) => sum + text.length + 64, 0));
    if (!keep) for (const resident of found) this.#store.take(resident);
    const now = this.#setting.now();
    for (const { text, expiresAt } of found) target.#store.enter(new Resident(text), expiresAt - now);
    if (!keep) this.#store.admit();
    return found.length;
  }

  explain(template: CompiledTemplate): TupleIndexUse {
    return this.#index.explain(template);
  }

  read(owner: Owner, template: CompiledTemplate, wait: Wait): string | Promise<string> {
    return this.#want(owner, template, wait, this.#reading);
  }

  claim(owner: Owner, template: CompiledTemplate, leaseMs: number, wait: Wait): ClaimedTuple | Promise<ClaimedTuple> {
    const capture = new Capture("a claim", true, (resident) => {
      this.#store.hold(resident);
      return { tuple: resident.text, token: this.#claims.add(owner, resident, leaseMs) };
    });
    return this.#want(owner, template, wait, capture);
  }

  settleClaim(owner: Owner, settlement: ClaimSettlement): Settled {
    return this.#claims.settle(owner, settlement);
  }

  takeNow(template: CompiledTemplate): string | undefined {
    const found = this.#search.one(template);
    if (found === undefined) return undefined;
    this.#store.take(found);
    this.#store.admit();
    return found.text;
  }

  readNow(template: CompiledTemplate): string | undefined {
    return this.#search.one(template)?.text;
  }

  takeMany(template: CompiledTemplate, max: number, ticket: string | undefined): RevocableTupleList {
    const handed = ticket === undefined ? undefined : this.#store.handed(ticket);
    const taken = this.#revocable(handed ?? this.#search.many(template, max), ticket);
    this.#store.admit();
    return taken;
  }

  readAll(template: CompiledTemplate): string[] {
    return this.#search.all(template).map((resident) => resident.text);
  }

  count(template: CompiledTemplate): number {
    return this.#search.all(template).length;
  }

  renew(id: string, leaseMs: number): TupleLease {
    const resident = this.#store.find(id);
    if (resident === undefined || resident.expiresAt <= this.#setting.now()) {
      throw this.#setting.fault(
        "stale",
        `the tuple is no longer in the space ${this.name}: it was taken, or its lease ended; put it out again`,
      );
    }
    this.#store.renew(resident, leaseMs);
    return { id, expiresInMs: leaseMs };
  }

  cancel(id: string): void {
    const resident = this.#store.find(id);
    if (resident !== undefined) this.#store.expire(resident);
  }

  watch(owner: Owner, template: CompiledTemplate, request: WatchRequest): WatchPage | Promise<WatchPage> {
    return this.#store.history.watch(owner, template, request);
  }

  /** There was another space of this name. */
  beginAnew(): void {
    this.#store.history.beginAnew();
  }

  /** Who waits is told; leases and claims are stale from now on. */
  destroy(error: BusError): void {
    for (const pending of this.#pending) pending.end(error);
    this.#claims.clear();
    this.#store.history.destroy(error);
    this.#store.destroy();
  }

  #want<T>(owner: Owner, template: CompiledTemplate, wait: Wait, capture: Capture<T>): T | Promise<T> {
    if (wait.signal?.aborted) throw this.#setting.aborted(wait.signal, this.#what(capture));
    const found = this.#search.one(template);
    if (found !== undefined) {
      const got = capture.get(found);
      this.#store.admit();
      return got;
    }
    if (wait.timeoutMs === 0) throw this.#timeout(this.#what(capture));
    let leave: (() => void) | undefined;
    const pending = this.#pend<T>(owner, this.#what(capture), wait, () => leave?.());
    const deliver = (resident: Resident): void => pending.resolve(capture.get(resident));
    leave = this.#index.wait(new SpaceWaiter(this.#setting.serial(), template, capture.takes, deliver));
    return pending.promise;
  }

  #what({ what }: { readonly what: string }): string {
    return `${what} on the space ${this.name}`;
  }

  get #outing(): string {
    return `an out to the full space ${this.name}`;
  }

  #pend<T>(owner: Owner, what: string, { timeoutMs, signal }: Wait, leave: () => void): Pending<T> {
    const pending = new Pending<T>(this.#setting, owner, {
      what,
      timeoutMs,
      signal,
      onEnd: () => {
        this.#pending.delete(pending);
        leave();
      },
    });
    this.#pending.add(pending);
    return pending;
  }

  #remove(resident: Resident): void {
    this.#store.remove(resident);
    this.#store.admit();
  }

  #timeout(what: string): BusError {
    return this.#setting.fault("timeout", `${what}: nothing is there now, and it was not to wait`);
  }

  #full(): BusError {
    return this.#setting.fault(
      "overflow",
      `the space ${this.name} is full: ${this.terms.capacity} tuples (capacity); take some first`,
    );
  }

  #scannedTooMany(): BusError {
    return this.#setting.fault(
      "overflow",
      `no index serves this template: it looked at ${this.terms.maxScan} tuples that do not match (maxScan); give more fields a value`,
    );
  }

  // ---- what outlives the engine

  get history(): SpaceHistory {
    return this.#store.history;
  }

  /** In the order of their numbers. */
  restoreTuple(
    { resident, ticket: formerly }: TupleRecord,
    handed: HandedRecord | undefined,
    claim: ClaimRecord | undefined,
  ): void {
    const ticket = handed?.ticket ?? formerly;
    if (ticket !== undefined) {
      this.#store.restoreHanded(resident, ticket, handed?.row ?? 0);
      return;
    }
    this.#store.restoreInPlace(resident, claim !== undefined);
    if (claim !== undefined) this.#claims.restore(resident, claim);
  }

  forgetUnclaimed(afterMs: number): void {
    this.#store.forgetUnclaimed(afterMs);
  }
}
