import type { Bus } from "@quadrant/bus";
import { type Entry, Ongoing, readMatches } from "./match-log.ts";
import { untilStopped } from "./running.ts";

export const archiveName = "games-archive";

const nameOf = (game: string, match: string): string => `${game}/${match}.ndjson`;
const isOver = ({ events }: Entry): boolean => events.some(({ kind }) => kind === "ended");

/** What is written of an entry. The hashes of the seats' tokens are of no use to anybody any more, and left out. */
function line(version: number, { at, events }: Entry): string {
  const text = JSON.stringify({ version, at, events }, (key, value) => (key === "tokenHash" ? undefined : value));
  return `${text}\n`;
}

/**
 * Writes each match that has ended as a blob of NDJSON, `<game>/<match>.ndjson`, a line for each entry up to its end. At each
 * start it reads the log from its beginning and writes what is missing, so that being away or killed loses nothing; whoever
 * writes a match again writes the same.
 */
export async function startArchive(bus: Bus): Promise<AsyncDisposable> {
  const store = await bus.blobs(archiveName);
  return untilStopped(async (signal) => {
    const kept = new Set((await store.list()).map(({ name }) => name));
    const ongoing = new Ongoing<readonly Entry[]>();
    for await (const { game, match, entry } of readMatches(bus, signal)) {
      const name = nameOf(game, match);
      if (kept.has(name)) continue;
      const begins = entry.events.some(({ kind }) => kind === "created");
      const before = begins ? [] : ongoing.get(name);
      // Its beginning is no longer in the log, or it is one of too many.
      if (before === undefined) continue;
      const entries = [...before, entry];
      if (isOver(entry)) {
        ongoing.delete(name);
        await store.put(name, new TextEncoder().encode(entries.map((each, at) => line(at + 1, each)).join("")));
        kept.add(name);
      } else ongoing.set(name, entries);
    }
  });
}

export interface ArchivedEntry extends Entry {
  readonly version: number;
}

/** A match that has ended, entry by entry, with all that was hidden while it went on; undefined where it is not archived. */
export async function readArchived(
  bus: Bus,
  game: string,
  match: string,
): Promise<readonly ArchivedEntry[] | undefined> {
  const bytes = await (await bus.blobs(archiveName)).get(nameOf(game, match));
  if (bytes === undefined) return undefined;
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let text = "";
  for await (const chunk of bytes) text += decoder.decode(chunk, { stream: true });
  text += decoder.decode();
  return text
    .split("\n")
    .filter((each) => each !== "")
    .map((each) => JSON.parse(each) as ArchivedEntry);
}
