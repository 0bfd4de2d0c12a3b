import { battleship } from "./battleship.ts";
import type { MakeBoard } from "./board.ts";
import { connectFour } from "./connect-four.ts";
import { nim } from "./nim.ts";
import { ticTacToe } from "./tic-tac-toe.ts";

/** What can be played, as the lobby offers it. */
export const offers: readonly { readonly game: string; readonly title: string }[] = [
  { game: "tictactoe", title: "Tic-Tac-Toe" },
  { game: "connect4", title: "Connect Four" },
  { game: "nim", title: "Nim" },
  { game: "battleship", title: "Battleship" },
];

/** Variants are named after their game: tictactoe-5-4, nim-misere. */
export function boardOf(game: string): MakeBoard | undefined {
  if (game.startsWith("tictactoe")) return ticTacToe;
  if (game.startsWith("connect4")) return connectFour;
  if (game.startsWith("nim")) return nim;
  return game.startsWith("battleship") ? battleship : undefined;
}

export function titleOf(game: string): string {
  const offer = offers.find((each) => game === each.game || game.startsWith(`${each.game}-`));
  const variant = /^tictactoe-(\d+)-(\d+)$/.exec(game);
  if (variant !== null) return `Tic-Tac-Toe ${variant[1]}×${variant[1]}, ${variant[2]} in a row`;
  return game === "nim-misere" ? "Nim, misère" : (offer?.title ?? game);
}

/** What stands for each seat beside its name; "": a disc of its colour. */
export function marksOf(game: string): readonly [string, string] {
  if (game.startsWith("connect4")) return ["", ""];
  return game.startsWith("tictactoe") ? ["X", "O"] : ["1", "2"];
}
