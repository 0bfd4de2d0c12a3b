import type { Seat } from "../../games.ts";

/** What a board is to show. */
export interface Position {
  /** The game's own part of the view. */
  readonly board: unknown;
  /** Whose eyes: null for a spectator. */
  readonly seat: Seat | null;
  /** Whether a move may be made now. */
  readonly open: boolean;
  /** The last move, to mark it. */
  readonly last?: { readonly seat: Seat; readonly move: unknown } | undefined;
}

export interface Board {
  readonly element: HTMLElement;
  show(position: Position): void;
  /** A move in words, for whoever does not see it. */
  tell(move: unknown): string;
}

export type MakeBoard = (play: (move: unknown) => void) => Board;
