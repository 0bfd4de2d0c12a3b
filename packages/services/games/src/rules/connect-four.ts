import { defineGame, type Game, type Seat } from "../game.ts";
import { linesOf } from "./lines.ts";

/** Row by row from the top, 7 wide and 6 high; null where there is no disc. */
export type Discs = readonly (Seat | null)[];
/** 0 is the leftmost. */
export interface Drop {
  readonly column: number;
}

export const columns = 7;
export const rows = 6;
const lines = linesOf(columns, rows, 4);

/** The cell in which a disc dropped there would come to rest; -1 where the column is full. */
export function restingCell(discs: Discs, column: number): number {
  for (let row = rows - 1; row >= 0; row--) {
    const at = row * columns + column;
    if (discs[at] === null) return at;
  }
  return -1;
}

/** Discs fall; four in a row win. */
export const connectFour: Game<Discs, Drop> = defineGame<Discs, Drop>({
  name: "connect4",
  setup: () => Array.from({ length: columns * rows }, () => null),
  moves: {
    read(body) {
      if (typeof body !== "object" || body === null || !("column" in body)) return undefined;
      return Number.isInteger(body.column) ? { column: body.column as number } : undefined;
    },
    violation(discs, { column }) {
      if (column < 0 || column >= columns) {
        return { code: "OUT_OF_RANGE", message: `the columns are 0 to ${columns - 1}` };
      }
      if (restingCell(discs, column) >= 0) return undefined;
      return { code: "COLUMN_FULL", message: `column ${column} holds ${rows} discs` };
    },
    play: (discs, seat, { column }) => discs.with(restingCell(discs, column), seat),
  },
  outcome(discs, mover) {
    if (lines.some((line) => line.every((at) => discs[at] === mover))) return { winner: mover };
    return discs.includes(null) ? undefined : { winner: null };
  },
  view: (discs) => discs,
});
