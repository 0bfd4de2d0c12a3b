import { after, BusError, grace, IdTable, type Wait } from "@quadrant/contract";
import type { Link } from "./link/link.ts";
import type { Asked } from "./request.ts";
import { listOf, type Reply } from "./resp/reply-reader.ts";

/** What an operation that may wait asks, and what it makes of the answers. */
export interface WaitTerms<T> {
  /** Under which it waits on the server. */
  readonly key: string;
  /** For messages: "an in on the space tasks". */
  readonly what: string;
  readonly wait: Wait;
  /** Asks for it; `waits`: is to wait for it on the server. */
  ask(wid: string, waits: boolean): Asked;
  /** It was told that something was handed to it, or may have been; or gives up. */
  end(wid: string, how: "collect" | "withdraw"): Asked;
  read(reply: readonly Reply[]): T;
  /** Another answer than one about waiting: does what it asks for, then it is asked again. */
  prepare(reply: Reply): Promise<void>;
  /** It was got for nobody. */
  giveBack(reply: readonly Reply[]): void;
}

/** Within a wait's timeout means plus a tenth of it, and at least this. */
const graceMs = 90;
const longestGraceMs = 2_000;

/** One operation that may wait: capture, timeout and abort are decided by the server. */
class TupleWait<T> {
  readonly number: number;
  readonly wid: string;
  readonly key: string;
  readonly #waits: TupleWaits;
  readonly #terms: WaitTerms<T>;
  #asked: Asked | undefined;
  #ending: Asked | undefined;
  #reason: BusError | undefined;
  #registered = false;
  #collecting = false;
  #told = false;
  #over = false;
  #cancelTimeout: (() => void) | undefined;
  #cancelGrace: (() => void) | undefined;
  #resolve!: (value: T) => void;
  #reject!: (error: unknown) => void;

  constructor(waits: TupleWaits, terms: WaitTerms<T>) {
    this.#waits = waits;
    this.#terms = terms;
    this.key = terms.key;
    this.number = waits.nextNumber();
    this.wid = `${waits.client}.${this.number}`;
  }

  run(): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      const { timeoutMs, signal } = this.#terms.wait;
      if (timeoutMs !== undefined && timeoutMs > 0) this.#cancelTimeout = after(timeoutMs, () => this.#timedOut());
      signal?.addEventListener("abort", this.#onAbort);
      // Before it is asked: that something was handed to it may be heard before the answer.
      this.#waits.add(this);
      this.#ask();
    });
  }

  readonly #onAbort = (): void => {
    const { what, wait } = this.#terms;
    const detail = { cause: wait.signal?.reason as unknown, driver: "redis" };
    this.giveUp(new BusError("aborted", `${what} was aborted by its signal`, detail));
  };

  #timedOut(): void {
    const { what, wait } = this.#terms;
    this.giveUp(new BusError("timeout", `${what}: nothing within ${wait.timeoutMs} ms`, { driver: "redis" }));
  }

  #ask(): void {
    this.#registered = false;
    this.#waits.watch(this.key);
    const asked = this.#terms.ask(this.wid, this.#terms.wait.timeoutMs !== 0);
    this.#asked = asked;
    asked.answer.then(
      (reply) => {
        if (this.#asked === asked) this.#answered(reply);
      },
      (error: unknown) => this.#failed(error),
    );
  }

  #answered(reply: Reply): void {
    this.#asked = undefined;
    if (this.#over) return;
    const list = listOf(reply);
    if (list[0] === 1) this.#got(list);
    else if (list[0] === 2) {
      const { what } = this.#terms;
      this.#failed(
        new BusError("timeout", `${what}: nothing is there now, and it was not to wait`, { driver: "redis" }),
      );
    } else if (list[0] === 0) {
      this.#registered = true;
      if (this.#told) this.told();
    } else if (this.#reason !== undefined) this.#failed(this.#reason);
    else
      this.#terms.prepare(reply).then(
        () => {
          if (this.#reason !== undefined) this.#failed(this.#reason);
          else if (!this.#over) this.#ask();
        },
        (error: unknown) => this.#failed(error),
      );
  }

  /** Something may have been handed to it: it comes for it. */
  told(): void {
    this.#told = true;
    if (!this.#registered || this.#collecting || this.#ending !== undefined || this.#over) return;
    this.#told = false;
    this.#collecting = true;
    const asked = this.#terms.end(this.wid, "collect");
    this.#asked = asked;
    asked.answer.then(
      (reply) => {
        if (this.#asked === asked) this.#collected(listOf(reply));
      },
      (error: unknown) => this.#failed(error),
    );
  }

  #collected(reply: readonly Reply[]): void {
    this.#collecting = false;
    this.#asked = undefined;
    if (this.#over) return;
    if (reply[0] === 1) this.#got(reply);
    else if (this.#ending !== undefined) return;
    else if (reply[0] === 2) {
      if (this.#told) this.told();
    }
    // The server knows nothing of it any more: it begins anew.
    else this.#ask();
  }

  /** The caller wants it to end; unless it has got something already, the server says how. */
  giveUp(reason: BusError): void {
    if (this.#over || this.#reason !== undefined) return;
    this.#reason = reason;
    const asked = this.#asked;
    if (!this.#registered && (asked === undefined || !asked.written)) {
      asked?.abandon();
      this.#failed(reason);
      return;
    }
    this.#cancelGrace = this.#waits.grace(this.#terms.wait.timeoutMs, () => this.#unknown());
    const ending = this.#terms.end(this.wid, "withdraw");
    this.#ending = ending;
    ending.answer.then(
      (reply) => {
        if (this.#over) return;
        const list = listOf(reply);
        if (list[0] === 1) this.#got(list);
        else this.#failed(reason);
      },
      (error: unknown) => this.#failed(error),
    );
  }

  #unknown(): void {
    if (this.#over) return;
    const giveBack = (reply: Reply): void => {
      const list = listOf(reply);
      if (list[0] === 1) this.#terms.giveBack(list);
    };
    this.#asked?.abandon(giveBack);
    this.#ending?.abandon(giveBack);
    const { what } = this.#terms;
    const message = `${what}: the server did not say in time whether it had happened before it was given up`;
    this.#failed(new BusError("indefinite", message, { cause: this.#reason, driver: "redis" }));
  }

  #got(reply: readonly Reply[]): void {
    this.#end();
    this.#resolve(this.#terms.read(reply));
  }

  #failed(error: unknown): void {
    if (this.#over) return;
    this.#end();
    this.#reject(error);
  }

  #end(): void {
    this.#over = true;
    this.#waits.delete(this);
    this.#cancelTimeout?.();
    this.#cancelGrace?.();
    this.#terms.wait.signal?.removeEventListener("abort", this.#onAbort);
  }
}

type Waiting = Pick<TupleWait<unknown>, "number" | "key" | "told" | "giveUp">;

/** While somebody here waits for something of a space, the server is made to look at its clock now and then. */
const tickMs = 5_000;
/** Every so many ticks what clients that are gone have left is looked for: their waiters, and what they had taken. */
const sweepTicks = 12;
/** A space that nobody here has asked for something for so many ticks is left to others. */
const watchedTicks = 36;

/** Operations that wait on the server, by the name that it knows them by. */
export class TupleWaits {
  readonly #link: Link;
  readonly client: string;
  readonly #tick: (key: string, sweeps: boolean) => void;
  readonly #waits = new IdTable<Waiting>();
  /** Spaces that were asked for something, and when; looked at by one timer. */
  readonly #watched = new Map<string, number>();
  #ticking: NodeJS.Timeout | undefined;
  #ticks = 0;
  #next = 1;

  constructor(link: Link, client: string, tick: (key: string, sweeps: boolean) => void) {
    this.#link = link;
    this.client = client;
    this.#tick = tick;
  }

  get size(): number {
    return this.#waits.size;
  }

  run<T>(terms: WaitTerms<T>): Promise<T> {
    return new TupleWait(this, terms).run();
  }

  nextNumber(): number {
    return this.#next++;
  }

  add(wait: Waiting): void {
    this.#waits.set(wait.number, wait);
  }

  delete(wait: { readonly number: number }): void {
    this.#waits.delete(wait.number);
  }

  watch(key: string): void {
    this.#watched.set(key, this.#ticks);
    this.#ticking ??= setInterval(() => this.#look(), tickMs).unref();
  }

  #look(): void {
    const waiting = new Set([...this.#waits.values()].map((wait) => wait.key));
    this.#ticks++;
    const sweeps = this.#ticks % sweepTicks === 0;
    for (const [key, used] of this.#watched) {
      if (sweeps || waiting.has(key)) this.#tick(key, sweeps);
      if (!waiting.has(key) && this.#ticks - used > watchedTicks) this.#watched.delete(key);
    }
    if (this.#watched.size > 0) return;
    clearInterval(this.#ticking);
    this.#ticking = undefined;
  }

  /** The server will have something to do for who waits. */
  due(key: string, ms: number): void {
    setTimeout(() => this.#tick(key, false), Math.min(ms + 1, tickMs)).unref();
  }

  grace(timeoutMs: number | undefined, over: () => void): () => void {
    return grace({
      graceMs: Math.max(graceMs, (timeoutMs ?? 0) * 0.09),
      longestMs: longestGraceMs,
      lastHeard: () => this.#link.lastHeard,
      over,
    });
  }

  /** A word of the server: something was handed to it. */
  told(wid: string): void {
    this.#waits.get(Number(wid.slice(wid.lastIndexOf(".") + 1)))?.told();
  }

  /** A new connection: words may have been missed. */
  renew(): void {
    for (const wait of [...this.#waits.values()]) wait.told();
  }

  close(): void {
    clearInterval(this.#ticking);
    const reason = new BusError("closed", "the connection was closed while the operation waited", { driver: "redis" });
    for (const wait of [...this.#waits.values()]) wait.giveUp(reason);
  }
}
