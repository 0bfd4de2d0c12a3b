import { huntingBattleship } from "./battleship.ts";
import { searchingConnectFour } from "./connect-four.ts";
import { perfectNim } from "./nim.ts";
import type { Strategy } from "./strategy.ts";
import { perfectTicTacToe, quickTicTacToe } from "./tic-tac-toe.ts";

const own: ReadonlyMap<string, Strategy> = new Map([
  ["tictactoe", perfectTicTacToe],
  ["connect4", searchingConnectFour()],
  ["nim", perfectNim(false)],
  ["nim-misere", perfectNim(true)],
  ["battleship", huntingBattleship],
]);

/** How a bot plays a game; undefined where no bot can. */
export function strategyOf(game: string): Strategy | undefined {
  const [, size, inRow] = /^tictactoe-(\d+)-(\d+)$/.exec(game) ?? [];
  return size === undefined ? own.get(game) : quickTicTacToe(Number(size), Number(inRow));
}
