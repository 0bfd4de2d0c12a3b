/** A little over 300 lines: every way into a space and out of it, each with what is told of it and kept. */
import { IdTable, type TupleLease } from "@quadrant/contract";
import { Chain, type Link } from "./chain.ts";
import { Grant } from "./grant.ts";
import type { Kept } from "./group-commit.ts";
import { encodeHanded, type Handed } from "./handed.ts";
import type { Resident } from "./resident.ts";
import type { RowWriter } from "./row.ts";
import type { Setting } from "./setting.ts";
import { SpaceHistory } from "./space-history.ts";
import type { SpaceTerms } from "./space-terms.ts";
import type { TupleIndex } from "./tuple-index.ts";
import { writeTuple } from "./tuple-row.ts";
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
  /** The space. */
  readonly #home: Kept;
  readonly #index: TupleIndex;
  readonly #capacity: number;
  #size = 0;
  /** Claimed, by number: they may come back. */
  readonly #held = new IdTable<Resident>();
  /** Those that can be found, by number; undefined until somebody asks for one by its name. */
  #numbers: IdTable<Resident> | undefined = undefined;
  readonly #newcomers = new Chain<Newcomer>();
  /** What was handed over and may yet be asked for again: by the ticket of who asked. */
  readonly #handed = new Map<string, Resident[]>();
  readonly #tickets = new Map<Resident, Handed>();
  readonly history: SpaceHistory;
  #destroyed = false;

  constructor(
    setting: Setting,
    home: Kept & { readonly name: string },
    index: TupleIndex,
    { capacity, history }: SpaceTerms,
  ) {
    this.#setting = setting;
    this.#home = home;
    this.#index = index;
    this.#capacity = capacity ?? Number.POSITIVE_INFINITY;
    this.history = new SpaceHistory(
      setting,
      home,
      history,
      (resident) => resident.standing === "out" && !this.#tickets.has(resident),
    );
  }

  /** Claimed ones included. */
  get size(): number {
    return this.#size;
  }

  /** How many tuples fit in. */
  get room(): number {
    return this.#capacity - this.#size;
  }

  find(id: string): Resident | undefined {
    const { epoch } = this.#setting;
    if (!id.startsWith(`${epoch}-`)) return undefined;
    const seq = Number(id.slice(epoch.length + 1));
    return this.#held.get(seq) ?? this.#numbered().get(seq);
  }

  /** Most tuples are never asked for by their names: whoever is the first pays for the table. */
  #numbered(): IdTable<Resident> {
    if (this.#numbers === undefined) {
      const numbers = new IdTable<Resident>();
      this.#index.each((resident) => numbers.set(resident.seq, resident));
      this.#numbers = numbers;
    }
    return this.#numbers;
  }

  /** To the waiters, else into the store; undefined where there is no room. */
  enter(resident: Resident, leaseMs: number = Number.POSITIVE_INFINITY): TupleLease | undefined {
    resident.seq = this.#setting.serial();
    if (leaseMs !== Number.POSITIVE_INFINITY) resident.expiresAt = this.#setting.now() + leaseMs;
    this.history.coming(resident);
    const taken = serve(this.#index.lines(resident), resident);
    if (!taken && leaseMs > 0) {
      if (this.room <= 0) {
        this.history.turnedAway();
        return undefined;
      }
      this.#show(resident, false);
      this.#keep(resident);
      this.history.came(resident);
    } else if (!taken) {
      this.history.came(resident);
      this.history.expired(resident);
    }
    return new Grant(this.#setting, resident.seq, leaseMs);
  }

  /** Enters when there is room. */
  queue(newcomer: Newcomer): Link<Newcomer> {
    return this.#newcomers.append(newcomer);
  }

  /** Takes a tuple out of sight: it is claimed. */
  hold(resident: Resident): void {
    this.history.taken(resident);
    if (resident.standing === "held") return;
    if (resident.standing === "in") this.#hide(resident);
    else this.#keep(resident);
    resident.standing = "held";
    this.#held.set(resident.seq, resident);
  }

  /** The end of a claim: to the waiters, else back to its place, unless its lease has run out meanwhile. */
  putBack(resident: Resident): void {
    if (resident.expiresAt <= this.#setting.now()) this.remove(resident);
    else {
      this.history.returned(resident);
      if (!serve(this.#index.lines(resident), resident)) {
        this.#held.delete(resident.seq);
        this.#show(resident, true);
      }
    }
    this.admit();
  }

  /** Brings back what was removed, to the waiters, else to its place, unless its lease has run out meanwhile. */
  restore(resident: Resident): void {
    if (this.#destroyed || resident.expiresAt <= this.#setting.now()) return;
    this.history.returned(resident);
    if (serve(this.#index.lines(resident), resident)) return;
    this.#show(resident, true);
    this.#keep(resident);
  }

  /** For somebody who has it for good. `admit` when all are taken. */
  take(resident: Resident): void {
    this.history.taken(resident);
    this.remove(resident);
  }

  /** `admit` when all are removed. */
  remove(resident: Resident): void {
    this.#withdraw(resident);
    this.#discard(resident);
  }

  /** It is no more; what has happened to it may be told for longer. */
  #discard(resident: Resident): void {
    if (!this.history.needs(resident)) this.#setting.commits?.drop(resident);
  }

  #withdraw(resident: Resident): void {
    if (resident.standing === "out") return;
    if (resident.standing === "in") this.#hide(resident);
    else this.#held.delete(resident.seq);
    resident.standing = "out";
    this.#size--;
    this.#unwatch(resident);
  }

  #show(resident: Resident, restored: boolean): void {
    this.#index.add(resident, restored);
    this.#numbers?.set(resident.seq, resident);
    resident.standing = "in";
  }

  #hide(resident: Resident): void {
    this.#index.remove(resident);
    this.#numbers?.delete(resident.seq);
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
    const timer = resident.term?.timer;
    if (timer === undefined) this.#watch(resident);
    else this.#setting.timers.move(timer, resident.expiresAt);
    this.#setting.commits?.put(resident, this.#encode);
  }

  /** Ends the lease. A claimed tuple goes when it would come back. */
  expire(resident: Resident): void {
    resident.expiresAt = Number.NEGATIVE_INFINITY;
    if (resident.standing === "held") {
      this.#setting.commits?.put(resident, this.#encode);
      return;
    }
    this.history.expired(resident);
    this.remove(resident);
    this.admit();
  }

  /** The space is no more: what comes back later goes nowhere. */
  destroy(): void {
    this.#destroyed = true;
    const leave = (resident: Resident): void => {
      this.#unwatch(resident);
      this.#setting.commits?.drop(resident);
    };
    this.#index.each(leave);
    for (const resident of this.#held.values()) leave(resident);
    this.#held.clear();
    this.#numbers = undefined;
    this.#size = 0;
    for (const ticket of [...this.#handed.keys()]) this.forget(ticket);
  }

  /** It is in the space from now on, to be found or not. */
  #keep(resident: Resident): void {
    this.#size++;
    this.#watch(resident);
    this.#setting.commits?.put(resident, this.#encode);
  }

  #watch(resident: Resident): void {
    const { term } = resident;
    if (term === undefined || term.expiresAt === Number.POSITIVE_INFINITY) return;
    term.timer = this.#setting.timers.add(term.expiresAt, () => {
      term.timer = undefined;
      this.expire(resident);
    });
  }

  #unwatch({ term }: Resident): void {
    if (term === undefined) return;
    this.#setting.timers.cancel(term.timer);
    term.timer = undefined;
  }

  // ---- handed over, until it is known to have arrived

  /**
   * Takes tuples for somebody who may ask for them again, by the same ticket, should the engine end before it is known that
   * they have arrived.
   */
  handOver(residents: readonly Resident[], ticket: string): void {
    for (const resident of residents) {
      this.history.taken(resident);
      this.#withdraw(resident);
      const handed = { row: 0, resident, ticket };
      this.#tickets.set(resident, handed);
      if (resident.row === 0) this.#setting.commits?.put(resident, this.#encode);
      this.#setting.commits?.put(handed, encodeHanded);
    }
    this.#handed.set(ticket, [...residents]);
  }

  /** What was handed over by this ticket; undefined where nothing was. */
  handed(ticket: string): readonly Resident[] | undefined {
    return this.#handed.get(ticket);
  }

  /** They have arrived. */
  forget(ticket: string): void {
    for (const resident of this.#handed.get(ticket) ?? []) {
      const handed = this.#tickets.get(resident);
      this.#tickets.delete(resident);
      // Where its own row says that it is handed over, it is no more only once that is gone from there.
      if (handed?.row === 0 && this.history.needs(resident)) this.#setting.commits?.put(resident, this.#encode);
      else if (handed !== undefined) this.#setting.commits?.drop(handed);
      this.#discard(resident);
    }
    this.#handed.delete(ticket);
  }

  /** They will not arrive: back to their places. */
  takeBack(ticket: string): void {
    const residents = this.#handed.get(ticket) ?? [];
    this.forget(ticket);
    for (const resident of residents) this.restore(resident);
  }

  // ---- what outlives the engine

  readonly #encode = (resident: Resident, rows: RowWriter): void => {
    writeTuple(rows, this.#home.row, resident);
  };

  /** A tuple that was handed over when the engine ended. */
  restoreHanded(resident: Resident, ticket: string, row: number): void {
    const others = this.#handed.get(ticket);
    if (others === undefined) this.#handed.set(ticket, [resident]);
    else others.push(resident);
    this.#tickets.set(resident, { row, resident, ticket });
  }

  /** A tuple that was there when the engine ended: the oldest first. `claimed`: out of sight until its claim ends. */
  restoreInPlace(resident: Resident, claimed: boolean): void {
    if (!claimed) this.#show(resident, false);
    this.#size++;
    if (claimed) {
      resident.standing = "held";
      this.#held.set(resident.seq, resident);
    }
    this.#watch(resident);
  }

  /** Whoever has not come back by then for what was handed over has it, or will never come. */
  forgetUnclaimed(afterMs: number): void {
    const tickets = [...this.#handed.keys()];
    if (tickets.length === 0) return;
    this.#setting.timers.add(this.#setting.now() + afterMs, () => {
      for (const ticket of tickets) this.forget(ticket);
    });
  }
}
