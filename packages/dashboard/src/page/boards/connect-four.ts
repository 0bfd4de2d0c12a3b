import type { Seat } from "../../games.ts";
import { element } from "../element.ts";
import type { Board, MakeBoard, Position } from "./board.ts";
import { Grid } from "./grid.ts";

const columns = 7;
const rows = 6;
const names = ["red", "yellow"] as const;
const kinds = ["first disc", "second disc"] as const;

/** A disc falls in its column, wherever in it one clicks. */
export const connectFour: MakeBoard = (play): Board => {
  const grid = new Grid("The board: a disc falls to the lowest free row of its column", columns, rows, (column) =>
    play({ column }),
  );
  const show = ({ board, open, last }: Position): void => {
    const discs = board as readonly (Seat | null)[];
    const marked = (last?.move as { readonly column: number } | undefined)?.column;
    const top = discs.findIndex((disc, at) => at % columns === marked && disc !== null);
    for (const [at, seat] of discs.entries()) {
      const x = at % columns;
      const y = Math.floor(at / columns);
      grid.look(x, y, {
        label: `row ${y + 1}, column ${x + 1}, ${seat === null ? "empty" : names[seat]}`,
        kind: seat === null ? "hole" : kinds[seat],
        open: open && discs[x] === null,
        last: at === top,
      });
    }
  };
  const holder = element("div", { class: "board wide rack" }, grid.element);
  return { element: holder, show, tell: (move) => `column ${(move as { readonly column: number }).column + 1}` };
};
