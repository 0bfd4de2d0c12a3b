import { probeMs } from "./limits.ts";

/**
 * When every client is sent to, to find out whose connection ended: at once, but where many end together, or somebody comes
 * and goes, not for each of them.
 */
export class Probes {
  readonly #probe: () => void;
  #last = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(probe: () => void) {
    this.#probe = probe;
  }

  /** Some connection ended, of a hub of so many clients. */
  ask(clients: number): void {
    if (this.#timer !== undefined || this.#closed) return;
    const wait = this.#last + clients * probeMs - performance.now();
    if (wait <= 0) this.#run();
    else this.#timer = setTimeout(() => this.#run(), wait);
  }

  #run(): void {
    this.#timer = undefined;
    this.#last = performance.now();
    this.#probe();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }
}
