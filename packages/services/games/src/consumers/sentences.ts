import type { Seat } from "../game.ts";
import type { SeasView } from "../rules/battleship.ts";

interface Told {
  readonly seat: Seat;
  readonly name: string;
  /** As a spectator is told it, and what a spectator sees after it. */
  readonly move: unknown;
  readonly view: unknown;
}

const letters = "ABCDEFGHIJ";

function shot({ seat, name, view }: Told, x: number, y: number): string {
  const waters = (view as SeasView)[seat === 0 ? 1 : 0];
  const at = `${letters[x] ?? x + 1}${y + 1}`;
  if (waters.shots.at(-1)?.hit !== true) return `${name} shoots at ${at} and misses.`;
  const sunk = waters.sunk.find((ship) => {
    const along = ship.down ? y - ship.y : x - ship.x;
    return (ship.down ? ship.x === x : ship.y === y) && along >= 0 && along < ship.length;
  });
  return sunk === undefined ? `${name} hits at ${at}.` : `${name} sinks a ship of ${sunk.length} at ${at}.`;
}

/** A move as a sentence in English. Of a game that is not known here, the move's own form. */
export function moveSentence(game: string, told: Told): string {
  const { name, move } = told;
  const parts = (typeof move === "object" && move !== null ? move : {}) as Readonly<Record<string, unknown>>;
  const [x, y] = [Number(parts.x), Number(parts.y)];
  if (game === "battleship") return "fleet" in parts ? `${name} has placed a fleet.` : shot(told, x, y);
  if (game === "connect4") return `${name} drops a disc into column ${Number(parts.column) + 1}.`;
  if (game.startsWith("nim")) return `${name} takes ${Number(parts.take)} from heap ${Number(parts.heap) + 1}.`;
  if (game.startsWith("tictactoe")) return `${name} marks column ${x + 1}, row ${y + 1}.`;
  return `${name} plays ${JSON.stringify(move)}.`;
}
