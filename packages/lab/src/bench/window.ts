/** How many messages may be on their way: what was produced and not yet consumed. Without a bound, queues would be measured. */
export class Window {
  readonly #size: number;
  #produced = 0;
  #consumed = 0;
  #waiting: PromiseWithResolvers<void> | undefined;

  constructor(size: number) {
    this.#size = size;
  }

  get produced(): number {
    return this.#produced;
  }

  /** The number of the next message, or undefined where there is no room for it. */
  next(): number | undefined {
    return this.#produced - this.#consumed < this.#size ? this.#produced++ : undefined;
  }

  /** Resolves when there may be room. */
  room(): Promise<void> {
    this.#waiting ??= Promise.withResolvers();
    return this.#waiting.promise;
  }

  /** So many were consumed in all. */
  consumed(count: number): void {
    this.#consumed = Math.max(this.#consumed, count);
    this.#waiting?.resolve();
    this.#waiting = undefined;
  }
}
