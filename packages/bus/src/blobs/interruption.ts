import type { BusError } from "@quadrant/contract";

/** Ends from outside whatever one party waits for, then and ever after. It waits for one thing at a time. */
export class Interruption {
  #error: BusError | undefined;
  #reject: ((error: BusError) => void) | undefined;

  /** The first error counts. */
  interrupt(error: BusError): void {
    if (this.#error !== undefined) return;
    this.#error = error;
    this.#reject?.(error);
  }

  /** The outcome of `work`, or the error as soon as there is one. */
  async unless<T>(work: PromiseLike<T>): Promise<T> {
    try {
      return await new Promise<T>((resolve, reject) => {
        if (this.#error !== undefined) reject(this.#error);
        else this.#reject = reject;
        // Here as well where it comes too late: its rejection is nobody's then.
        work.then(resolve, reject);
      });
    } finally {
      this.#reject = undefined;
    }
  }
}
