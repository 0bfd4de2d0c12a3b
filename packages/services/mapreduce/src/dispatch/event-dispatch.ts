import { setTimeout as sleep } from "node:timers/promises";
import { type Bus, BusError, type Message, type Subscription } from "@quadrant/bus";
import type {
  BoardOptions,
  Dispatch,
  Offer,
  Report,
  SourceOptions,
  TakenTask,
  TaskBoard,
  TaskSource,
} from "./dispatch.ts";
import { Hold } from "./hold.ts";
import { OfferBook } from "./offer-book.ts";

/** What the master tells all workers, and what each worker tells the master. */
const toWorkers = (job: string): string => `mapreduce.${job}.board`;
const toMaster = (job: string): string => `mapreduce.${job}.work`;

/** Nothing that is told is sure to arrive: it is told again so often, until something shows that it did. */
const repeatMs = 250;
/** Of the offers that wait, so many are told of at once. */
const openTold = 256;
const buffer = 8_192;

type BoardEvent =
  | { readonly kind: "open"; readonly offers: readonly string[] }
  | { readonly kind: "award"; readonly worker: string; readonly offer: Offer }
  | { readonly kind: "receipt"; readonly attempt: string };

type WorkEvent =
  /** Of one that has nothing to claim: what is open? */
  | { readonly kind: "ask" }
  | { readonly kind: "claim" | "renew" | "release"; readonly worker: string; readonly offer: string }
  | { readonly kind: "report"; readonly report: Report };

/**
 * By events: the master tells what is open, workers claim, the master awards; everything is said to nobody in particular,
 * at most once, and said again until it has had its effect. The master keeps the leases.
 */
export const eventDispatch: Dispatch = {
  async board(bus, job, options) {
    const events = await bus.subscribe<WorkEvent>(toMaster(job), { buffer });
    return new EventBoard(bus, job, events, options);
  },
  async source(bus, job, options) {
    const events = await bus.subscribe<BoardEvent>(toWorkers(job), { buffer });
    return new EventSource(bus, job, events, options);
  },
  async clear() {},
};

class EventBoard implements TaskBoard {
  readonly #bus: Bus;
  readonly #job: string;
  readonly #options: BoardOptions;
  readonly #book: OfferBook;
  readonly #events: Subscription<Message<WorkEvent>>;
  readonly #following: Promise<void>;
  readonly #repetition: NodeJS.Timeout;
  /** Reports that are being kept. */
  readonly #keeping = new Set<string>();
  #telling = false;

  constructor(bus: Bus, job: string, events: Subscription<Message<WorkEvent>>, options: BoardOptions) {
    this.#bus = bus;
    this.#job = job;
    this.#options = options;
    this.#book = new OfferBook(options.leaseMs);
    this.#events = events;
    this.#following = this.#follow();
    this.#repetition = setInterval(() => {
      this.#book.expire();
      this.#tellOpen();
    }, repeatMs);
    this.#repetition.unref();
  }

  async offer(offer: Offer): Promise<void> {
    this.#book.add(offer);
    this.#tellOpen();
  }

  async withdraw(id: string): Promise<void> {
    this.#book.withdraw(id);
  }

  async close(): Promise<void> {
    clearInterval(this.#repetition);
    await this.#events[Symbol.asyncDispose]();
    await this.#following;
  }

  async #follow(): Promise<void> {
    for await (const { data } of this.#events) this.#hear(data);
  }

  #hear(event: WorkEvent): void {
    if (event.kind === "report") {
      void this.#keep(event.report);
    } else if (event.kind === "ask") {
      this.#tellOpen();
    } else if (event.kind === "renew") {
      this.#book.renew(event.worker, event.offer);
    } else if (event.kind === "release") {
      this.#book.release(event.worker, event.offer);
      this.#tellOpen();
    } else {
      const offer = this.#book.take(event.worker, event.offer);
      if (offer !== undefined) this.#tell({ kind: "award", worker: event.worker, offer });
      // Who claimed what is not to be had has heard too little.
      else this.#tellOpen();
    }
  }

  async #keep(report: Report): Promise<void> {
    if (this.#keeping.has(report.attempt)) return;
    this.#keeping.add(report.attempt);
    try {
      await this.#options.onReport(report);
      this.#book.remove(report.offer);
      this.#tell({ kind: "receipt", attempt: report.attempt });
    } catch {
      // Without a receipt it comes again.
    } finally {
      this.#keeping.delete(report.attempt);
    }
  }

  /** Once for all that is offered in one turn. */
  #tellOpen(): void {
    if (this.#telling) return;
    this.#telling = true;
    setImmediate(() => {
      this.#telling = false;
      const offers = [...this.#book.waiting].slice(0, openTold).map(({ id }) => id);
      if (offers.length > 0) this.#tell({ kind: "open", offers });
    });
  }

  #tell(event: BoardEvent): void {
    this.#bus.publish(toWorkers(this.#job), event).catch(() => undefined);
  }
}

class EventSource implements TaskSource {
  readonly #bus: Bus;
  readonly #job: string;
  readonly #options: SourceOptions;
  readonly #events: Subscription<Message<BoardEvent>>;
  readonly #following: Promise<void>;
  #open = new Set<string>();
  #awarded: Offer | undefined;
  #task: AwardedTask | undefined;
  #wake: () => void = () => undefined;

  constructor(bus: Bus, job: string, events: Subscription<Message<BoardEvent>>, options: SourceOptions) {
    this.#bus = bus;
    this.#job = job;
    this.#options = options;
    this.#events = events;
    this.#following = this.#follow();
  }

  async take(given: AbortSignal): Promise<TakenTask> {
    const signal = AbortSignal.any([given, this.#options.signal]);
    this.#awarded = undefined;
    // Who comes late has not heard what was open before.
    if (this.#open.size === 0) this.#tell({ kind: "ask" });
    for (;;) {
      if (signal.aborted) throw new BusError("aborted", "waiting for a task was aborted by its signal");
      const offer = this.#awarded;
      if (offer !== undefined) {
        this.#awarded = undefined;
        this.#task = new AwardedTask(this.#bus, this.#job, offer, this.#options);
        return this.#task;
      }
      this.#claim();
      await this.#change(signal);
    }
  }

  async close(): Promise<void> {
    await this.#events[Symbol.asyncDispose]();
    await this.#following;
  }

  /** One of those that are open, any: were it the first, all would claim the same. */
  #claim(): void {
    const open = [...this.#open];
    const offer = open[Math.floor(Math.random() * open.length)];
    if (offer === undefined) return;
    this.#open.delete(offer);
    this.#tell({ kind: "claim", worker: this.#options.worker, offer });
  }

  #tell(event: WorkEvent): void {
    this.#bus.publish(toMaster(this.#job), event).catch(() => undefined);
  }

  /** Something was heard that may matter, or nothing for too long. */
  async #change(signal: AbortSignal): Promise<void> {
    const heard = new AbortController();
    this.#wake = () => heard.abort();
    await sleep(repeatMs, undefined, { signal: AbortSignal.any([signal, heard.signal]) }).catch(() => undefined);
  }

  async #follow(): Promise<void> {
    for await (const { data } of this.#events) {
      if (data.kind === "receipt") this.#task?.receive(data.attempt);
      else if (data.kind === "open") this.#hearOpen(data.offers);
      else this.#hearAward(data.worker, data.offer);
    }
  }

  #hearOpen(offers: readonly string[]): void {
    const idle = this.#open.size === 0;
    this.#open = new Set(offers);
    if (idle) this.#wake();
  }

  #hearAward(worker: string, offer: Offer): void {
    this.#open.delete(offer.id);
    if (worker === this.#options.worker) this.#awarded = offer;
    else this.#task?.loseTo(offer.id);
    this.#wake();
  }
}

class AwardedTask implements TakenTask {
  readonly offer: Offer;
  readonly #bus: Bus;
  readonly #job: string;
  readonly #worker: string;
  readonly #hold: Hold;
  readonly #received = new Map<string, () => void>();

  constructor(bus: Bus, job: string, offer: Offer, { worker, leaseMs, signal }: SourceOptions) {
    this.offer = offer;
    this.#bus = bus;
    this.#job = job;
    this.#worker = worker;
    this.#hold = new Hold(leaseMs, () => this.#tell({ kind: "renew", worker, offer: offer.id }), signal);
  }

  get signal(): AbortSignal {
    return this.#hold.signal;
  }

  async report(report: Report): Promise<void> {
    const receipt = new AbortController();
    this.#received.set(report.attempt, () => receipt.abort());
    try {
      this.#hold.assertHeld();
      while (!receipt.signal.aborted) {
        await this.#tell({ kind: "report", report }).catch(() => undefined);
        const signal = AbortSignal.any([receipt.signal, this.signal]);
        await sleep(repeatMs, undefined, { signal }).catch(() => undefined);
        if (!receipt.signal.aborted && this.signal.aborted) {
          throw new BusError("indefinite", "the task was lost before anybody said that its report had come");
        }
      }
    } finally {
      this.#hold.end();
    }
  }

  async release(): Promise<void> {
    this.#hold.end();
    await this.#tell({ kind: "release", worker: this.#worker, offer: this.offer.id }).catch(() => undefined);
  }

  receive(attempt: string): void {
    this.#received.get(attempt)?.();
  }

  /** The master has given it to another. */
  loseTo(id: string): void {
    if (id === this.offer.id) this.#hold.lose();
  }

  #tell(event: WorkEvent): Promise<void> {
    return this.#bus.publish(toMaster(this.#job), event);
  }
}
