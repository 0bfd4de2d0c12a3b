import type { Bus } from "@quadrant/bus";
import type { Seat } from "../game.ts";
import type { MatchFact } from "../match/entry.ts";
import { type Logged, readLog } from "../match/log-reading.ts";
import { gameNamed } from "../rules/registry.ts";
import { type Names, namesAfter, nobody, Ongoing } from "./ongoing.ts";
import { untilStopped } from "./running.ts";
import { moveSentence } from "./sentences.ts";

/** What is published on `games.<game>.<match>.comment`. */
export interface Comment {
  readonly match: string;
  readonly at: number;
  readonly text: string;
}

interface Known {
  readonly names: Names;
  readonly board: unknown;
}

/**
 * Publishes what happens from its start on as English sentences, such as a spectator may read. It learns what went before from the
 * log; what happens while none runs stays untold. Of several, each tells all.
 */
export async function startCommentator(bus: Bus): Promise<AsyncDisposable> {
  return untilStopped(async (signal) => {
    const ongoing = new Ongoing<Known>();
    let live = false;
    const caughtUp = (): void => {
      live = true;
    };
    for await (const logged of readLog(bus, signal, caughtUp)) {
      const { game, match, entry } = logged;
      const texts = tell(logged, ongoing);
      if (!live || texts.length === 0) continue;
      const comment: Comment = { match, at: entry.at, text: texts.join(" ") };
      await bus.publish(`games.${game}.${match}.comment`, comment);
    }
  });
}

/** The sentences of an entry, and what is known after it. */
function tell({ game, match, entry }: Logged, ongoing: Ongoing<Known>): readonly string[] {
  const rules = gameNamed(game);
  if (rules === undefined) return [];
  const texts: string[] = [];
  for (const event of entry.events) {
    const before = event.kind === "created" ? { names: nobody, board: rules.setup(event.seed) } : ongoing.get(match);
    if (before === undefined) return texts;
    const names = namesAfter(before.names, event);
    const name = (seat: Seat): string => names[seat] ?? (seat === 0 ? "The first" : "The second");
    if (event.kind === "moved") {
      const board = rules.moves.play(before.board, event.seat, event.move);
      ongoing.set(match, { names, board });
      const move = rules.moves.redact === undefined ? event.move : rules.moves.redact(event.move, event.seat, null);
      const told = { seat: event.seat, name: name(event.seat), move, view: rules.view(board, null) };
      texts.push(moveSentence(game, told));
      continue;
    }
    if (event.kind === "ended") ongoing.delete(match);
    else ongoing.set(match, { ...before, names });
    const text = eventSentence(event, name);
    if (text !== undefined) texts.push(text);
  }
  return texts;
}

/** undefined for what needs no word. */
function eventSentence(event: MatchFact, name: (seat: Seat) => string): string | undefined {
  switch (event.kind) {
    case "created":
      return event.seats.every((seat) => seat !== null && seat !== undefined)
        ? `${name(0)} plays ${name(1)}.`
        : `${name(event.seats[0] ? 0 : 1)} waits for an opponent.`;
    case "joined":
      return `${name(event.seat)} sits down.`;
    case "draw-offered":
      return `${name(event.seat)} offers a draw.`;
    case "draw-declined":
      return `${name(event.seat)} declines the draw.`;
    case "ended": {
      const { winner } = event.outcome;
      const how = endings[event.by] ?? "";
      return winner === null ? `It is a draw${how}.` : `${name(winner)} wins${how}.`;
    }
    default:
      return undefined;
  }
}

const endings: Readonly<Record<string, string>> = {
  resignation: ", the other has resigned",
  agreement: ", by agreement",
  clock: ", the other's time is up",
};
