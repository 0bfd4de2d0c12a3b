import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { BusError } from "@quadrant/contract";
import type { HistoryEvent } from "./event.ts";

const kinds: ReadonlySet<unknown> = new Set([
  ...["process", "invoke", "return", "got", "aborted", "lost"],
  ...["disconnected", "reconnected", "end", "cut"],
]);

function eventIn(line: string): HistoryEvent | undefined {
  try {
    const event = JSON.parse(line) as HistoryEvent;
    const known = kinds.has(event.kind) && typeof event.process === "string" && Number.isFinite(event.us);
    return known ? event : undefined;
  } catch {
    return undefined;
  }
}

async function readFile(path: string): Promise<HistoryEvent[]> {
  const events: HistoryEvent[] = [];
  let at = 0;
  /** A line that is none is the last, half written by a process that was killed, or the file is no history. */
  let bad = 0;
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })) {
    at++;
    if (bad > 0) throw new BusError("codec", `${path}:${bad} is no line of a history`);
    const event = eventIn(line);
    if (event !== undefined) events.push(event);
    else bad = at;
  }
  if (bad > 0 && events.length === 0) throw new BusError("codec", `${path}:${bad} is no line of a history`);
  return events;
}

/** Reads the files of one history, such as of several processes. Rejects with "codec" for what is none, "unavailable" for what cannot be read. */
export async function readHistory(...paths: readonly string[]): Promise<readonly HistoryEvent[]> {
  const files: HistoryEvent[][] = [];
  for (const path of paths) {
    try {
      files.push(await readFile(path));
    } catch (error) {
      if (error instanceof BusError) throw error;
      throw new BusError("unavailable", `${path}: ${(error as Error).message}`, { cause: error });
    }
  }
  return files.flat();
}
