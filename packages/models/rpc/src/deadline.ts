import { after } from "@quadrant/contract";

/** A deadline that is moved often and passes seldom: moving it touches no timer. */
export class Deadline {
  readonly #ms: number;
  readonly #onPass: () => void;
  #at = 0;
  #running = false;
  #cancel: (() => void) | undefined;

  constructor(ms: number, onPass: () => void) {
    this.#ms = ms;
    this.#onPass = onPass;
  }

  /** Passes `ms` from now, unless it is started again, stopped or cleared before. */
  start(): void {
    this.#at = performance.now() + this.#ms;
    this.#running = true;
    if (this.#cancel === undefined) this.#arm(this.#ms);
  }

  /** Does not pass until it is started again. */
  stop(): void {
    this.#running = false;
  }

  /** For good: no timer is left. */
  clear(): void {
    this.#running = false;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #arm(ms: number): void {
    this.#cancel = after(ms, () => {
      this.#cancel = undefined;
      if (!this.#running) return;
      const left = this.#at - performance.now();
      if (left > 0) this.#arm(left);
      else {
        this.#running = false;
        this.#onPass();
      }
    });
  }
}
