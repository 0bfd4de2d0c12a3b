/**
 * The signal of one request that may wait: an AbortSignal as far as the engine looks at one, for a fraction of its cost.
 * Hundreds of thousands are made a second, and hardly one is ever aborted.
 */
export class Withdrawal {
  aborted = false;
  readonly reason: undefined = undefined;
  /** Mostly there is one: no list for it. */
  #listener: (() => void) | undefined = undefined;
  #others: (() => void)[] | undefined = undefined;

  get signal(): AbortSignal {
    return this as unknown as AbortSignal;
  }

  addEventListener(_: "abort", listener: () => void): void {
    if (this.#listener === undefined) this.#listener = listener;
    else {
      this.#others ??= [];
      this.#others.push(listener);
    }
  }

  removeEventListener(_: "abort", listener: () => void): void {
    if (this.#listener === listener) {
      this.#listener = this.#others?.shift();
      return;
    }
    const at = this.#others?.indexOf(listener) ?? -1;
    if (at !== -1) this.#others!.splice(at, 1);
  }

  abort(): void {
    if (this.aborted) return;
    this.aborted = true;
    const first = this.#listener;
    const others = this.#others;
    this.#listener = this.#others = undefined;
    first?.();
    for (const listener of others ?? []) listener();
  }
}
