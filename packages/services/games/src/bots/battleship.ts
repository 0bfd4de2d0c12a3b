import { drawFleet, fleetLengths, type SeasView, shipCells, type Waters, watersSize } from "../rules/battleship.ts";
import { pick } from "../rules/chance.ts";
import type { Strategy } from "./strategy.ts";

const cells: number = watersSize * watersSize;

/** In how many ways the ships that are still afloat could lie over each cell; near an open hit, only ways that cover one. */
function likelihood({ shots, sunk }: Waters): readonly number[] {
  const gone = new Set(sunk.flatMap((ship) => shipCells(ship, ship.length)));
  const open = new Set<number>();
  for (const { x, y, hit } of shots) {
    const at = y * watersSize + x;
    if (!hit) gone.add(at);
    else if (!gone.has(at)) open.add(at);
  }
  const afloat = [...fleetLengths];
  for (const { length } of sunk) afloat.splice(afloat.indexOf(length), 1);
  const ways = new Array<number>(cells).fill(0);
  for (const length of afloat) {
    for (let start = 0; start < cells * 2; start++) {
      const corner = start % cells;
      const ship = { x: corner % watersSize, y: Math.floor(corner / watersSize), down: start >= cells };
      if ((ship.down ? ship.y : ship.x) + length > watersSize) continue;
      const lies = shipCells(ship, length);
      if (lies.some((at) => gone.has(at))) continue;
      const covered = lies.filter((at) => open.has(at)).length;
      if (open.size > 0 && covered === 0) continue;
      for (const at of lies) if (!open.has(at)) ways[at] = (ways[at] ?? 0) + 1 + covered * covered * 10;
    }
  }
  return ways;
}

/** Places its fleet by chance, and shoots where a ship is likeliest. */
export const huntingBattleship: Strategy = (view, seat, random) => {
  const seas = view as SeasView;
  if (!seas[seat].placed) return { fleet: drawFleet(Math.floor(random() * 2 ** 32)) };
  const ways = likelihood(seas[seat === 0 ? 1 : 0]);
  const most = Math.max(...ways);
  const at = pick(
    ways.flatMap((count, cell) => (count === most ? [cell] : [])),
    random,
  );
  return { x: at % watersSize, y: Math.floor(at / watersSize) };
};
