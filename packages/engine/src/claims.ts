import { type BusError, type ClaimSettlement, IdTable, type Settled } from "@quadrant/contract";
import type { Kept } from "./group-commit.ts";
import type { Loaned, Owner } from "./owner.ts";
import type { Resident } from "./resident.ts";
import { RowKind, type RowReader, type RowWriter } from "./row.ts";
import type { Setting } from "./setting.ts";
import type { Timer } from "./timer-heap.ts";

interface Claim extends Kept, Loaned {
  readonly token: string;
  readonly resident: Resident;
  /** undefined for one of before the engine was started again, until its holder says something. */
  owner: Owner | undefined;
  readonly timer: Timer;
  readonly lapse: () => void;
}

/** What becomes of a claimed tuple. */
export interface ClaimEnd {
  remove(resident: Resident): void;
  putBack(resident: Resident): void;
}

function encodeClaim({ row, token, resident, timer }: Claim, rows: RowWriter): void {
  rows.begin(row, RowKind.claim).whole(resident.row).text(token).number(timer.at).end();
}

/** A claim as it is kept. */
export interface ClaimRecord {
  readonly row: number;
  /** The row of the tuple. */
  readonly tuple: number;
  readonly token: string;
  readonly until: number;
}

export function readClaim(row: number, reader: RowReader): ClaimRecord {
  return { row, tuple: reader.whole(), token: reader.text(), until: reader.number() };
}

/** Tuples on loan: each claim has a token, which is the fence, and a lease, after which the tuple goes back. */
export class Claims {
  readonly #setting: Setting;
  readonly #space: string;
  readonly #end: ClaimEnd;
  readonly #claims = new IdTable<Claim>();

  constructor(setting: Setting, space: string, end: ClaimEnd) {
    this.#setting = setting;
    this.#space = space;
    this.#end = end;
  }

  get size(): number {
    return this.#claims.size;
  }

  /** Returns the token. */
  add(owner: Owner, resident: Resident, leaseMs: number): string {
    const token = this.#setting.token(this.#setting.serial());
    const claim = this.#hold(0, token, resident, this.#setting.now() + leaseMs);
    claim.owner = owner;
    owner.loans.add(claim);
    this.#setting.commits?.put(claim, encodeClaim);
    return token;
  }

  #hold(row: number, token: string, resident: Resident, until: number): Claim {
    const lapse = (): void => {
      this.#release(claim);
      this.#end.putBack(resident);
    };
    const timer = this.#setting.timers.add(until, lapse);
    const serial = this.#setting.serialOf(token);
    const claim: Claim = { row, token, serial, resident, owner: undefined, timer, lapse, seat: undefined };
    this.#claims.set(serial, claim);
    return claim;
  }

  /** A claim that was held when the engine ended. */
  restore(resident: Resident, { row, token, until }: ClaimRecord): void {
    this.#hold(row, token, resident, until);
  }

  settle(owner: Owner, settlement: ClaimSettlement): Settled {
    const claim = this.#claims.get(this.#setting.serialOf(settlement.token));
    if (claim?.token !== settlement.token) return this.#stale();
    if (settlement.kind === "extend") {
      // A holder that has reconnected has a new session.
      claim.owner?.loans.delete(claim);
      claim.owner = owner;
      owner.loans.add(claim);
      this.#setting.timers.move(claim.timer, this.#setting.now() + settlement.leaseMs);
      this.#setting.commits?.put(claim, encodeClaim);
      return undefined;
    }
    this.#release(claim);
    if (settlement.kind === "ack") this.#end.remove(claim.resident);
    else this.#end.putBack(claim.resident);
    return undefined;
  }

  /** All are stale from now on. */
  clear(): void {
    for (const claim of this.#claims.values()) this.#release(claim);
  }

  #release(claim: Claim): void {
    this.#claims.delete(claim.serial);
    this.#setting.timers.cancel(claim.timer);
    this.#setting.commits?.drop(claim);
    claim.owner?.loans.delete(claim);
  }

  #stale(): BusError {
    return this.#setting.fault(
      "stale",
      `the claim was lost before settling: its lease ended, or the space ${this.#space} was destroyed`,
    );
  }
}
