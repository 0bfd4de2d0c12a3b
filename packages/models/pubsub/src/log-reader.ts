import {
  abortedError,
  after,
  BusError,
  type Context,
  Feed,
  type LogEntry,
  type LogPage,
  type Logs,
  type Opened,
  type ReadOptions,
  type StandardSchema,
  type Start,
  type StoredEntry,
  validate,
} from "@quadrant/contract";

const pageSize = 256;
const firstRetryMs = 50;
const longestRetryMs = 1_000;

/** What was asked of a log, and how its entries are understood. */
export interface Reading<T> {
  readonly context: Context;
  readonly logs: Logs;
  readonly name: string;
  readonly schema: StandardSchema<T> | undefined;
}

/** The entry as the user gets it; throws, or rejects with, "codec" or "invalid" naming its sequence. */
export function entryOf<T>(reading: Reading<T>, stored: StoredEntry): LogEntry<T> | Promise<LogEntry<T>> {
  const { context, name, schema } = reading;
  const entry = (data: T): LogEntry<T> => ({
    subject: stored.subject,
    data,
    headers: { ...stored.headers },
    seq: stored.seq,
    time: new Date(stored.time),
    ...(stored.id === undefined ? undefined : { id: stored.id }),
  });
  const unreadable = (cause: unknown): BusError => {
    const code = cause instanceof BusError ? cause.code : "codec";
    const why = cause instanceof Error ? cause.message : String(cause);
    const where = `entry ${stored.seq} of log ${JSON.stringify(name)}`;
    return new BusError(code, `${where}: ${why}; read on from { seq: ${stored.seq + 1} }`, { cause });
  };
  try {
    const data = context.bodies.decode(stored.contentType, stored.body);
    if (schema === undefined) return entry(data as T);
    const valid = validate(schema, data);
    if (!(valid instanceof Promise)) return entry(valid);
    return valid.then(entry, (cause: unknown) => Promise.reject(unreadable(cause)));
  } catch (cause) {
    throw unreadable(cause);
  }
}

/** Pulls the pages of one read as its iterator wants them; nothing is asked of the broker before. */
export class LogReader<T> {
  readonly feed: Feed<LogEntry<T>, StoredEntry>;
  readonly #reading: Reading<T>;
  readonly #options: ReadOptions;
  /** Ends a wait for new entries. */
  readonly #controller = new AbortController();
  #position: Start;
  /** With `to: "end"`: the last sequence when the reading began. */
  #last: number | undefined;
  #pulling = false;
  #failures = 0;
  #untrack: (() => void) | undefined;
  #cancelRetry: (() => void) | undefined;

  constructor(reading: Reading<T>, options: ReadOptions) {
    this.#reading = reading;
    this.#options = options;
    this.#position = options.from ?? "first";
    this.feed = new Feed({
      open: (stored) => this.#open(stored),
      onWant: () => this.#pull(),
      onEnd: () => {
        options.signal?.removeEventListener("abort", this.#onAbort);
        this.#controller.abort();
        this.#cancelRetry?.();
        this.#untrack?.();
      },
    });
    options.signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  /** Who follows has had what there was; who reads to the end has not reached it. */
  readonly #onAbort = (): void => {
    const { signal, to } = this.#options;
    while (this.feed.size > 0) this.feed.shift();
    void this.feed.end(to === "end" && signal !== undefined ? abortedError(signal, this.#what) : undefined);
  };

  get #what(): string {
    return `reading log ${JSON.stringify(this.#reading.name)}`;
  }

  #open(stored: StoredEntry): Opened<LogEntry<T>> | Promise<Opened<LogEntry<T>>> {
    const entry = entryOf(this.#reading, stored);
    if (entry instanceof Promise) return entry.then((value) => ({ value, done: false }));
    return { value: entry, done: false };
  }

  #pull(): void {
    if (this.#pulling) return;
    this.#pulling = true;
    this.#track();
    void this.#pullPage().then(
      () => {
        this.#pulling = false;
        if (this.feed.hungry && this.#cancelRetry === undefined) this.#pull();
      },
      (error: unknown) => {
        this.#pulling = false;
        this.#failed(error);
      },
    );
  }

  /** From the first page on: a read that nobody iterates holds nothing. */
  #track(): void {
    if (this.#untrack !== undefined) return;
    const follows = this.#options.to !== "end";
    this.#untrack = this.#reading.context.track({
      // A follower is done with what is here; who reads to the end may get there while the connection drains.
      drain: () => (follows ? this.feed.finish() : Promise.resolve()),
      abandon: () => void (follows || this.#atEnd() ? this.feed.finish() : this.feed.end(this.#closedError())),
    });
    if (this.feed.ended) this.#untrack();
  }

  #closedError(): BusError {
    return new BusError("closed", `the bus closed while ${this.#what}; connect again`);
  }

  async #pullPage(): Promise<void> {
    const { logs, name } = this.#reading;
    const { to, filter } = this.#options;
    if (to === "end" && this.#last === undefined) this.#last = (await logs.info(name)).last;
    if (this.feed.ended) return;
    if (this.#atEnd()) return void this.feed.finish();
    const page = await logs.read(name, {
      from: this.#position,
      filter,
      max: pageSize,
      follow: to !== "end",
      signal: this.#controller.signal,
    });
    this.#failures = 0;
    this.#take(page);
  }

  #atEnd(): boolean {
    if (this.#last === undefined) return false;
    return this.#last === 0 || this.#position === "new" || this.#seq > this.#last;
  }

  /** Where the next page begins, as far as that is known by its sequence. */
  get #seq(): number {
    return typeof this.#position === "object" && "seq" in this.#position ? this.#position.seq : 0;
  }

  #take(page: LogPage): void {
    const last = this.#last ?? Number.POSITIVE_INFINITY;
    for (const entry of page.entries) if (entry.seq <= last) this.feed.push(entry);
    const stuck = last !== Number.POSITIVE_INFINITY && page.entries.length === 0 && page.next <= this.#seq;
    // The end is where the next page would begin: found when the iterator asks for it.
    this.#position = { seq: stuck ? Number.POSITIVE_INFINITY : page.next };
  }

  /** A follower outlives what passes; who reads to the end is told at once. */
  #failed(error: unknown): void {
    if (this.feed.ended) return;
    const known = error instanceof BusError ? error : undefined;
    if (this.#options.to === "end" || known?.retryable !== true) {
      const other = new BusError("unavailable", `${this.#what} failed: ${String(error)}`, { cause: error });
      void this.feed.end(known ?? other);
      return;
    }
    this.#failures++;
    const longest = Math.min(longestRetryMs, firstRetryMs * 2 ** (this.#failures - 1));
    this.#cancelRetry = after(longest / 2 + (Math.random() * longest) / 2, () => {
      this.#cancelRetry = undefined;
      if (this.feed.hungry) this.#pull();
    });
  }
}
