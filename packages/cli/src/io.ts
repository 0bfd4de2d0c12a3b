import type { Readable, Writable } from "node:stream";

export type StopSignal = "SIGINT" | "SIGTERM" | "SIGHUP";

/** A stream that may be a terminal. */
export type Terminal<S> = S & { readonly isTTY?: boolean | undefined; readonly columns?: number | undefined };

/** The process as the program sees it; tests hand in their own. */
export interface Io {
  readonly stdin: Terminal<Readable>;
  readonly stdout: Terminal<Writable>;
  readonly stderr: Terminal<Writable>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** A monotonic clock, in milliseconds. */
  now(): number;
  /** Listens to the signals that ask the program to end; returns what stops listening. */
  onStop(listener: (signal: StopSignal) => void): () => void;
  /** Ends the process at once, with nothing drained. */
  abandon(code: number): void;
}

const stopSignals: readonly StopSignal[] = ["SIGINT", "SIGTERM", "SIGHUP"];

/** The real process. */
export function processIo(): Io {
  return {
    // A getter: merely touching process.stdin makes it a handle, which most commands have no use for.
    get stdin() {
      return process.stdin;
    },
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    now: () => performance.now(),
    onStop(listener) {
      for (const signal of stopSignals) process.on(signal, listener);
      return () => {
        for (const signal of stopSignals) process.off(signal, listener);
      };
    },
    abandon: (code) => process.exit(code),
  };
}
