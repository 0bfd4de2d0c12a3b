import type { Seat } from "../../games.ts";
import { element, set } from "../element.ts";
import type { Board, MakeBoard, Position } from "./board.ts";
import { drawFleet, lengths, type Ship, shipCells, side } from "./fleet.ts";
import { Grid } from "./grid.ts";

interface Cell {
  readonly x: number;
  readonly y: number;
}

/** What is known of one seat's waters; `fleet` is the viewer's own, else null. */
interface Waters {
  readonly placed: boolean;
  readonly shots: readonly (Cell & { readonly hit: boolean })[];
  readonly sunk: readonly (Ship & { readonly length: number })[];
  readonly fleet: readonly Ship[] | null;
}

class Sea {
  readonly element: HTMLElement;
  readonly #grid: Grid;
  readonly #title: HTMLElement;

  constructor(title: string, choose: (x: number, y: number) => void) {
    this.#grid = new Grid(title, side, side, choose);
    this.#title = element("h2", {}, title);
    this.element = element("section", { class: "board sea" }, this.#title, this.#grid.element);
  }

  name(title: string): void {
    this.#title.textContent = title;
    set(this.#grid.element, "aria-label", title);
  }

  show({ shots, sunk, fleet }: Waters, open: boolean, last: Cell | undefined): void {
    const cellsOf = (ships: readonly Ship[] | null): ReadonlySet<number> =>
      new Set(
        (ships ?? []).flatMap((ship, at) => shipCells(ship, (ship as { length?: number }).length ?? lengths[at] ?? 0)),
      );
    const hits = new Map(shots.map(({ x, y, hit }) => [y * side + x, hit]));
    const down = cellsOf(sunk);
    const ships = cellsOf(fleet);
    for (let at = 0; at < side * side; at++) {
      const x = at % side;
      const y = Math.floor(at / side);
      const hit = hits.get(at);
      const what = down.has(at)
        ? "sunk"
        : hit === true
          ? "hit"
          : hit === false
            ? "miss"
            : ships.has(at)
              ? "ship"
              : "water";
      this.#grid.look(x, y, {
        label: `row ${y + 1}, column ${x + 1}, ${what}`,
        kind: what,
        mark: hit === true ? "✕" : hit === false ? "•" : undefined,
        open: open && hit === undefined,
        last: last?.x === x && last.y === y,
      });
    }
  }
}

/** The other's waters to shoot at, and one's own. Before that, a fleet to place: drawn by chance until one likes it. */
export const battleship: MakeBoard = (play): Board => {
  const target = new Sea("Waters of the other", (x, y) => play({ x, y }));
  const own = new Sea("Your waters", () => undefined);
  let fleet = drawFleet();
  let shown: Position | undefined;
  const another = element("button", { type: "button" }, "Another fleet");
  const sail = element("button", { type: "button", class: "main", click: () => play({ fleet }) }, "Place this fleet");
  const placing = element("p", { class: "actions" }, another, sail);
  const show = (position: Position): void => {
    shown = position;
    const { board, seat, open, last } = position;
    const seas = board as readonly [Waters, Waters];
    const mine: Seat = seat ?? 0;
    const other: Seat = mine === 0 ? 1 : 0;
    own.name(seat === null ? "Waters of the first" : "Your waters");
    target.name(seat === null ? "Waters of the second" : "Waters of the other");
    const place = seat !== null && open && !seas[mine].placed;
    const shot = last !== undefined && "x" in (last.move as object) ? (last.move as Cell) : undefined;
    own.show(place ? { ...seas[mine], fleet } : seas[mine], false, last?.seat === other ? shot : undefined);
    target.show(seas[other], seat !== null && open && !place, last?.seat === mine ? shot : undefined);
    placing.hidden = !place;
  };
  another.addEventListener("click", () => {
    fleet = drawFleet();
    if (shown !== undefined) show(shown);
  });
  const tell = (move: unknown): string => {
    const { x, y } = move as Partial<Cell>;
    return x === undefined || y === undefined ? "the fleet is placed" : `row ${y + 1}, column ${x + 1}`;
  };
  return {
    element: element("div", { class: "seas" }, target.element, element("div", {}, own.element, placing)),
    show,
    tell,
  };
};
