import type { BusError, FetchRequest, Leased } from "@quadrant/contract";
import { Chain, type Link } from "./chain.ts";
import type { Owner } from "./owner.ts";
import { Pending } from "./pending.ts";
import type { Setting } from "./setting.ts";

/** A class, and the request is not kept: see `SpaceWaiter`. */
class Fetcher {
  readonly pending: Pending<readonly Leased[]>;
  readonly owner: Owner;
  readonly max: number;
  readonly leaseMs: number | undefined;

  constructor(pending: Pending<readonly Leased[]>, owner: Owner, { max, leaseMs }: FetchRequest) {
    this.pending = pending;
    this.owner = owner;
    this.max = max;
    this.leaseMs = leaseMs;
  }
}

/** What those who wait are served with. */
export interface Stock {
  /** For messages: "the mailbox orders". */
  readonly what: string;
  /** About how many letters are ready. */
  ready(): number;
  lend(max: number, leaseMs: number | undefined, owner: Owner): readonly Leased[];
}

/** Those who wait for letters of one ledger, in the order they came. */
export class FetchLine {
  readonly #setting: Setting;
  readonly #stock: Stock;
  readonly #fetchers = new Chain<Fetcher>();
  /** Whether what has come is to be given out at the end of this turn. */
  #owes = false;

  constructor(setting: Setting, stock: Stock) {
    this.#setting = setting;
    this.#stock = stock;
  }

  get size(): number {
    return this.#fetchers.size;
  }

  wait(owner: Owner, request: FetchRequest): Promise<readonly Leased[]> {
    let link: Link<Fetcher> | undefined;
    const pending = new Pending<readonly Leased[]>(this.#setting, owner, {
      what: `a fetch from ${this.#stock.what}`,
      signal: request.signal,
      onAbort: () => [],
      onEnd: () => link?.leave(),
    });
    link = this.#fetchers.append(new Fetcher(pending, owner, request));
    return pending.promise;
  }

  /** Gives what is ready to those who wait: the longest-waiting first, each its share. */
  serve(): void {
    for (let first = this.#fetchers.first; first !== undefined; first = this.#fetchers.first) {
      const { pending, owner, max, leaseMs } = first.value;
      const ready = this.#stock.ready();
      if (ready === 0) return;
      const share = Math.ceil(ready / this.#fetchers.size);
      const taken = this.#stock.lend(Math.min(max, Math.max(1, share)), leaseMs, owner);
      if (taken.length === 0) return;
      pending.resolve(taken);
    }
  }

  /** As `serve`, once what is done in this turn is done, and still in time for its commit. */
  serveTogether(): void {
    if (this.#owes || this.#fetchers.first === undefined) return;
    this.#owes = true;
    this.#setting.afterTogether(this.#serveNow);
  }

  /** Before somebody else takes something: those who wait were here before. */
  catchUp(): void {
    if (this.#owes) this.serve();
  }

  end(error: BusError): void {
    for (const { pending } of this.#fetchers) pending.end(error);
  }

  readonly #serveNow = (): void => {
    this.#owes = false;
    this.serve();
  };
}
