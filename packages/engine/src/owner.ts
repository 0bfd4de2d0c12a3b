import { type Answer, BusError, Roster, type Seated } from "@quadrant/contract";
import type { Setting } from "./setting.ts";

/** Something a session has that ends with it: a waiter, a subscription, a server, a call. */
export interface Interest extends Seated {
  end(error: BusError): void;
}

/** Something that a session holds on a lease. */
export interface Loaned extends Seated {
  /** In the order in which they were lent. */
  readonly serial: number;
  /** Gives it back. */
  readonly lapse: (() => void) | undefined;
}

/** What belongs to one session: how a session that ends takes it down. */
export class Owner {
  readonly name: string;
  readonly interests: Roster<Interest> = new Roster();
  /** What is held on a lease. */
  readonly loans: Roster<Loaned> = new Roster();
  readonly #setting: Setting;
  #closed = false;

  constructor(setting: Setting, name: string) {
    this.#setting = setting;
    this.name = name;
  }

  get closed(): boolean {
    return this.#closed;
  }

  closedError(): BusError {
    return this.#setting.fault("closed", "the connection has been closed: connect again");
  }

  assertOpen(): void {
    if (this.#closed) throw this.closedError();
  }

  /** Does an operation: in this turn, on what is true now. What it throws is the rejection. */
  run<T>(work: () => T | Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(this.closedError());
    try {
      this.#setting.timers.catchUp();
      return Promise.resolve(work());
    } catch (cause) {
      return Promise.reject(this.#asBusError(cause));
    }
  }

  /**
   * As `run`, for what may outlive the engine: answered once all that it did, and all that it has seen, is committed. What
   * waits sees to that itself (`Pending`).
   */
  durably<T>(work: () => Answer<T>): Promise<T> {
    try {
      return Promise.resolve(this.answer(work));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** As `durably`, the answer itself where it is there at once, and thrown where it is refused at once. */
  answer<T>(work: () => Answer<T>): Answer<T> {
    if (this.#closed) throw this.closedError();
    const { commits, timers } = this.#setting;
    try {
      commits?.assertUsable();
      timers.catchUp();
      const before = commits?.changes;
      const result = work();
      if (commits === undefined || result instanceof Promise) return result;
      const barrier = commits.barrier();
      if (barrier === undefined) return result;
      const changed = commits.changes !== before;
      return barrier.then(
        () => result,
        (error: unknown) => {
          throw changed ? error : commits.unread(error);
        },
      );
    } catch (cause) {
      throw this.#asBusError(cause);
    }
  }

  /** `keepLoans`: the holder may be alive behind a cut network, so that its leases run on. */
  close(keepLoans: boolean): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#setting.timers.catchUp();
    const error = this.closedError();
    // Waiters first: what is given back is for others.
    for (const interest of this.interests) interest.end(error);
    this.interests.clear();
    if (!keepLoans) for (const loan of [...this.loans].sort((a, b) => a.serial - b.serial)) loan.lapse?.();
    this.loans.clear();
  }

  #asBusError(cause: unknown): BusError {
    return cause instanceof BusError
      ? cause
      : new BusError("invalid", `the engine failed: ${String(cause)}`, { cause });
  }
}
