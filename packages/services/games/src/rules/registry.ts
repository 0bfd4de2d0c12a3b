import type { Game } from "../game.ts";
import { ticTacToe } from "../tic-tac-toe.ts";
import { battleship } from "./battleship.ts";
import { connectFour } from "./connect-four.ts";
import { nim } from "./nim.ts";

export type AnyGame = Game<unknown, unknown>;

const named: ReadonlyMap<string, AnyGame> = new Map<string, AnyGame>(
  [ticTacToe(), connectFour, nim(), nim({ misere: true }), battleship].map((game) => [game.name, game as AnyGame]),
);

/** The shipped rules by their name; `tictactoe-5-4` is on 5×5, 4 in a row. undefined where there are none. */
export function gameNamed(name: string): AnyGame | undefined {
  const known = named.get(name);
  if (known !== undefined) return known;
  const [, size, inRow] = /^tictactoe-([1-9]\d?)-([1-9]\d?)$/.exec(name) ?? [];
  if (size === undefined || Number(size) > 32 || Number(inRow) > Number(size)) return undefined;
  const game = ticTacToe(Number(size), Number(inRow));
  return game.name === name ? (game as AnyGame) : undefined;
}

/** The name that these options give a game: `tictactoe` with `size: 5, inRow: 4` is `tictactoe-5-4`. */
export function nameWith(
  game: string,
  { size, inRow }: { size?: number | undefined; inRow?: number | undefined },
): string {
  if (game !== "tictactoe" || (size === undefined && inRow === undefined)) return game;
  const side = size ?? 3;
  const line = inRow ?? side;
  return side === 3 && line === 3 ? game : `${game}-${side}-${line}`;
}
