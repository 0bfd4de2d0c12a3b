import type { Bus } from "@quadrant/bus";
import { type Entry, logName, readEntry, subjectOf } from "../match/entry.ts";
import { readLog } from "../match/log-reading.ts";
import { Ongoing } from "./ongoing.ts";
import { untilStopped } from "./running.ts";

export const archiveName = "games-archive";

const nameOf = (game: string, match: string): string => `${game}/${match}.ndjson`;
const isOver = ({ events }: Entry): boolean => events.some(({ kind }) => kind === "ended");

/** What is written of an entry. The hashes of the seats' tokens are of no use to anybody any more, and left out. */
function line({ version, at, events }: Entry): string {
  return `${JSON.stringify({ version, at, events }, (key, value) => (key === "hash" ? undefined : value))}\n`;
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
    for await (const { game, match, entry } of readLog(bus, signal)) {
      const name = nameOf(game, match);
      if (kept.has(name)) continue;
      const entries = [...(ongoing.get(name) ?? []), entry];
      if (!isOver(entry)) {
        ongoing.set(name, entries);
        continue;
      }
      ongoing.delete(name);
      const whole = entries[0]?.version === 1 ? entries : await readMatch(bus, game, match);
      // The beginning of a match may be no longer in the log.
      if (whole[0]?.version !== 1) continue;
      await store.put(name, new TextEncoder().encode(whole.map(line).join("")));
      kept.add(name);
    }
  });
}

/** Up to its end. For the match that was forgotten among too many. */
async function readMatch(bus: Bus, game: string, match: string): Promise<readonly Entry[]> {
  const log = await bus.log<unknown>(logName);
  const entries: Entry[] = [];
  for await (const { data } of log.read({ filter: subjectOf(game, match), to: "end" })) {
    const entry = readEntry(data);
    if (entry === undefined) continue;
    entries.push(entry);
    if (isOver(entry)) break;
  }
  return entries;
}

export type ArchivedEntry = Pick<Entry, "version" | "at" | "events">;

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
