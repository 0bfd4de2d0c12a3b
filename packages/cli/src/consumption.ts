import { after } from "@quadrant/contract";
import { failed } from "./failure.ts";
import type { Session } from "./session.ts";

export interface Limits {
  readonly count?: number | undefined;
  /** Ends when nothing has come for so long, in milliseconds. */
  readonly timeout?: number | undefined;
}

/**
 * Handles what `open` yields, one after another, until there were `count`, nothing came for `timeout`, the source ends,
 * or the session does. Returns how many there were; fails when there were fewer than asked for.
 */
export async function consume<M>(
  session: Session,
  limits: Limits,
  open: (signal: AbortSignal) => AsyncIterable<M> | Promise<AsyncIterable<M>>,
  handle: (item: M) => Promise<void>,
): Promise<number> {
  const { count, timeout } = limits;
  const idle = new AbortController();
  const source = await open(AbortSignal.any([session.signal, idle.signal]));
  const arm = (): (() => void) => (timeout === undefined ? () => undefined : after(timeout, () => idle.abort()));
  let handled = 0;
  let disarm = arm();
  try {
    for await (const item of source) {
      disarm();
      await handle(item);
      handled++;
      if (handled === count || session.signal.aborted) break;
      disarm = arm();
    }
  } finally {
    disarm();
  }
  if (count !== undefined && handled < count && !session.signal.aborted) {
    const why = idle.signal.aborted ? `; nothing came for ${timeout} ms` : "";
    throw failed(`${handled} of ${count} came${why}`);
  }
  return handled;
}
