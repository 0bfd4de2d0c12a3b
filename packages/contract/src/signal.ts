import { abortedError, BusError } from "./errors.ts";

/** Throws "invalid" unless `signal` is undefined or an AbortSignal, and "aborted" when it has been aborted already. */
export function checkSignal(signal: AbortSignal | undefined, what: string): void {
  if (signal === undefined) return;
  if (typeof signal !== "object" || signal === null || typeof signal.addEventListener !== "function")
    throw new BusError("invalid", "signal: give an AbortSignal");
  if (signal.aborted) throw abortedError(signal, what);
}

/**
 * The outcome of `work`, or "aborted" as soon as the signal is. What work that was given up yields after all goes to
 * `undo`; its rejection is nobody's.
 */
export function unlessAborted<T>(
  signal: AbortSignal | undefined,
  what: string,
  work: Promise<T>,
  undo: (late: T) => void,
): Promise<T> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      reject(abortedError(signal, what));
      work.then(undo, () => undefined);
    };
    if (signal.aborted) return onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    work.finally(() => signal.removeEventListener("abort", onAbort)).then(resolve, reject);
  });
}
