import type { Bus } from "@quadrant/bus";
import { type Entry, logName, readEntry, readSubject } from "./entry.ts";

/** An entry of a match, where it stands in the log. */
export interface Logged {
  readonly seq: number;
  readonly game: string;
  readonly match: string;
  readonly entry: Entry;
}

/**
 * The log from its beginning, then live, in order; ends when the signal aborts. `caughtUp` is called once all that was there at
 * first has been handed over. What is no entry of a match is passed over.
 */
export async function* readLog(bus: Bus, signal: AbortSignal, caughtUp?: () => void): AsyncGenerator<Logged> {
  const log = await bus.log<unknown>(logName);
  const { last, count } = await log.info();
  let old = count > 0;
  if (!old) caughtUp?.();
  for await (const { seq, subject, data } of log.read({ from: "first", signal })) {
    const named = readSubject(subject);
    const entry = readEntry(data);
    if (named !== undefined && entry !== undefined) yield { seq, ...named, entry };
    if (!old || seq < last) continue;
    old = false;
    caughtUp?.();
  }
}
