import { randomInt } from "node:crypto";
import { drawFleet } from "@quadrant/games";

/** How a move of the game is typed. */
export function moveHint(game: string): string {
  if (game.startsWith("nim")) return "HEAP HOW-MANY";
  if (game === "connect4") return "COLUMN";
  if (game === "battleship") return "X Y, or first: fleet, which places yours by chance";
  return "X Y (column, row)";
}

/** The move that was typed; undefined where it is none. What the rules say of it, the referee tells. */
export function moveOf(game: string, text: string): unknown {
  if (game === "battleship" && text === "fleet") return { fleet: drawFleet(randomInt(2 ** 31)) };
  const numbers = text.split(/[\s,]+/).map(Number);
  if (!numbers.every(Number.isInteger)) return undefined;
  const [a, b] = numbers;
  if (game === "connect4") return numbers.length === 1 ? { column: a } : undefined;
  if (numbers.length !== 2) return undefined;
  return game.startsWith("nim") ? { heap: a, take: b } : { x: a, y: b };
}
