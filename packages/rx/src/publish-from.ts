import { BusError, type PublishOptions } from "@quadrant/contract";
import { from, type ObservableInput, Subject, takeUntil } from "rxjs";

/** What values are published on: a bus. */
export interface PublishTarget {
  publish(subject: string, data: unknown, options?: PublishOptions): Promise<void>;
}

export interface PublishFromOptions extends PublishOptions {
  /** How many publishes may be on their way to the broker. Default 64. */
  readonly concurrency?: number | undefined;
  /** How many values may wait for that. Default 65 536. */
  readonly buffer?: number | undefined;
  /** What happens when as many wait. Default "error": the publishing ends with "overflow". */
  readonly overflow?: "error" | "drop-oldest" | "drop-newest" | undefined;
}

/**
 * A publishing under way. Awaited, it resolves when the source has completed and all its values are published, and
 * rejects with the first error, the source's included; an error that nobody awaits is nobody's. Disposing it leaves the
 * source, drops what waits, and resolves once what is on its way has arrived.
 */
export interface Publishing extends PromiseLike<void>, AsyncDisposable {
  readonly published: number;
  /** Values that were dropped because too many waited. */
  readonly dropped: number;
}

const policies: readonly unknown[] = ["error", "drop-oldest", "drop-newest"];

function checkWhole(name: string, value: number, least: number): void {
  if (value !== Number.POSITIVE_INFINITY && (!Number.isSafeInteger(value) || value < least)) {
    throw new BusError("invalid", `${name}: ${String(value)} is no count; give a whole number, at least ${least}`);
  }
}

class Publisher<T> implements Publishing {
  published = 0;
  dropped = 0;
  readonly #bus: PublishTarget;
  readonly #subjectOf: (value: T) => string;
  readonly #options: PublishOptions;
  readonly #concurrency: number;
  readonly #buffer: number;
  readonly #overflow: "error" | "drop-oldest" | "drop-newest";
  readonly #left = new Subject<void>();
  readonly #done: PromiseWithResolvers<undefined> = Promise.withResolvers();
  readonly #idle: (() => void)[] = [];
  /** From #head on: what is before is gone. */
  #waiting: (T | undefined)[] = [];
  #head = 0;
  #inFlight = 0;
  #completed = false;
  #ended = false;

  constructor(bus: PublishTarget, subjectOf: (value: T) => string, options: PublishFromOptions) {
    const { headers, concurrency = 64, buffer = 65_536, overflow = "error" } = options;
    checkWhole("concurrency", concurrency, 1);
    checkWhole("buffer", buffer, 0);
    if (!policies.includes(overflow)) {
      throw new BusError("invalid", 'overflow: give "error", "drop-oldest" or "drop-newest"');
    }
    this.#bus = bus;
    this.#subjectOf = subjectOf;
    this.#options = headers === undefined ? {} : { headers };
    this.#concurrency = concurrency;
    this.#buffer = buffer;
    this.#overflow = overflow;
    this.#done.promise.catch(() => undefined);
  }

  start(source: ObservableInput<T>): void {
    from(source)
      .pipe(takeUntil(this.#left))
      .subscribe({
        next: (value) => this.#take(value),
        error: (error: unknown) => this.#end(error),
        complete: () => {
          this.#completed = true;
          this.#settle();
        },
      });
  }

  // biome-ignore lint/suspicious/noThenProperty: to be awaited is what it is for
  then<A = undefined, B = never>(
    onDone?: ((value: undefined) => A | PromiseLike<A>) | null,
    onError?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#done.promise.then(onDone, onError);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end();
    if (this.#inFlight > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #take(value: T): void {
    if (this.#ended) return;
    if (this.#inFlight < this.#concurrency) this.#publish(value);
    else if (this.#waiting.length - this.#head < this.#buffer) this.#waiting.push(value);
    else if (this.#overflow === "error") {
      this.#end(
        new BusError(
          "overflow",
          `${this.#buffer} values wait to be published already: slow the source down, or give overflow: "drop-oldest"`,
        ),
      );
    } else {
      this.dropped++;
      if (this.#overflow === "drop-newest" || this.#buffer === 0) return;
      this.#shift();
      this.#waiting.push(value);
    }
  }

  #publish(value: T): void {
    this.#inFlight++;
    // A subject that cannot be told, and a bus that throws, are rejections like others.
    const publishing = (async (): Promise<void> => this.#bus.publish(this.#subjectOf(value), value, this.#options))();
    publishing.then(
      () => {
        this.published++;
        this.#arrived();
      },
      (error: unknown) => {
        this.#end(error);
        this.#arrived();
      },
    );
  }

  #arrived(): void {
    this.#inFlight--;
    if (!this.#ended && this.#head < this.#waiting.length) this.#publish(this.#shift());
    this.#settle();
    if (this.#inFlight === 0) for (const idle of this.#idle.splice(0)) idle();
  }

  #shift(): T {
    const value = this.#waiting[this.#head] as T;
    this.#waiting[this.#head++] = undefined;
    if (this.#head === this.#waiting.length || (this.#head > 1_024 && this.#head * 2 > this.#waiting.length)) {
      this.#waiting = this.#waiting.slice(this.#head);
      this.#head = 0;
    }
    return value;
  }

  #settle(): void {
    if (this.#completed && this.#inFlight === 0 && this.#head === this.#waiting.length) this.#end();
  }

  /** The first call decides how it ended. */
  #end(...error: readonly [unknown?]): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#waiting = [];
    this.#head = 0;
    if (error.length === 0) this.#done.resolve(undefined);
    else this.#done.reject(error[0]);
    this.#left.next();
  }
}

/**
 * Publishes what an observable emits, in order, on one subject or on the one that `subject` tells for each value.
 * An observable cannot be slowed down: publishes beyond `concurrency` wait, at most `buffer` of them, then `overflow`
 * says what happens. Throws "invalid" for a bad option.
 */
export function publishFrom<T>(
  bus: PublishTarget,
  subject: string | ((value: T) => string),
  source: ObservableInput<T>,
  options: PublishFromOptions = {},
): Publishing {
  const publisher = new Publisher<T>(bus, typeof subject === "function" ? subject : () => subject, options);
  publisher.start(source);
  return publisher;
}
