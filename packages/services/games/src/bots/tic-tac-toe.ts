import type { Seat } from "../game.ts";
import { pick } from "../rules/chance.ts";
import { linesOf } from "../rules/lines.ts";
import { type Cell, type Grid, ticTacToe } from "../tic-tac-toe.ts";
import type { Strategy } from "./strategy.ts";

const classic = linesOf(3, 3, 3);
const known = new Map<string, number>();

/** For who is to move: above 0 won, the sooner the higher; below 0 lost; 0 a draw. */
function worth(grid: Grid, turn: Seat): number {
  const key = `${turn}${grid.join()}`;
  const before = known.get(key);
  if (before !== undefined) return before;
  const other: Seat = turn === 0 ? 1 : 0;
  const free = grid.flatMap((held, at) => (held === null ? [at] : []));
  let best = free.length === 0 ? 0 : Number.NEGATIVE_INFINITY;
  if (classic.some((line) => line.every((at) => grid[at] === other))) best = -1 - free.length;
  else for (const at of free) best = Math.max(best, -worth(grid.with(at, turn), other));
  known.set(key, best);
  return best;
}

/** All moves on three by three that are as good as any: a win as soon, or a loss as late, as can be. */
export function bestCells(grid: Grid, seat: Seat): readonly Cell[] {
  const other: Seat = seat === 0 ? 1 : 0;
  const free = grid.flatMap((held, at) => (held === null ? [at] : []));
  const values = free.map((at) => -worth(grid.with(at, seat), other));
  const best = Math.max(...values);
  return free.filter((_, choice) => values[choice] === best).map((at) => ({ x: at % 3, y: Math.floor(at / 3) }));
}

/** Never loses. */
export const perfectTicTacToe: Strategy = (view, seat, random) => pick(bestCells(view as Grid, seat), random);

/** On n×n: completes a line, else keeps the other from completing one, else moves at random. */
export function quickTicTacToe(size: number, inRow: number): Strategy {
  const game = ticTacToe(size, inRow);
  return (view, seat, random) => {
    const grid = view as Grid;
    const free = grid.flatMap((held, at) => (held === null ? [at] : []));
    const completes = (by: Seat): number | undefined =>
      free.find((at) => game.outcome(grid.with(at, by), by)?.winner === by);
    const at = completes(seat) ?? completes(seat === 0 ? 1 : 0) ?? pick(free, random);
    return { x: at % size, y: Math.floor(at / size) };
  };
}
