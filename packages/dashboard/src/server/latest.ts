/** A value that changes: whoever follows gets the latest, and what came between two looks is left out. */
export class Latest<T> {
  #value: T;
  #version = 0;
  #waiting = new Set<() => void>();

  constructor(value: T) {
    this.#value = value;
  }

  get value(): T {
    return this.#value;
  }

  /** How many follow and have nothing new. */
  get followers(): number {
    return this.#waiting.size;
  }

  set(value: T): void {
    this.#value = value;
    this.#version++;
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const wake of waiting) wake();
  }

  /** The value as it is, then each change; until the signal. */
  async *follow(signal: AbortSignal): AsyncGenerator<T> {
    let seen = -1;
    while (!signal.aborted) {
      if (seen === this.#version) await this.#change(signal);
      else {
        seen = this.#version;
        yield this.#value;
      }
    }
  }

  #change(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        signal.removeEventListener("abort", wake);
        this.#waiting.delete(wake);
        resolve();
      };
      signal.addEventListener("abort", wake, { once: true });
      this.#waiting.add(wake);
    });
  }
}
