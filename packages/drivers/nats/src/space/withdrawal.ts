/**
 * The signal of one request that may wait: an AbortSignal as far as the engine looks at one, for a fraction of its cost.
 */
export class Withdrawal {
  aborted = false;
  readonly reason: undefined = undefined;
  #listener: (() => void) | undefined;

  get signal(): AbortSignal {
    return this as unknown as AbortSignal;
  }

  addEventListener(_: "abort", listener: () => void): void {
    this.#listener = listener;
  }

  removeEventListener(): void {
    this.#listener = undefined;
  }

  abort(): void {
    if (this.aborted) return;
    this.aborted = true;
    const listener = this.#listener;
    this.#listener = undefined;
    listener?.();
  }
}
