import {
  abortedError,
  after,
  BusError,
  decodeTuple,
  Feed,
  isBusError,
  type Match,
  type SpaceEvent,
  type TupleEvent,
} from "@quadrant/contract";
import type { Origin } from "./origin.ts";

const pageSize = 256;
const firstRetryMs = 50;
const longestRetryMs = 1_000;

/**
 * Pulls what has happened in a space, a page at a time, as its iterator wants it: who is slow holds one page here, and
 * nothing elsewhere. Where it stands is a number, so that it goes on from there whatever becomes of the connection.
 */
export class Watcher<P> {
  readonly feed: Feed<SpaceEvent<Match<P>>, TupleEvent>;
  readonly #origin: Origin;
  readonly #template: string;
  readonly #signal: AbortSignal | undefined;
  /** Ends a wait for new events. */
  readonly #controller = new AbortController();
  #last = 0;
  #pulling = false;
  #failures = 0;
  #untrack: (() => void) | undefined;
  #cancelRetry: (() => void) | undefined;

  private constructor(origin: Origin, template: string, signal: AbortSignal | undefined) {
    this.#origin = origin;
    this.#template = template;
    this.#signal = signal;
    this.feed = new Feed({
      open: ({ kind, seq, tuple }) => ({ value: { kind, seq, tuple: decodeTuple(tuple) as Match<P> }, done: false }),
      onWant: () => this.#pull(),
      onEnd: () => {
        this.#controller.abort();
        this.#cancelRetry?.();
        this.#untrack?.();
      },
      signal,
    });
  }

  /** Resolves once it knows where it begins: it misses nothing that happens from then on. */
  static async open<P>(
    origin: Origin,
    template: string,
    from: number | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Watcher<P>> {
    const { context, tuples, space } = origin;
    if (signal?.aborted) throw abortedError(signal, `watching space ${JSON.stringify(space)}`, context.driver.name);
    const page = await tuples.watch!(space, { template, after: from, follow: false, max: pageSize });
    const watcher = new Watcher<P>(origin, template, signal);
    watcher.#last = page.last;
    // What is here already is had before the connection ends.
    watcher.#untrack = context.track({
      drain: () => watcher.feed.finish(),
      abandon: () => void watcher.feed.end(),
    });
    if (watcher.feed.ended) watcher.#untrack();
    for (const event of page.events) watcher.feed.push(event);
    return watcher;
  }

  #pull(): void {
    if (this.#pulling || this.feed.ended) return;
    this.#pulling = true;
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

  async #pullPage(): Promise<void> {
    const { tuples, space } = this.#origin;
    const { events, last } = await tuples.watch!(space, {
      template: this.#template,
      after: this.#last,
      follow: true,
      max: pageSize,
      signal: this.#controller.signal,
    });
    this.#failures = 0;
    this.#last = last;
    for (const event of events) this.feed.push(event);
  }

  /** It outlives what passes. */
  #failed(error: unknown): void {
    if (this.feed.ended) return;
    if (!isBusError(error) || !(error.retryable || error.code === "indefinite")) {
      const { name } = this.#origin.context.driver;
      const what = `watching space ${JSON.stringify(this.#origin.space)} failed: ${String(error)}`;
      const other = new BusError("unavailable", what, { cause: error, driver: name });
      void this.feed.end(isBusError(error) ? error : other);
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
