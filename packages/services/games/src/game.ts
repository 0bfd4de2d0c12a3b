/** 0 moves first. */
export type Seat = 0 | 1;

/** Why a move is refused: the rule that it breaks, and what to know about it. */
export interface Violation {
  readonly code: "OUT_OF_RANGE" | "OCCUPIED" | "COLUMN_FULL" | "TOO_MANY" | "ALREADY_PLACED" | "NOT_PLACED";
  readonly message: string;
}

export type Outcome = { readonly winner: Seat } | { readonly winner: null };

/** The rules of a game for two who move by turns. All are pure: what comes in is never changed. */
export interface Game<Board, Move> {
  /** One token of a subject. */
  readonly name: string;
  /** The first board; the only source of chance is the match's seed. */
  setup(seed: number): Board;
  readonly moves: {
    /** undefined where the body is no move at all. */
    read(body: unknown): Move | undefined;
    violation(board: Board, move: Move, seat: Seat): Violation | undefined;
    play(board: Board, seat: Seat, move: Move): Board;
    /** What a seat, or a spectator (null), may know of a move. Absent: all of it. */
    redact?(move: Move, mover: Seat, viewer: Seat | null): unknown;
  };
  /** undefined while it goes on. `mover` made the last move. */
  outcome(board: Board, mover: Seat): Outcome | undefined;
  /** What a seat, or a spectator (null), may see. */
  view(board: Board, seat: Seat | null): unknown;
}

/** Gives a game its types. RangeError where the name is no token. */
export function defineGame<Board, Move>(game: Game<Board, Move>): Game<Board, Move> {
  if (!/^[a-z0-9-]{1,64}$/.test(game.name)) throw new RangeError(`${game.name} is no name: a-z, 0-9 and hyphens`);
  return game;
}
