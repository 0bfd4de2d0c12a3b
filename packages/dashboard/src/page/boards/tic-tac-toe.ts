import type { Seat } from "../../games.ts";
import { element } from "../element.ts";
import type { Board, MakeBoard, Position } from "./board.ts";
import { Grid } from "./grid.ts";

const marks = ["X", "O"] as const;
const kinds = ["first", "second"] as const;

interface Cell {
  readonly x: number;
  readonly y: number;
}

/** n × n: the size is the view's. */
export const ticTacToe: MakeBoard = (play): Board => {
  const holder = element("div", { class: "board square" });
  let grid: Grid | undefined;
  let size = 0;
  const show = ({ board, open, last }: Position): void => {
    const cells = board as readonly (Seat | null)[];
    if (size * size !== cells.length) {
      size = Math.sqrt(cells.length);
      grid = new Grid("The board", size, size, (x, y) => play({ x, y }));
      holder.replaceChildren(grid.element);
    }
    const marked = last?.move as Cell | undefined;
    for (const [at, seat] of cells.entries()) {
      const x = at % size;
      const y = Math.floor(at / size);
      const mark = seat === null ? undefined : marks[seat];
      grid?.look(x, y, {
        label: `row ${y + 1}, column ${x + 1}, ${mark ?? "empty"}`,
        kind: seat === null ? "" : kinds[seat],
        mark,
        open: open && seat === null,
        last: marked?.x === x && marked.y === y,
      });
    }
  };
  return { element: holder, show, tell: (move) => `row ${(move as Cell).y + 1}, column ${(move as Cell).x + 1}` };
};
