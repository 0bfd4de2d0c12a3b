import type { Discs, Grid, Heaps, SeasView, Waters } from "@quadrant/games";

const marks = "XO";

/** Rows of cells with the numbers of columns above them, and of rows before them. */
function gridText(cells: readonly string[], width: number, numbersRows: boolean): string {
  const lines: string[] = [];
  const before = (row: string): string => (numbersRows ? `${row.padStart(2)} ` : "");
  lines.push(before("") + Array.from({ length: width }, (_, x) => String(x).padStart(2)).join(""));
  for (let y = 0; y * width < cells.length; y++) {
    const row = cells.slice(y * width, (y + 1) * width).map((cell) => cell.padStart(2));
    lines.push(before(String(y)) + row.join(""));
  }
  return lines.join("\n");
}

function discsText(discs: Grid | Discs, width: number, numbersRows: boolean): string {
  return gridText(
    discs.map((holder) => (holder === null ? "." : marks.charAt(holder))),
    width,
    numbersRows,
  );
}

/** `#` a ship, `*` a hit, `o` a miss. */
function watersText({ fleet, shots }: Waters): string {
  const cells = Array.from({ length: 100 }, () => ".");
  for (const [at, { x, y, down }] of (fleet ?? []).entries()) {
    for (let step = 0; step < (fleetLengths[at] ?? 0); step++) cells[y * 10 + x + step * (down ? 10 : 1)] = "#";
  }
  for (const { x, y, hit } of shots) cells[y * 10 + x] = hit ? "*" : "o";
  return gridText(cells, 10, true);
}

/** Of Battleship, in the order of its ships. */
const fleetLengths = [5, 4, 3, 3, 2];

/** A board as a seat sees it, as lines of text; null: as a spectator does. */
export function boardText(game: string, board: unknown, seat: 0 | 1 | null): string {
  if (game.startsWith("nim")) {
    return (board as Heaps).map((lying, heap) => `heap ${heap}: ${"|".repeat(lying)} ${lying}`).join("\n");
  }
  if (game === "battleship") {
    const [first, second] = board as SeasView;
    const [own, other] = seat === 1 ? [second, first] : [first, second];
    const [ownTitle, otherTitle] = seat === null ? ["X's waters", "O's waters"] : ["your waters", "the other's waters"];
    return `${ownTitle}\n${watersText(own)}\n${otherTitle}\n${watersText(other)}`;
  }
  const discs = board as Grid;
  if (game === "connect4") return discsText(discs, 7, false);
  return discsText(discs, Math.sqrt(discs.length), true);
}
