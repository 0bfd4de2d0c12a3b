import type { Game, Outcome, Seat, Violation } from "./game.ts";

/** A match: where its events have led. */
export interface Match<Board> {
  readonly board: Board;
  readonly turn: Seat;
  /** How many events have happened. */
  readonly version: number;
  /** Whose offer of a draw stands. */
  readonly drawOffer: Seat | null;
  readonly ended: Outcome | undefined;
}

export type Command =
  | {
      readonly kind: "move";
      readonly seat: Seat;
      readonly move: unknown;
      readonly expectedVersion?: number | undefined;
    }
  | { readonly kind: "resign" | "offer-draw" | "accept-draw"; readonly seat: Seat };

export type MatchEvent<Move> =
  | { readonly kind: "moved"; readonly seat: Seat; readonly move: Move }
  | { readonly kind: "draw-offered"; readonly seat: Seat }
  | { readonly kind: "ended"; readonly outcome: Outcome; readonly by: "rules" | "resignation" | "agreement" };

export interface Refusal {
  readonly code: "MATCH_OVER" | "MALFORMED" | "NOT_YOUR_TURN" | "CONFLICT" | "NO_OFFER" | Violation["code"];
  readonly message: string;
  readonly version: number;
}

export type Decision<Move> = { readonly events: readonly MatchEvent<Move>[] } | { readonly refused: Refusal };

const other = (seat: Seat): Seat => (seat === 0 ? 1 : 0);

export function newMatch<Board, Move>(game: Game<Board, Move>, seed: number): Match<Board> {
  return { board: game.setup(seed), turn: 0, version: 0, drawOffer: null, ended: undefined };
}

/** What a command leads to, or which rule it breaks; checked in the order: ended, form, turn, version, the game's own. */
export function decide<Board, Move>(game: Game<Board, Move>, match: Match<Board>, command: Command): Decision<Move> {
  const refuse = (code: Refusal["code"], message: string): Decision<Move> => ({
    refused: { code, message, version: match.version },
  });
  if (match.ended !== undefined) return refuse("MATCH_OVER", "the match has ended");
  const { seat } = command;
  if (command.kind !== "move") {
    if (command.kind === "resign") {
      return { events: [{ kind: "ended", outcome: { winner: other(seat) }, by: "resignation" }] };
    }
    if (command.kind === "offer-draw")
      return { events: match.drawOffer === seat ? [] : [{ kind: "draw-offered", seat }] };
    if (match.drawOffer !== other(seat)) return refuse("NO_OFFER", "the other seat has not offered a draw");
    return { events: [{ kind: "ended", outcome: { winner: null }, by: "agreement" }] };
  }
  const move = game.moves.read(command.move);
  if (move === undefined) return refuse("MALFORMED", `this is no move of ${game.name}`);
  if (seat !== match.turn) return refuse("NOT_YOUR_TURN", "the other seat is to move");
  if (command.expectedVersion !== undefined && command.expectedVersion !== match.version) {
    return refuse("CONFLICT", `the match is at version ${match.version}`);
  }
  const violation = game.moves.violation(match.board, move, seat);
  if (violation !== undefined) return refuse(violation.code, violation.message);
  const outcome = game.outcome(game.moves.play(match.board, seat, move), seat);
  const moved: MatchEvent<Move> = { kind: "moved", seat, move };
  return { events: outcome === undefined ? [moved] : [moved, { kind: "ended", outcome, by: "rules" }] };
}

/** The match after an event. A move takes any offer of a draw off the table. */
export function evolve<Board, Move>(
  game: Game<Board, Move>,
  match: Match<Board>,
  event: MatchEvent<Move>,
): Match<Board> {
  const version = match.version + 1;
  if (event.kind === "draw-offered") return { ...match, version, drawOffer: event.seat };
  if (event.kind === "ended") return { ...match, version, ended: event.outcome };
  const board = game.moves.play(match.board, event.seat, event.move);
  return { ...match, board, version, turn: other(event.seat), drawOffer: null };
}
