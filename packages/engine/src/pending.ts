import type { BusError, Wait } from "@quadrant/contract";
import type { Interest, Owner } from "./owner.ts";
import type { Setting } from "./setting.ts";
import type { Timer } from "./timer-heap.ts";

export interface PendingOptions<T> extends Wait {
  /** What waits, for messages: "a take from the space jobs". */
  readonly what: string;
  /** What an abort resolves with, where it does not reject. */
  readonly onAbort?: (() => T) | undefined;
  /** Called once, when the wait ends for whatever reason. */
  readonly onEnd: () => void;
}

/**
 * An operation that waits: captured, timed out, aborted or closed, whichever is first, and nothing after it. What was
 * captured is answered once it is committed. Its options are not kept: many wait for long (`waiting-line.ts`).
 */
export class Pending<T> implements Interest {
  seat: number | undefined = undefined;
  secondSeat: number | undefined = undefined;
  readonly promise: Promise<T>;
  readonly #setting: Setting;
  readonly #owner: Owner;
  readonly #what: string;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort: (() => T) | undefined;
  readonly #onEnd: () => void;
  readonly #timer: Timer | undefined;
  readonly #abort: (() => void) | undefined;
  #resolve!: (value: T) => void;
  #reject!: (error: BusError) => void;
  #ended = false;

  constructor(setting: Setting, owner: Owner, options: PendingOptions<T>) {
    this.#setting = setting;
    this.#owner = owner;
    this.#what = options.what;
    this.#signal = options.signal;
    this.#onAbort = options.onAbort;
    this.#onEnd = options.onEnd;
    this.promise = new Promise<T>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    const { timeoutMs, signal } = options;
    if (timeoutMs !== undefined && timeoutMs !== Number.POSITIVE_INFINITY) {
      this.#timer = setting.timers.add(setting.now() + timeoutMs, () =>
        this.end(setting.fault("timeout", `${this.#what}: nothing came within ${timeoutMs} ms`)),
      );
    }
    if (signal !== undefined) {
      this.#abort = () => this.#aborted(signal);
      signal.addEventListener("abort", this.#abort, { once: true });
    }
    owner.interests.add(this);
  }

  resolve(value: T): void {
    if (!this.#finish()) return;
    const barrier = this.#setting.commits?.barrier();
    if (barrier === undefined) this.#resolve(value);
    else
      barrier.then(
        () => this.#resolve(value),
        (error: BusError) => this.#reject(error),
      );
  }

  end(error: BusError): void {
    if (this.#finish()) this.#reject(error);
  }

  #aborted(signal: AbortSignal): void {
    // What was due before the abort was captured before it.
    this.#setting.timers.catchUp();
    if (this.#onAbort !== undefined) this.resolve(this.#onAbort());
    else this.end(this.#setting.aborted(signal, this.#what));
  }

  #finish(): boolean {
    if (this.#ended) return false;
    this.#ended = true;
    this.#setting.timers.cancel(this.#timer);
    if (this.#abort !== undefined) this.#signal?.removeEventListener("abort", this.#abort);
    this.#owner.interests.delete(this);
    this.#onEnd();
    return true;
  }
}
