import { BusError } from "@quadrant/contract";
import type { Setting } from "./setting.ts";

/** Something a session has that ends with it: a waiter, a subscription, a server, a call. */
export interface Interest {
  end(error: BusError): void;
}

/** What belongs to one session: how a session that ends takes it down. */
export class Owner {
  readonly name: string;
  readonly interests: Set<Interest> = new Set();
  /** What is held on a lease; each gives it back. */
  readonly loans: Set<() => void> = new Set();
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

  /** Does an operation: in this turn, on what is true now. What it throws is the rejection. */
  run<T>(work: () => T | Promise<T>): Promise<T> {
    if (this.#closed) return Promise.reject(this.closedError());
    try {
      this.#setting.timers.runDue();
      return Promise.resolve(work());
    } catch (cause) {
      return Promise.reject(this.#asBusError(cause));
    }
  }

  /** `keepLoans`: the holder may be alive behind a cut network, so that its leases run on. */
  close(keepLoans: boolean): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#setting.timers.runDue();
    const error = this.closedError();
    // Waiters first: what is given back is for others.
    for (const interest of [...this.interests]) interest.end(error);
    this.interests.clear();
    if (!keepLoans) for (const giveBack of [...this.loans]) giveBack();
    this.loans.clear();
  }

  #asBusError(cause: unknown): BusError {
    return cause instanceof BusError
      ? cause
      : new BusError("invalid", `the engine failed: ${String(cause)}`, { cause });
  }
}
