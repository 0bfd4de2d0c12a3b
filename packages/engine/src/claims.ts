import type { BusError, ClaimSettlement, Settled } from "@quadrant/contract";
import type { Owner } from "./owner.ts";
import type { Resident } from "./resident.ts";
import type { Setting } from "./setting.ts";
import type { Timer } from "./timer-heap.ts";

interface Claim {
  readonly resident: Resident;
  owner: Owner;
  readonly timer: Timer;
  readonly lapse: () => void;
}

/** What becomes of a claimed tuple. */
export interface ClaimEnd {
  remove(resident: Resident): void;
  putBack(resident: Resident): void;
}

/** Tuples on loan: each claim has a token, which is the fence, and a lease, after which the tuple goes back. */
export class Claims {
  readonly #setting: Setting;
  readonly #space: string;
  readonly #end: ClaimEnd;
  readonly #claims = new Map<string, Claim>();

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
    const token = this.#setting.token();
    const lapse = (): void => {
      this.#release(token);
      this.#end.putBack(resident);
    };
    const timer = this.#setting.timers.add(this.#setting.now() + leaseMs, lapse);
    this.#claims.set(token, { resident, owner, timer, lapse });
    owner.loans.add(lapse);
    return token;
  }

  settle(owner: Owner, settlement: ClaimSettlement): Settled {
    const claim = this.#claims.get(settlement.token);
    if (claim === undefined) return this.#stale();
    if (settlement.kind === "extend") {
      // A holder that has reconnected has a new session.
      claim.owner.loans.delete(claim.lapse);
      claim.owner = owner;
      owner.loans.add(claim.lapse);
      this.#setting.timers.move(claim.timer, this.#setting.now() + settlement.leaseMs);
      return undefined;
    }
    this.#release(settlement.token);
    if (settlement.kind === "ack") this.#end.remove(claim.resident);
    else this.#end.putBack(claim.resident);
    return undefined;
  }

  /** All are stale from now on. */
  clear(): void {
    for (const token of [...this.#claims.keys()]) this.#release(token);
  }

  #release(token: string): void {
    const claim = this.#claims.get(token);
    if (claim === undefined) return;
    this.#claims.delete(token);
    this.#setting.timers.cancel(claim.timer);
    claim.owner.loans.delete(claim.lapse);
  }

  #stale(): BusError {
    return this.#setting.fault(
      "stale",
      `the claim was lost before settling: its lease ended, or the space ${this.#space} was destroyed`,
    );
  }
}
