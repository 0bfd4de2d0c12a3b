import type { Bus } from "@quadrant/bus";
import type { Outcome, Seat } from "../game.ts";

export const logName = "games";

/** What consumers read in an entry: one accepted command. They know this form, and nothing of who writes it. */
export interface Entry {
  /** The referee's clock, ms since 1970. */
  readonly at: number;
  readonly events: readonly MatchEvent[];
}

export type MatchEvent =
  | { readonly kind: "created"; readonly seed: number; readonly seats: readonly ({ readonly name: string } | null)[] }
  | { readonly kind: "joined"; readonly seat: Seat; readonly name: string }
  | { readonly kind: "moved"; readonly seat: Seat; readonly move: unknown }
  | { readonly kind: "draw-offered" | "draw-declined"; readonly seat: Seat }
  | { readonly kind: "ended"; readonly outcome: Outcome; readonly by: string };

export type Names = readonly [string | null, string | null];
export const nobody: Names = [null, null];

/** Who sits where after an event. */
export function namesAfter(names: Names, event: MatchEvent): Names {
  if (event.kind === "created") return [event.seats[0]?.name ?? null, event.seats[1]?.name ?? null];
  if (event.kind !== "joined") return names;
  return event.seat === 0 ? [event.name, names[1]] : [names[0], event.name];
}

function readEntry(data: unknown): Entry | undefined {
  if (typeof data !== "object" || data === null || !("events" in data) || !("at" in data)) return undefined;
  const { at, events } = data;
  return typeof at === "number" && Array.isArray(events) ? (data as Entry) : undefined;
}

/** One entry of a match, where it stands in the log. */
export interface Recorded {
  readonly seq: number;
  readonly game: string;
  readonly match: string;
  readonly entry: Entry;
  /** Whether it was there before this reading began. */
  readonly old: boolean;
}

/**
 * The log from its beginning, then live, in order and without a gap; ends when the signal aborts. `caughtUp` is called once all
 * that was there at first has been handed over. What is no entry of a match is passed over.
 */
export async function* readMatches(bus: Bus, signal: AbortSignal, caughtUp?: () => void): AsyncIterable<Recorded> {
  const log = await bus.log<unknown>(logName);
  const { last, count } = await log.info();
  let old = count > 0;
  if (!old) caughtUp?.();
  for await (const { seq, subject, data } of log.read({ from: "first", signal })) {
    const entry = readEntry(data);
    const [, game, match] = subject.split(".");
    if (entry !== undefined && game !== undefined && match !== undefined) yield { seq, game, match, entry, old };
    if (!old || seq < last) continue;
    old = false;
    caughtUp?.();
  }
}

/** What is known of matches that go on, at most `limit` of them; of more, those that have been quiet longest are forgotten. */
export class Ongoing<T> {
  readonly #matches = new Map<string, T>();
  readonly #limit: number;

  constructor(limit = 100_000) {
    this.#limit = limit;
  }

  get(match: string): T | undefined {
    return this.#matches.get(match);
  }

  set(match: string, known: T): void {
    this.#matches.delete(match);
    this.#matches.set(match, known);
    if (this.#matches.size <= this.#limit) return;
    for (const quietest of this.#matches.keys()) {
      this.#matches.delete(quietest);
      return;
    }
  }

  delete(match: string): void {
    this.#matches.delete(match);
  }
}
