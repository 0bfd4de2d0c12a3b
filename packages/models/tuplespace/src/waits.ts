import { BusError, type Context, type Drainable, isBusError, type Wait } from "@quadrant/contract";

/** Operations that share one controller: adding and removing listeners of a signal takes time with their number. */
const perController = 32;

/** What ends the operations that share it. */
export class Ending implements Wait {
  readonly timeoutMs: undefined = undefined;
  readonly signal: AbortSignal;
  readonly #controller = new AbortController();
  /** How many wait. */
  users = 0;

  constructor() {
    this.signal = this.#controller.signal;
  }

  /** The wait of an operation that has so long. */
  within(timeoutMs: number | undefined): Wait {
    return timeoutMs === undefined ? this : { timeoutMs, signal: this.signal };
  }

  abort(reason: unknown): void {
    this.#controller.abort(reason);
  }
}

/**
 * The operations of a connection that wait for a tuple, so that they end when it begins to close: nothing new is taken
 * in then. An operation without a signal of its own borrows a shared one, at no cost to it.
 */
export class Waits implements Drainable {
  static readonly #all = new WeakMap<Context, Waits>();

  static of(context: Context): Waits {
    let waits = Waits.#all.get(context);
    if (waits === undefined) {
      waits = new Waits(context);
      Waits.#all.set(context, waits);
      context.track(waits);
    }
    return waits;
  }

  readonly #context: Context;
  readonly #used = new Set<Ending>();
  #shared = new Ending();
  #closing = false;

  private constructor(context: Context) {
    this.#context = context;
  }

  /** What an operation is given to end by. */
  ending(signal: AbortSignal | undefined): Ending {
    if (signal !== undefined) return new Ending();
    if (this.#shared.users >= perController) this.#shared = new Ending();
    return this.#shared;
  }

  /**
   * Of an operation that has to wait, begun in this turn: ends it with "closed" when the connection closes, "aborted" when
   * `signal` is.
   */
  async wait<T>(ending: Ending, signal: AbortSignal | undefined, answer: Promise<T>): Promise<T> {
    const onAbort = (): void => ending.abort(signal?.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    if (++ending.users === 1) this.#used.add(ending);
    try {
      return await answer;
    } catch (error) {
      if (this.#closing && !signal?.aborted && isBusError(error, "aborted")) throw this.#closedError();
      throw error;
    } finally {
      signal?.removeEventListener("abort", onAbort);
      if (--ending.users === 0) this.#used.delete(ending);
    }
  }

  #closedError(): BusError {
    return new BusError("closed", "the bus closed while the operation waited for a tuple; nothing was taken", {
      driver: this.#context.driver.name,
    });
  }

  drain(): Promise<void> {
    this.abandon();
    return Promise.resolve();
  }

  abandon(): void {
    this.#closing = true;
    for (const ending of [...this.#used]) ending.abort(this.#closedError());
  }
}
