import { exitCodes } from "./failure.ts";
import type { Io } from "./io.ts";

/**
 * A press of Ctrl-C under `npm run` arrives twice, from the terminal and from npm, which passes it on: what follows so
 * closely is the same press.
 */
const samePressMs = 250;

/** Ctrl-C once asks the command to drain and end, twice ends the process at once. */
export class Interrupts {
  /** Aborts at the first request to end. */
  readonly signal: AbortSignal;
  readonly #controller = new AbortController();
  readonly #stopListening: () => void;

  constructor(io: Io, onFirst: () => void) {
    this.signal = this.#controller.signal;
    let last: number | undefined;
    this.#stopListening = io.onStop(() => {
      const now = io.now();
      if (last === undefined) {
        last = now;
        onFirst();
        this.#controller.abort(new Error("interrupted"));
      } else if (now - last >= samePressMs) {
        io.abandon(exitCodes.interrupted);
      }
    });
  }

  get interrupted(): boolean {
    return this.signal.aborted;
  }

  close(): void {
    this.#stopListening();
  }
}
