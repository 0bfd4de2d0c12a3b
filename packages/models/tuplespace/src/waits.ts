import { BusError, type Context, type Drainable, isBusError } from "@quadrant/contract";

/** Operations that share one controller: adding and removing listeners of a signal takes time with their number. */
const perController = 32;

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
  /** Every controller in use, with how many use it. */
  readonly #users = new Map<AbortController, number>();
  #shared: AbortController = new AbortController();
  #closing = false;

  private constructor(context: Context) {
    this.#context = context;
  }

  /** Runs an operation that ends with "closed" when the connection closes, "aborted" when `signal` is. */
  async run<T>(signal: AbortSignal | undefined, operation: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const controller = signal === undefined ? this.#borrow() : new AbortController();
    const onAbort = (): void => controller.abort(signal?.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    this.#users.set(controller, (this.#users.get(controller) ?? 0) + 1);
    try {
      return await operation(controller.signal);
    } catch (error) {
      if (this.#closing && !signal?.aborted && isBusError(error, "aborted")) throw this.#closedError();
      throw error;
    } finally {
      signal?.removeEventListener("abort", onAbort);
      const left = this.#users.get(controller)! - 1;
      if (left === 0) this.#users.delete(controller);
      else this.#users.set(controller, left);
    }
  }

  #borrow(): AbortController {
    if ((this.#users.get(this.#shared) ?? 0) >= perController) this.#shared = new AbortController();
    return this.#shared;
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
    for (const controller of [...this.#users.keys()]) controller.abort(this.#closedError());
  }
}
