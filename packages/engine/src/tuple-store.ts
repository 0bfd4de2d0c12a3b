import type { TupleLease } from "@quadrant/contract";
import { Chain, type Link } from "./chain.ts";
import type { Resident } from "./resident.ts";
import type { Setting } from "./setting.ts";
import type { TupleIndex } from "./tuple-index.ts";
import { serve } from "./waiting-line.ts";

/** An `out` that waits for room. */
export interface Newcomer {
  readonly resident: Resident;
  readonly leaseMs: number | undefined;
  enter(lease: TupleLease): void;
}

/** What is in a space: tuples come in by the waiters that want them, stay as long as their lease, and leave room. */
export class TupleStore {
  readonly #setting: Setting;
  readonly #index: TupleIndex;
  readonly #capacity: number;
  /** By number; claimed ones included, since they may come back. */
  readonly #residents = new Map<number, Resident>();
  readonly #newcomers = new Chain<Newcomer>();
  #destroyed = false;

  constructor(setting: Setting, index: TupleIndex, capacity: number | undefined) {
    this.#setting = setting;
    this.#index = index;
    this.#capacity = capacity ?? Number.POSITIVE_INFINITY;
  }

  get size(): number {
    return this.#residents.size;
  }

  /** How many tuples fit in. */
  get room(): number {
    return this.#capacity - this.#residents.size;
  }

  find(id: string): Resident | undefined {
    const { epoch } = this.#setting;
    return id.startsWith(`${epoch}-`) ? this.#residents.get(Number(id.slice(epoch.length + 1))) : undefined;
  }

  /** To the waiters, else into the store; undefined where there is no room. */
  enter(resident: Resident, leaseMs: number = Number.POSITIVE_INFINITY): TupleLease | undefined {
    resident.seq = this.#setting.serial();
    resident.expiresAt = leaseMs === Number.POSITIVE_INFINITY ? leaseMs : this.#setting.now() + leaseMs;
    const taken = serve(this.#index.lines(resident), resident);
    if (!taken && leaseMs > 0) {
      if (this.room <= 0) return undefined;
      this.#index.add(resident, false);
      this.#keep(resident);
    }
    return { id: `${this.#setting.epoch}-${resident.seq}`, expiresInMs: leaseMs };
  }

  /** Enters when there is room. */
  queue(newcomer: Newcomer): Link<Newcomer> {
    return this.#newcomers.append(newcomer);
  }

  /** Takes a tuple out of sight: it is claimed. */
  hold(resident: Resident): void {
    if (resident.place !== undefined) this.#index.remove(resident);
    else if (!this.#residents.has(resident.seq)) this.#keep(resident);
  }

  /** The end of a claim: to the waiters, else back to its place, unless its lease has run out meanwhile. */
  putBack(resident: Resident): void {
    if (resident.expiresAt <= this.#setting.now()) this.remove(resident);
    else if (!serve(this.#index.lines(resident), resident)) this.#index.add(resident, true);
    this.admit();
  }

  /** Brings back what was removed, to the waiters, else to its place, unless its lease has run out meanwhile. */
  restore(resident: Resident): void {
    if (this.#destroyed || resident.expiresAt <= this.#setting.now()) return;
    if (serve(this.#index.lines(resident), resident)) return;
    this.#index.add(resident, true);
    this.#keep(resident);
  }

  /** `admit` when all are removed. */
  remove(resident: Resident): void {
    if (resident.place !== undefined) this.#index.remove(resident);
    this.#residents.delete(resident.seq);
    this.#setting.timers.cancel(resident.expiry);
    resident.expiry = undefined;
  }

  /** Lets newcomers in, in their order, as far as there is room. */
  admit(): void {
    while (this.room > 0) {
      const newcomer = this.#newcomers.first?.value;
      if (newcomer === undefined) return;
      const lease = this.enter(newcomer.resident, newcomer.leaseMs);
      // It leaves the line as it enters.
      newcomer.enter(lease!);
    }
  }

  renew(resident: Resident, leaseMs: number): void {
    resident.expiresAt = this.#setting.now() + leaseMs;
    if (resident.expiry === undefined) this.#watch(resident);
    else this.#setting.timers.move(resident.expiry, resident.expiresAt);
  }

  /** Ends the lease. A claimed tuple goes when it would come back. */
  expire(resident: Resident): void {
    resident.expiresAt = Number.NEGATIVE_INFINITY;
    if (resident.place === undefined) return;
    this.remove(resident);
    this.admit();
  }

  /** The space is no more: what comes back later goes nowhere. */
  destroy(): void {
    this.#destroyed = true;
    for (const resident of this.#residents.values()) this.#setting.timers.cancel(resident.expiry);
    this.#residents.clear();
  }

  #keep(resident: Resident): void {
    this.#residents.set(resident.seq, resident);
    this.#watch(resident);
  }

  #watch(resident: Resident): void {
    if (resident.expiresAt === Number.POSITIVE_INFINITY) return;
    resident.expiry = this.#setting.timers.add(resident.expiresAt, () => {
      resident.expiry = undefined;
      this.expire(resident);
    });
  }
}
