/** What the page needs of the games. The program that starts the page fills it: the page itself knows no service. */
export type Seat = 0 | 1;

/** One accepted command of a match, as a seat or a spectator may see it; versions count from 1 without a gap. */
export interface Step {
  readonly match: string;
  readonly game: string;
  readonly version: number;
  /** The referee's clock, ms since 1970. */
  readonly at: number;
  readonly events: readonly StepEvent[];
  /** The match after it. */
  readonly view: MatchView;
}

/** "moved" has a seat and a move; "created", "joined", "draw-offered", "draw-declined", "rematch-offered", "ended" and what may come. */
export interface StepEvent {
  readonly kind: string;
  readonly seat?: Seat | undefined;
  readonly move?: unknown;
}

/** A match, as a seat or a spectator may see it. */
export interface MatchView {
  readonly state: "open" | "running" | "ended";
  readonly names: readonly [string | null, string | null];
  readonly toMove: Seat | null;
  /** The game's own. */
  readonly board: unknown;
  /** `by`: "board", "resignation", "clock", "agreement", "cancelled", or another word. */
  readonly result?: { readonly winner: Seat | null; readonly by: string } | undefined;
  /** When the seat to move loses by the clock, ms since 1970. */
  readonly deadline?: number | undefined;
  readonly drawOfferedBy: Seat | null;
  readonly rematchOfferedBy: Seat | null;
  /** The match that follows it. */
  readonly next?: string | undefined;
}

/** A refusal is a value: `code` names the rule. */
export type Reply =
  | { readonly id: string; readonly ok: true; readonly version: number }
  | {
      readonly id: string;
      readonly ok: false;
      readonly code: string;
      readonly message: string;
      readonly version: number;
    };

export interface Seated extends AsyncDisposable {
  readonly match: string;
  readonly game: string;
  readonly seat: Seat;
  /** Whoever has it moves for the seat. */
  readonly token: string;
  move(move: unknown, options?: { readonly expectedVersion?: number; readonly signal?: AbortSignal }): Promise<Reply>;
  resign(): Promise<Reply>;
  offerDraw(): Promise<Reply>;
  acceptDraw(): Promise<Reply>;
  declineDraw(): Promise<Reply>;
  claimTime(): Promise<Reply>;
  /** Resolves with the seat in the new match once the other has agreed. */
  rematch(options?: { readonly signal?: AbortSignal }): Promise<Seated>;
  follow(options?: { readonly from?: number; readonly signal?: AbortSignal }): AsyncIterable<Step>;
}

export interface CreateOptions {
  /** How long a seat may think, in ms. Absent: for ever. */
  readonly turnMs?: number | undefined;
  /** Of Tic-Tac-Toe: the side of its square, and how many in a row win. */
  readonly size?: number | undefined;
  readonly inRow?: number | undefined;
}

export interface Player extends AsyncDisposable {
  create(game: string, options?: CreateOptions): Promise<Seated>;
  join(match: string): Promise<Seated>;
  /** Waits for somebody who wants the same game. */
  seek(game: string, options?: { readonly signal?: AbortSignal }): Promise<Seated>;
  /** A match against a program. */
  playBot(game: string, options?: { readonly signal?: AbortSignal }): Promise<Seated>;
  resume(seat: { readonly match: string; readonly token: string }): Promise<Seated>;
}

export interface MatchSummary {
  readonly match: string;
  readonly game: string;
  readonly state: "open" | "running" | "ended";
  readonly names: readonly (string | null)[];
  readonly version: number;
  /** Of the last step, ms since 1970. */
  readonly at: number;
  readonly result?: string | undefined;
}

export interface Leader {
  readonly name: string;
  readonly rating: number;
  readonly played: number;
  readonly won: number;
  readonly drawn: number;
  readonly lost: number;
}

export interface Games {
  open(name: string): Promise<Player>;
  spectate(match: string, options?: { readonly from?: number; readonly signal?: AbortSignal }): AsyncIterable<Step>;
  matches(): Promise<readonly MatchSummary[]>;
  leaders(game: string, limit: number): Promise<readonly Leader[]>;
}
