import { defineGame, type Game, type Seat } from "../game.ts";
import type { Cell } from "../tic-tac-toe.ts";
import { chance } from "./chance.ts";

/** How long the ships of a fleet are, in the order in which they are placed. */
export const fleetLengths: readonly number[] = [5, 4, 3, 3, 2];
export const watersSize = 10;

/** Its upper left end, and whether it lies downwards or to the right. */
export interface Ship extends Cell {
  readonly down: boolean;
}
/** A ship for each of `fleetLengths`. */
export type Fleet = readonly Ship[];
/** The first move of each seat places its fleet, unseen by the other; every further move is a shot. */
export type Salvo = { readonly fleet: Fleet } | Cell;

export interface Seas {
  /** null until it is placed. */
  readonly fleets: readonly [Fleet | null, Fleet | null];
  /** At whom, not by whom: the cells of that seat's waters, row by row, in the order of the shots. */
  readonly shots: readonly [readonly number[], readonly number[]];
}

/** What is known of one seat's waters. */
export interface Waters {
  readonly placed: boolean;
  readonly shots: readonly (Cell & { readonly hit: boolean })[];
  readonly sunk: readonly (Ship & { readonly length: number })[];
  /** The seat's own eyes see it, no other's. */
  readonly fleet: Fleet | null;
}
/** What a seat, or a spectator, sees of the waters of seat 0 and of seat 1. */
export type SeasView = readonly [Waters, Waters];

/** The cells of a ship, row by row. */
export function shipCells({ x, y, down }: Ship, length: number): readonly number[] {
  return Array.from({ length }, (_, step) => y * watersSize + x + step * (down ? watersSize : 1));
}

function fits({ x, y, down }: Ship, length: number): boolean {
  const end = (down ? y : x) + length - 1;
  return x >= 0 && y >= 0 && x < watersSize && y < watersSize && end < watersSize;
}

/** A fleet that lies by chance: the same for the same seed. */
export function drawFleet(seed: number): Fleet {
  const random = chance(seed);
  const below = (limit: number): number => Math.floor(random() * limit);
  const taken = new Set<number>();
  return fleetLengths.map((length) => {
    for (;;) {
      const ship = { x: below(watersSize), y: below(watersSize), down: random() < 0.5 };
      const cells = shipCells(ship, length);
      if (!fits(ship, length) || cells.some((at) => taken.has(at))) continue;
      for (const at of cells) taken.add(at);
      return ship;
    }
  });
}

function readCell(body: object): Cell | undefined {
  if (!("x" in body) || !("y" in body)) return undefined;
  const { x, y } = body;
  return Number.isInteger(x) && Number.isInteger(y) ? { x: x as number, y: y as number } : undefined;
}

function readFleet(body: unknown): Fleet | undefined {
  if (!Array.isArray(body) || body.length !== fleetLengths.length) return undefined;
  const ships: Ship[] = [];
  for (const ship of body) {
    if (typeof ship !== "object" || ship === null || typeof ship.down !== "boolean") return undefined;
    const cell = readCell(ship);
    if (cell === undefined) return undefined;
    ships.push({ ...cell, down: ship.down });
  }
  return ships;
}

function waters({ fleets, shots }: Seas, of: Seat, seen: boolean): Waters {
  const fleet = fleets[of];
  const struck = new Set(shots[of]);
  const ships = (fleet ?? []).map((ship, at) => ({ ...ship, length: fleetLengths[at] ?? 0 }));
  const afloat = new Set(ships.flatMap((ship) => shipCells(ship, ship.length)));
  return {
    placed: fleet !== null,
    shots: shots[of].map((at) => ({ x: at % watersSize, y: Math.floor(at / watersSize), hit: afloat.has(at) })),
    sunk: ships.filter((ship) => shipCells(ship, ship.length).every((at) => struck.has(at))),
    fleet: seen ? fleet : null,
  };
}

const against = (seat: Seat): Seat => (seat === 0 ? 1 : 0);

/** Ten by ten, ships of 5, 4, 3, 3 and 2 cells; who has sunk the other's fleet wins. What is hidden differs by seat. */
export const battleship: Game<Seas, Salvo> = defineGame<Seas, Salvo>({
  name: "battleship",
  setup: () => ({ fleets: [null, null], shots: [[], []] }),
  moves: {
    read(body) {
      if (typeof body !== "object" || body === null) return undefined;
      if (!("fleet" in body)) return readCell(body);
      const fleet = readFleet(body.fleet);
      return fleet === undefined ? undefined : { fleet };
    },
    violation({ fleets, shots }, move, seat) {
      if ("fleet" in move) {
        if (fleets[seat] !== null) return { code: "ALREADY_PLACED", message: "your fleet lies where you placed it" };
        if (!move.fleet.every((ship, at) => fits(ship, fleetLengths[at] ?? 0))) {
          return { code: "OUT_OF_RANGE", message: `x and y are 0 to ${watersSize - 1}, for all of a ship` };
        }
        const cells = move.fleet.flatMap((ship, at) => shipCells(ship, fleetLengths[at] ?? 0));
        if (new Set(cells).size === cells.length) return undefined;
        return { code: "OCCUPIED", message: "two of your ships share a cell" };
      }
      if (fleets[seat] === null) return { code: "NOT_PLACED", message: "first place your fleet" };
      const { x, y } = move;
      if (x < 0 || y < 0 || x >= watersSize || y >= watersSize) {
        return { code: "OUT_OF_RANGE", message: `x and y are 0 to ${watersSize - 1}` };
      }
      if (!shots[against(seat)].includes(y * watersSize + x)) return undefined;
      return { code: "OCCUPIED", message: "you have shot there before" };
    },
    play({ fleets, shots }, seat, move) {
      if ("fleet" in move) return { fleets: seat === 0 ? [move.fleet, fleets[1]] : [fleets[0], move.fleet], shots };
      const at = move.y * watersSize + move.x;
      return { fleets, shots: seat === 1 ? [[...shots[0], at], shots[1]] : [shots[0], [...shots[1], at]] };
    },
    redact: (move, mover, viewer) => ("fleet" in move && viewer !== mover ? { fleet: null } : move),
  },
  outcome(seas, mover) {
    const { sunk } = waters(seas, against(mover), false);
    return sunk.length === fleetLengths.length ? { winner: mover } : undefined;
  },
  view: (seas, seat): SeasView => [waters(seas, 0, seat === 0), waters(seas, 1, seat === 1)],
});
