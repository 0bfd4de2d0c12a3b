import type { MatchView, Seat, Step } from "../games.ts";
import type { Board } from "./boards/board.ts";

/** The last move of these steps, to mark it on the board. */
export function lastMove(steps: readonly Step[]): { readonly seat: Seat; readonly move: unknown } | undefined {
  for (const { events } of steps.toReversed()) {
    const moved = events.find(({ kind }) => kind === "moved");
    if (moved?.seat !== undefined) return { seat: moved.seat, move: moved.move };
  }
  return undefined;
}

const reasons: Readonly<Record<string, string>> = {
  resignation: " by resignation",
  clock: " by the clock",
  agreement: " by agreement",
};

/** How it ended, in the words of whoever looks. */
export function resultText({ result, names }: MatchView, seat: Seat | null): string {
  if (result === undefined) return "The match has ended.";
  const reason = reasons[result.by] ?? "";
  if (result.by === "cancelled") return "The match was cancelled.";
  if (result.winner === null) return `A draw${reason}.`;
  if (result.winner === seat) return `You have won${reason}.`;
  const winner = names[result.winner] ?? "The other";
  return seat === null ? `${winner} has won${reason}.` : `You have lost${reason}; ${winner} has won.`;
}

/** A step in words; undefined where there is nothing to tell. */
export function stepText({ events }: Step, view: MatchView, board: Board | undefined): string | undefined {
  const texts = events.map(({ kind, seat, move }) => {
    const name = seat === undefined ? "" : (view.names[seat] ?? "Somebody");
    if (kind === "moved") return `${name}: ${board?.tell(move) ?? "a move"}`;
    if (kind === "ended") return resultText(view, null);
    return plain[kind]?.(name);
  });
  const told = texts.filter((text) => text !== undefined);
  return told.length === 0 ? undefined : told.join(". ");
}

const plain: Readonly<Record<string, (name: string) => string>> = {
  created: (name) => (name === "" ? "The match is open" : `${name} has opened the match`),
  joined: (name) => `${name} has joined`,
  "draw-offered": (name) => `${name} offers a draw`,
  "draw-declined": (name) => `${name} declines the draw`,
  "rematch-offered": (name) => `${name} would like a rematch`,
};
