import type { Game } from "../game.ts";
import { ticTacToe } from "../tic-tac-toe.ts";
import { battleship } from "./battleship.ts";
import { connectFour } from "./connect-four.ts";
import { nim } from "./nim.ts";

// Board and move are a game's own: whoever plays by name hands on what the game has made.
type AnyGame = Game<unknown, unknown>;

const games: ReadonlyMap<string, AnyGame> = new Map(
  [ticTacToe(), connectFour, nim(), nim({ misere: true }), battleship].map((game) => [game.name, game as AnyGame]),
);

/** The rules of a game by its name, `tictactoe-5-4` for four in a row on five by five. undefined where there is none. */
export function gameNamed(name: string): AnyGame | undefined {
  const [, size, inRow] = /^tictactoe-(\d{1,2})-(\d{1,2})$/.exec(name) ?? [];
  if (size === undefined) return games.get(name);
  try {
    const game = ticTacToe(Number(size), Number(inRow)) as AnyGame;
    return game.name === name ? game : undefined;
  } catch {
    return undefined;
  }
}
