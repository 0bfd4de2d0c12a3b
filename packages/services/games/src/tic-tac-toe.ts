import { defineGame, type Game, type Seat } from "./game.ts";
import { linesOf } from "./rules/lines.ts";

/** Row by row; null where nobody has moved. */
export type Grid = readonly (Seat | null)[];
export interface Cell {
  readonly x: number;
  readonly y: number;
}

const marks = "XO";
/** On a square of `size`, `inRow` in a row win. RangeError where no such game can be. */
export function ticTacToe(size = 3, inRow: number = size): Game<Grid, Cell> {
  if (!Number.isInteger(size) || size < 1 || size > 32) throw new RangeError(`size ${size} is not a whole number 1–32`);
  if (!Number.isInteger(inRow) || inRow < 1 || inRow > size) throw new RangeError(`inRow ${inRow} is not in 1–${size}`);
  const lines = linesOf(size, size, inRow);
  return defineGame<Grid, Cell>({
    name: size === 3 && inRow === 3 ? "tictactoe" : `tictactoe-${size}-${inRow}`,
    setup: () => Array.from({ length: size * size }, () => null),
    moves: {
      read(body) {
        if (typeof body !== "object" || body === null || !("x" in body) || !("y" in body)) return undefined;
        const { x, y } = body;
        return Number.isInteger(x) && Number.isInteger(y) ? { x: x as number, y: y as number } : undefined;
      },
      violation(grid, { x, y }) {
        if (x < 0 || y < 0 || x >= size || y >= size) {
          return { code: "OUT_OF_RANGE", message: `x and y are 0 to ${size - 1}` };
        }
        const holder = grid[y * size + x] ?? null;
        return holder === null ? undefined : { code: "OCCUPIED", message: `${marks[holder]} holds that cell` };
      },
      play: (grid, seat, { x, y }) => grid.with(y * size + x, seat),
    },
    outcome(grid, mover) {
      if (lines.some((line) => line.every((at) => grid[at] === mover))) return { winner: mover };
      return grid.includes(null) ? undefined : { winner: null };
    },
    view: (grid) => grid,
  });
}
