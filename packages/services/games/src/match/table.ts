import type { Outcome, Seat } from "../game.ts";
import { evolve, type Match, newMatch } from "../match.ts";
import { type AnyGame, gameNamed } from "../rules/registry.ts";
import type { EndedBy, Entry, MatchFact, SeatHolder } from "./entry.ts";

/** A match with who plays it: where the entries of its log have led. */
export interface Table {
  readonly match: string;
  readonly game: AnyGame;
  readonly play: Match<unknown>;
  readonly seats: readonly [SeatHolder | null, SeatHolder | null];
  readonly seed: number;
  readonly turnMs: number | undefined;
  /** How many entries there are. */
  readonly version: number;
  /** Of the last entry. */
  readonly at: number;
  /** When the seat to move got the turn. */
  readonly turnSince: number;
  readonly drawOfferedBy: Seat | null;
  /** Who has offered a draw since the last move: once is enough. */
  readonly drawAsked: readonly [boolean, boolean];
  readonly result: { readonly winner: Seat | null; readonly by: EndedBy } | undefined;
  readonly rematchOfferedBy: Seat | null;
  readonly next: string | undefined;
}

/** A match, as a seat or a spectator may see it. */
export interface MatchView {
  readonly state: "open" | "running" | "ended";
  readonly names: readonly [string | null, string | null];
  readonly toMove: Seat | null;
  /** The game's own. */
  readonly board: unknown;
  readonly result?: { readonly winner: Seat | null; readonly by: EndedBy } | undefined;
  /** When the seat to move loses by the clock, ms since 1970. */
  readonly deadline?: number | undefined;
  readonly drawOfferedBy: Seat | null;
  readonly rematchOfferedBy: Seat | null;
  /** The match that follows it. */
  readonly next?: string | undefined;
}

export function stateOf({ result, seats }: Table): MatchView["state"] {
  if (result !== undefined) return "ended";
  return seats[0] === null || seats[1] === null ? "open" : "running";
}

export function deadlineOf(table: Table): number | undefined {
  if (table.turnMs === undefined || stateOf(table) !== "running") return undefined;
  return table.turnSince + table.turnMs;
}

/** What a seat, or a spectator (null), may see. */
export function viewOf(table: Table, seat: Seat | null): MatchView {
  const state = stateOf(table);
  return {
    state,
    names: [table.seats[0]?.name ?? null, table.seats[1]?.name ?? null],
    toMove: state === "running" ? table.play.turn : null,
    board: table.game.view(table.play.board, seat),
    result: table.result,
    deadline: deadlineOf(table),
    drawOfferedBy: table.drawOfferedBy,
    rematchOfferedBy: table.rematchOfferedBy,
    next: table.next,
  };
}

/** An event as a step shows it: no hash of a token, no seed, and of a move what the game lets the viewer know. */
export interface StepEvent {
  readonly kind: MatchFact["kind"];
  readonly seat?: Seat | undefined;
  readonly name?: string | undefined;
  readonly move?: unknown;
  readonly outcome?: Outcome | undefined;
  readonly by?: EndedBy | undefined;
  readonly next?: string | undefined;
}

export function redacted(game: AnyGame, fact: MatchFact, viewer: Seat | null): StepEvent {
  if (fact.kind === "created") return { kind: "created" };
  if (fact.kind === "joined") return { kind: "joined", seat: fact.seat, name: fact.name };
  if (fact.kind !== "moved") return fact;
  return { ...fact, move: game.moves.redact?.(fact.move, fact.seat, viewer) ?? fact.move };
}

/** The table before anything but its creation; undefined where the game is unknown here. */
function opened(gameName: string, match: string, fact: MatchFact & { kind: "created" }, at: number): Table | undefined {
  const game = gameNamed(gameName);
  if (game === undefined) return undefined;
  return {
    match,
    game,
    play: newMatch(game, fact.seed),
    seats: fact.seats,
    seed: fact.seed,
    turnMs: fact.turnMs,
    version: 0,
    at,
    turnSince: at,
    drawOfferedBy: null,
    drawAsked: [false, false],
    result: undefined,
    rematchOfferedBy: null,
    next: undefined,
  };
}

function afterFact(table: Table, fact: MatchFact, at: number): Table {
  const { game, play } = table;
  switch (fact.kind) {
    case "created":
      return table;
    case "joined": {
      const seats = table.seats.with(fact.seat, { name: fact.name, hash: fact.hash });
      return { ...table, seats: seats as unknown as Table["seats"], turnSince: at };
    }
    case "moved": {
      const after = evolve(game, play, { kind: "moved", seat: fact.seat, move: fact.move });
      return { ...table, play: after, turnSince: at, drawOfferedBy: null, drawAsked: [false, false] };
    }
    case "draw-offered": {
      const asked = table.drawAsked.with(fact.seat, true) as unknown as Table["drawAsked"];
      return { ...table, drawOfferedBy: fact.seat, drawAsked: asked };
    }
    case "draw-declined":
      return { ...table, drawOfferedBy: null };
    case "ended":
      return { ...table, result: { winner: fact.outcome.winner, by: fact.by }, drawOfferedBy: null };
    case "rematch-offered":
      return { ...table, rematchOfferedBy: fact.seat };
    case "rematch-agreed":
      return { ...table, next: fact.next, rematchOfferedBy: null };
  }
}

/** The table after an entry; the first entry makes it. undefined where that is none of a match known here. */
export function evolveTable(before: Table | undefined, entry: Entry, game: string, match: string): Table | undefined {
  const [first] = entry.events;
  const from = before ?? (first?.kind === "created" ? opened(game, match, first, entry.at) : undefined);
  if (from === undefined) return undefined;
  const after = entry.events.reduce((table, fact) => afterFact(table, fact, entry.at), from);
  return { ...after, version: from.version + 1, at: entry.at };
}
