import {
  type BusError,
  type ClaimedTuple,
  type ClaimSettlement,
  compileTemplate,
  type Settled,
  type SpaceSpec,
  type TupleLease,
  type Wait,
} from "@quadrant/contract";
import type { Pick } from "./bucket.ts";
import { assertSame } from "./catalog.ts";
import type { Link } from "./chain.ts";
import { Claims } from "./claims.ts";
import type { Owner } from "./owner.ts";
import { Pending } from "./pending.ts";
import { Resident } from "./resident.ts";
import type { RevocableTuple, RevocableTupleList } from "./session.ts";
import type { Setting } from "./setting.ts";
import { TupleIndex } from "./tuple-index.ts";
import { TupleSearch } from "./tuple-search.ts";
import { type Newcomer, TupleStore } from "./tuple-store.ts";

interface SpaceTerms {
  readonly pick: Pick;
  readonly capacity: number | undefined;
  readonly whenFull: "wait" | "reject";
  readonly maxScan: number;
  readonly history: number;
}

/** How an operation gets hold of the tuple that it found or waited for. */
interface Capture<T> {
  /** For messages. */
  readonly what: string;
  readonly takes: boolean;
  get(resident: Resident): T;
}

/** One tuple space. Every operation matches, captures or registers in one turn; tuples and templates are their texts. */
export class Space {
  readonly name: string;
  readonly #setting: Setting;
  readonly #terms: SpaceTerms;
  readonly #index: TupleIndex;
  readonly #store: TupleStore;
  readonly #search: TupleSearch;
  readonly #claims: Claims;
  readonly #pending = new Set<{ end(error: BusError): void }>();
  readonly #taking: Capture<string>;
  readonly #reading: Capture<string>;

  constructor(setting: Setting, name: string, spec: SpaceSpec) {
    this.#setting = setting;
    this.name = name;
    this.#terms = {
      pick: spec.pick ?? "oldest",
      capacity: spec.capacity,
      whenFull: spec.whenFull ?? "wait",
      maxScan: spec.maxScan ?? 100_000,
      history: spec.history ?? 10_000,
    };
    const { pick, maxScan, capacity } = this.#terms;
    this.#index = new TupleIndex(pick, setting.random);
    this.#store = new TupleStore(setting, this.#index, capacity);
    this.#search = new TupleSearch(this.#index, pick, setting.random, maxScan, () => this.#scannedTooMany());
    this.#claims = new Claims(setting, name, {
      remove: (resident) => this.#remove(resident),
      putBack: (resident) => this.#store.putBack(resident),
    });
    this.#reading = { what: "an rd", takes: false, get: (resident) => resident.text };
    this.#taking = {
      what: "an in",
      takes: true,
      get: (resident) => {
        this.#store.remove(resident);
        return resident.text;
      },
    };
  }

  assertSame(spec: SpaceSpec): void {
    assertSame(this.#setting, `the space ${this.name}`, this.#terms, spec);
  }

  describe(): Record<"tuples" | "claims" | "waiters" | "forms" | "buckets", number> {
    const claims = this.#claims.size;
    return { tuples: this.#store.size - claims, claims, waiters: this.#pending.size, ...this.#index.describe() };
  }

  out(owner: Owner, text: string, leaseMs: number | undefined, wait: Wait): TupleLease | Promise<TupleLease> {
    const resident = new Resident(text);
    const what = `an out to the full space ${this.name}`;
    if (wait.signal?.aborted) throw this.#setting.aborted(wait.signal, what);
    const lease = this.#store.enter(resident, leaseMs);
    if (lease !== undefined) return lease;
    if (this.#terms.whenFull === "reject") throw this.#full();
    if (wait.timeoutMs === 0) throw this.#timeout(what);
    let link: Link<Newcomer> | undefined;
    const pending = this.#pend<TupleLease>(owner, what, wait, () => link?.leave());
    link = this.#store.queue({ resident, leaseMs, enter: (entered) => pending.resolve(entered) });
    return pending.promise;
  }

  outMany(texts: readonly string[], leaseMs: number | undefined): void {
    const residents = texts.map((text) => new Resident(text));
    if (leaseMs !== 0 && residents.length > this.#store.room) throw this.#full();
    for (const resident of residents) this.#store.enter(resident, leaseMs);
  }

  take(owner: Owner, template: string, wait: Wait): string | Promise<string> {
    return this.#want(owner, template, wait, this.#taking);
  }

  takeRevocable(owner: Owner, template: string, wait: Wait): RevocableTuple | Promise<RevocableTuple> {
    return this.#want(owner, template, wait, {
      what: "an in",
      takes: true,
      get: (resident) => {
        this.#store.remove(resident);
        return { tuple: resident.text, restore: () => this.#store.restore(resident) };
      },
    });
  }

  read(owner: Owner, template: string, wait: Wait): string | Promise<string> {
    return this.#want(owner, template, wait, this.#reading);
  }

  claim(owner: Owner, template: string, leaseMs: number, wait: Wait): ClaimedTuple | Promise<ClaimedTuple> {
    return this.#want(owner, template, wait, {
      what: "a claim",
      takes: true,
      get: (resident) => {
        this.#store.hold(resident);
        return { tuple: resident.text, token: this.#claims.add(owner, resident, leaseMs) };
      },
    });
  }

  settleClaim(owner: Owner, settlement: ClaimSettlement): Settled {
    return this.#claims.settle(owner, settlement);
  }

  takeNow(template: string): string | undefined {
    const found = this.#search.one(compileTemplate(template));
    if (found !== undefined) this.#remove(found);
    return found?.text;
  }

  readNow(template: string): string | undefined {
    return this.#search.one(compileTemplate(template))?.text;
  }

  takeMany(template: string, max: number): RevocableTupleList {
    const found = this.#search.many(compileTemplate(template), max);
    for (const resident of found) this.#store.remove(resident);
    this.#store.admit();
    return {
      tuples: found.map((resident) => resident.text),
      restore: () => {
        for (const resident of found) this.#store.restore(resident);
      },
    };
  }

  readAll(template: string): string[] {
    return this.#search.all(compileTemplate(template)).map((resident) => resident.text);
  }

  count(template: string): number {
    return this.#search.all(compileTemplate(template)).length;
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

  /** Who waits is told; leases and claims are stale from now on. */
  destroy(error: BusError): void {
    for (const pending of [...this.#pending]) pending.end(error);
    this.#claims.clear();
    this.#store.destroy();
  }

  #want<T>(owner: Owner, text: string, wait: Wait, capture: Capture<T>): T | Promise<T> {
    const template = compileTemplate(text);
    const what = `${capture.what} on the space ${this.name}`;
    if (wait.signal?.aborted) throw this.#setting.aborted(wait.signal, what);
    const found = this.#search.one(template);
    if (found !== undefined) {
      const got = capture.get(found);
      this.#store.admit();
      return got;
    }
    if (wait.timeoutMs === 0) throw this.#timeout(what);
    let leave: (() => void) | undefined;
    const pending = this.#pend<T>(owner, what, wait, () => leave?.());
    leave = this.#index.wait({
      seq: this.#setting.serial(),
      template,
      takes: capture.takes,
      deliver: (resident) => pending.resolve(capture.get(resident)),
    });
    return pending.promise;
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
      `the space ${this.name} is full: ${this.#terms.capacity} tuples (capacity); take some first`,
    );
  }

  #scannedTooMany(): BusError {
    return this.#setting.fault(
      "overflow",
      `no index serves this template: it looked at ${this.#terms.maxScan} tuples that do not match (maxScan); give more fields a value`,
    );
  }
}
