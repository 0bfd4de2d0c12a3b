import { setTimeout as sleep } from "node:timers/promises";
import { type Bus, BusError, type Client, callContext, type Server } from "@quadrant/bus";
import { epochOf } from "../roles/job-log.ts";
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
import { Hold, staleLease } from "./hold.ts";
import { OfferBook } from "./offer-book.ts";

/** A master's own: calls for the one that has taken over never reach one that was stopped. */
const address = (job: string, epoch: number): string => `mapreduce.${job}.master.${epoch}`;
/** How long a call waits for an offer before it is answered that there is none. */
const pollMs = 1_000;
const retryMs = 100;

/** What a master is called for. */
interface MasterService {
  take(worker: string): Promise<Offer | null>;
  renew(worker: string, offer: string): boolean;
  release(worker: string, offer: string): void;
  report(report: Report): Promise<void>;
}

/** By direct calls: workers call the master that is up for something to do, and wait for it. The master keeps the leases. */
export const directDispatch: Dispatch = {
  async board(bus, job, options) {
    const board = new DirectBoard(options);
    await board.open(bus, job);
    return board;
  },
  async source(bus, job, options) {
    return new DirectSource(bus, job, options);
  },
  async clear() {},
};

class DirectBoard implements TaskBoard {
  readonly #options: BoardOptions;
  readonly #book: OfferBook;
  readonly #wakers = new Set<() => void>();
  readonly #expiry: NodeJS.Timeout;
  #server: Server | undefined;

  constructor(options: BoardOptions) {
    this.#options = options;
    this.#book = new OfferBook(options.leaseMs);
    this.#expiry = setInterval(() => this.#book.expire() && this.#wake(), options.leaseMs / 4);
    this.#expiry.unref();
  }

  async open(bus: Bus, job: string): Promise<void> {
    const service: MasterService = {
      take: (worker) => this.#take(worker),
      renew: (worker, offer) => this.#book.renew(worker, offer),
      release: (worker, offer) => {
        this.#book.release(worker, offer);
        this.#wake();
      },
      report: async (report) => {
        await this.#options.onReport(report);
        this.#book.remove(report.offer);
      },
    };
    const description = "hands out the tasks of a MapReduce job";
    this.#server = await bus.serve(address(job, this.#options.epoch), service, { description });
  }

  async offer(offer: Offer): Promise<void> {
    this.#book.add(offer);
    this.#wake();
  }

  async withdraw(id: string): Promise<void> {
    this.#book.withdraw(id);
  }

  async close(): Promise<void> {
    clearInterval(this.#expiry);
    this.#wake();
    await this.#server?.[Symbol.asyncDispose]();
  }

  async #take(worker: string): Promise<Offer | null> {
    const signal = callContext()?.signal;
    const offer = this.#book.take(worker);
    if (offer !== undefined) return offer;
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#wakers.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, pollMs);
      this.#wakers.add(wake);
    });
    // Whoever has given up must not be given anything.
    return signal?.aborted === true ? null : (this.#book.take(worker) ?? null);
  }

  #wake(): void {
    for (const wake of [...this.#wakers]) wake();
  }
}

class DirectSource implements TaskSource {
  readonly #bus: Bus;
  readonly #job: string;
  readonly #options: SourceOptions;

  constructor(bus: Bus, job: string, options: SourceOptions) {
    this.#bus = bus;
    this.#job = job;
    this.#options = options;
  }

  async take(given: AbortSignal): Promise<TakenTask> {
    const { worker, leaseMs, signal: end } = this.#options;
    const signal = AbortSignal.any([given, end]);
    for (;;) {
      const offer = await this.#call(signal, (master) => master.take(worker));
      if (offer !== null) return new CalledTask(offer, worker, leaseMs, (call, until) => this.#call(until, call), end);
    }
  }

  async close(): Promise<void> {}

  /** Calls the master that is up, as often as it takes to reach one. */
  async #call<T>(signal: AbortSignal, call: (master: Client<MasterService>) => Promise<T>): Promise<T> {
    for (;;) {
      if (signal.aborted) throw new BusError("aborted", "a call to the master was aborted by its signal");
      try {
        const epoch = await epochOf(this.#bus, this.#job);
        return await call(this.#bus.client<MasterService>(address(this.#job, epoch), { signal }));
      } catch (error) {
        if (error instanceof BusError && (error.code === "closed" || error.code === "denied")) throw error;
        await sleep(retryMs * (1 + Math.random()), undefined, { signal }).catch(() => undefined);
      }
    }
  }
}

type Call = <T>(call: (master: Client<MasterService>) => Promise<T>, signal: AbortSignal) => Promise<T>;

class CalledTask implements TakenTask {
  readonly offer: Offer;
  readonly #worker: string;
  readonly #call: Call;
  readonly #hold: Hold;

  constructor(offer: Offer, worker: string, leaseMs: number, call: Call, end: AbortSignal) {
    this.offer = offer;
    this.#worker = worker;
    this.#call = call;
    const renew = async (): Promise<void> => {
      // A master that has just taken over knows of no lease: it has offered anew what is not done.
      if (!(await call((master) => master.renew(worker, offer.id), this.#hold.signal))) throw staleLease(undefined);
    };
    this.#hold = new Hold(leaseMs, renew, end);
  }

  get signal(): AbortSignal {
    return this.#hold.signal;
  }

  async report(report: Report): Promise<void> {
    try {
      this.#hold.assertHeld();
      await this.#call((master) => master.report(report), this.signal);
    } finally {
      this.#hold.end();
    }
  }

  async release(): Promise<void> {
    this.#hold.end();
    const soon = AbortSignal.timeout(pollMs);
    await this.#call((master) => master.release(this.#worker, this.offer.id), soon).catch(() => undefined);
  }
}
