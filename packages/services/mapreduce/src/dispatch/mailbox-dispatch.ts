import { type Bus, BusError, type Delivery, type Mailbox } from "@quadrant/bus";
import { keepDoing, persist } from "../persistence.ts";
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

const tasksAddress = (job: string): string => `mapreduce.${job}.tasks`;
const reportsAddress = (job: string): string => `mapreduce.${job}.reports`;
/** A letter outlives any number of dead workers: how often a task is tried is the master's to say. */
const maxAttempts = 1_000_000;
const reportsInFlight = 256;
const nakDelayMs = 200;

/**
 * By mailboxes: a letter a task, in a box that all workers of the job empty, and a letter a report. The broker keeps the
 * leases. A letter cannot be called back, so `withdraw` does nothing.
 */
export const mailboxDispatch: Dispatch = {
  async board(bus, job, options) {
    const boxes = await openBoxes(bus, job, options.leaseMs);
    const stop = new AbortController();
    await persist(() => boxes.tasks.purge(), stop.signal);
    return new MailboxBoard(boxes, options, stop);
  },
  async source(bus, job, options) {
    return new MailboxSource(await openBoxes(bus, job, options.leaseMs), options);
  },
  async clear(bus, job) {
    for (const address of [tasksAddress(job), reportsAddress(job)]) await (await bus.mailbox(address)).destroy();
  },
};

interface Boxes {
  readonly tasks: Mailbox<Offer>;
  readonly reports: Mailbox<Report>;
}

async function openBoxes(bus: Bus, job: string, leaseMs: number): Promise<Boxes> {
  const options = { leaseMs, maxAttempts };
  return {
    tasks: await bus.mailbox<Offer>(tasksAddress(job), options),
    reports: await bus.mailbox<Report>(reportsAddress(job), options),
  };
}

class MailboxBoard implements TaskBoard {
  readonly #boxes: Boxes;
  readonly #stop: AbortController;
  readonly #options: BoardOptions;
  readonly #receiving: Promise<void>;

  constructor(boxes: Boxes, options: BoardOptions, stop: AbortController) {
    this.#boxes = boxes;
    this.#options = options;
    this.#stop = stop;
    this.#receiving = keepDoing(() => this.#receive(), stop.signal);
  }

  async offer(offer: Offer): Promise<void> {
    // By the id a repetition is known: what may have been sent is not sent twice.
    await persist(() => this.#boxes.tasks.send(offer, { id: `${this.#options.epoch}.${offer.id}` }), this.#stop.signal);
  }

  async withdraw(): Promise<void> {}

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#receiving;
  }

  async #receive(): Promise<void> {
    const letters = await this.#boxes.reports.receive({ maxInFlight: reportsInFlight, signal: this.#stop.signal });
    for await (const letter of letters) void this.#keep(letter);
  }

  async #keep(letter: Delivery<Report>): Promise<void> {
    try {
      await this.#options.onReport(letter.data);
      await letter.ack();
    } catch {
      await letter.nak({ delayMs: nakDelayMs }).catch(() => undefined);
    }
  }
}

class MailboxSource implements TaskSource {
  readonly #boxes: Boxes;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  #letters: Promise<AsyncIterator<Delivery<Offer>>> | undefined;
  /** Asked for and not yet handed over: whoever waits next gets it. */
  #next: Promise<IteratorResult<Delivery<Offer>>> | undefined;

  constructor(boxes: Boxes, { signal }: SourceOptions) {
    this.#boxes = boxes;
    this.#signal = AbortSignal.any([signal, this.#stop.signal]);
  }

  async take(signal: AbortSignal): Promise<TakenTask> {
    for (;;) {
      const letter = await unlessAborted(signal, () => this.#receive());
      if (letter !== undefined) return new LetterTask(letter, this.#boxes.reports);
    }
  }

  async close(): Promise<void> {
    this.#stop.abort();
    const letters = await this.#letters?.catch(() => undefined);
    await letters?.return?.();
    // One that came when nobody waited any more would be kept for as long as this process lives.
    const late = await this.#next?.catch(() => undefined);
    if (late?.done === false) await late.value.nak().catch(() => undefined);
  }

  async #receive(): Promise<Delivery<Offer> | undefined> {
    this.#letters ??= this.#boxes.tasks
      .receive({ maxInFlight: 1, signal: this.#signal })
      .then((subscription) => subscription[Symbol.asyncIterator]());
    this.#next ??= this.#letters.then((letters) => letters.next());
    try {
      const { done, value } = await this.#next;
      if (done === true) this.#letters = undefined;
      return done === true ? undefined : value;
    } catch (error) {
      this.#letters = undefined;
      throw error;
    } finally {
      this.#next = undefined;
    }
  }
}

/** Lets nobody wait longer than the signal; what is waited for is then for whoever waits next. */
async function unlessAborted<T>(signal: AbortSignal, wait: () => Promise<T>): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(new BusError("aborted", "waiting for a task was aborted by its signal"));
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([aborted.promise, wait()]);
  } finally {
    signal.removeEventListener("abort", abort);
    aborted.promise.catch(() => undefined);
  }
}

class LetterTask implements TakenTask {
  readonly offer: Offer;
  readonly signal: AbortSignal;
  readonly #letter: Delivery<Offer>;
  readonly #reports: Mailbox<Report>;

  constructor(letter: Delivery<Offer>, reports: Mailbox<Report>) {
    this.offer = letter.data;
    this.signal = letter.signal;
    this.#letter = letter;
    this.#reports = reports;
  }

  async report(report: Report): Promise<void> {
    if (this.signal.aborted) throw new BusError("stale", "the task's letter was lost", { cause: this.signal.reason });
    await persist(() => this.#reports.send(report, { id: report.attempt }), this.signal);
    // What is lost now was done: the letter comes once more, to a worker that learns that it was.
    await this.#letter.ack().catch(() => undefined);
  }

  async release(): Promise<void> {
    await this.#letter.nak().catch(() => undefined);
  }
}
