import { BusError } from "@quadrant/contract";
import type { Link } from "./link/link.ts";
import type { Asked } from "./request.ts";
import { listOf, numberOf, type Reply } from "./resp/reply-reader.ts";

/** Who waits asks again by himself after this long: whatever became of the word that there is something. */
const pollMs = 5_000;
/** What was asked when a fetch is given up is waited for so long: it may bring letters. */
const lastWordMs = 1_000;

/** One fetch that goes on until there is something. */
export interface FetchTerms<T> {
  /** Under which the script waits for it. */
  readonly key: string;
  readonly signal: AbortSignal | undefined;
  ask(): Asked;
  /** What a reply brings. */
  read(reply: Reply): T;
  /** What was asked for and has come too late. Resolves once the server has it again; never rejects. */
  giveBack(reply: Reply): Promise<void>;
  /** Makes it anew where it was lost with the server. */
  reopen(reply: number): Promise<unknown>;
  /** Tells the next who waits that there may be something. */
  pass(): void;
}

interface Waiter {
  woken: boolean;
  wake: () => void;
}

/** Fetches and reads that wait, by key: woken by messages, by time, or by a new connection. */
export class Fetching {
  readonly #link: Link;
  readonly #waiters = new Map<string, { readonly all: Set<Waiter>; pass: () => void }>();
  /** Questions that the server has not answered, or whose answers are being given back. */
  readonly #underWay = new Set<Asked>();
  /** The same, of those who have given up. */
  readonly #late = new Set<Asked>();
  #idle: (() => void) | undefined;
  #closed = false;

  constructor(link: Link) {
    this.#link = link;
  }

  get size(): number {
    let size = 0;
    for (const { all } of this.#waiters.values()) size += all.size;
    return size;
  }

  /** undefined: it was given up before there was anything. */
  async fetch<T>(terms: FetchTerms<T>): Promise<T | undefined> {
    const waiter: Waiter = { woken: false, wake: () => undefined };
    const leave = this.#join(terms, waiter);
    const { signal } = terms;
    const onAbort = (): void => waiter.wake();
    signal?.addEventListener("abort", onAbort);
    try {
      for (;;) {
        if (signal?.aborted) return undefined;
        if (this.#closed) throw this.#closedError();
        waiter.woken = false;
        const reply = await this.#ask(terms);
        if (reply === undefined) return undefined;
        if (reply === -1 || reply === -2) {
          await terms.reopen(reply);
          continue;
        }
        const [kind, due] = listOf(reply);
        if (kind === 1) return terms.read(reply);
        if (kind === 0) await this.#sleep(waiter, terms, numberOf(due));
      }
    } finally {
      signal?.removeEventListener("abort", onAbort);
      leave();
    }
  }

  #join({ key, pass }: FetchTerms<unknown>, waiter: Waiter): () => void {
    const known = this.#waiters.get(key) ?? { all: new Set<Waiter>(), pass };
    this.#waiters.set(key, known);
    known.all.add(waiter);
    return () => {
      known.all.delete(waiter);
      // Whoever was woken and leaves may have been the only one who knows.
      if (waiter.woken && !this.#closed) pass();
      if (known.all.size === 0 && this.#waiters.get(key) === known) this.#waiters.delete(key);
    };
  }

  /** The answer; undefined when the fetch was given up and none came. What comes to a closed connection is given back. */
  async #ask(terms: FetchTerms<unknown>): Promise<Reply | undefined> {
    const asked = terms.ask();
    this.#underWay.add(asked);
    try {
      const reply = await this.#answer(terms, asked);
      if (!this.#closed || reply === undefined) return reply;
      await terms.giveBack(reply);
      throw this.#closedError();
    } finally {
      this.#underWay.delete(asked);
      this.#tellIdle();
    }
  }

  #answer(terms: FetchTerms<unknown>, asked: Asked): Promise<Reply | undefined> {
    const { signal } = terms;
    if (signal === undefined) return asked.answer;
    return new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined;
      const giveUp = (): void => {
        this.#abandon(terms, asked);
        resolve(undefined);
      };
      const onAbort = (): void => {
        if (asked.written && this.#link.ready) timer = setTimeout(giveUp, lastWordMs);
        else giveUp();
      };
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", onAbort);
      };
      signal.addEventListener("abort", onAbort, { once: true });
      asked.answer.finally(done).then(resolve, reject);
    });
  }

  #abandon(terms: FetchTerms<unknown>, asked: Asked): void {
    const written = asked.abandon((reply) => void terms.giveBack(reply).then(() => this.#over(asked)));
    if (written) this.#late.add(asked);
  }

  #over(asked: Asked): void {
    this.#underWay.delete(asked);
    this.#late.delete(asked);
    this.#tellIdle();
  }

  #tellIdle(): void {
    if (this.#underWay.size + this.#late.size === 0) this.#idle?.();
  }

  #sleep(waiter: Waiter, { signal }: FetchTerms<unknown>, dueMs: number): Promise<void> {
    if (waiter.woken || this.#closed || signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const ms = dueMs < 0 ? pollMs : Math.min(pollMs, dueMs + 1);
      const timer = setTimeout(() => waiter.wake(), ms);
      waiter.wake = () => {
        clearTimeout(timer);
        waiter.wake = () => undefined;
        resolve();
      };
    });
  }

  /** There may be something under the key. False where nobody here waits for it. */
  woken(key: string): boolean {
    const known = this.#waiters.get(key);
    if (known === undefined) return false;
    for (const waiter of known.all) {
      waiter.woken = true;
      waiter.wake();
    }
    return true;
  }

  /** There will be something under the key. */
  due(key: string, ms: number): void {
    const known = this.#waiters.get(key);
    if (known === undefined) return;
    setTimeout(() => this.woken(key), Math.min(ms + 1, pollMs)).unref();
  }

  /** A new connection: words may have been missed, and what was asked for nobody over the one before is not answered. */
  renew(): void {
    this.#late.clear();
    this.#wakeAll();
  }

  #wakeAll(): void {
    for (const key of [...this.#waiters.keys()]) this.woken(key);
  }

  /**
   * Nothing is asked any more. Resolves once the server has answered what was, and has back what came of that: a node of a
   * cluster answers in its own time, whatever the others have answered.
   */
  close(): Promise<void> {
    this.#closed = true;
    this.#wakeAll();
    return new Promise((resolve) => {
      this.#idle = resolve;
      this.#tellIdle();
    });
  }

  #closedError(): BusError {
    return new BusError("closed", "the connection was closed while a fetch waited", { driver: "redis" });
  }
}
