import { element } from "../element.ts";
import type { Board, MakeBoard, Position } from "./board.ts";
import { Grid } from "./grid.ts";

interface Taking {
  readonly heap: number;
  readonly take: number;
}

/** Each heap is a row; choosing a piece takes it and all to its right. */
export const nim: MakeBoard = (play): Board => {
  const holder = element("div", { class: "board wide heaps" });
  const hint = element("p", { class: "hint" }, "Choose a piece: it is taken, and all to its right.");
  let grid: Grid | undefined;
  let widest = 0;
  let height = 0;
  let lying: readonly number[] = [];
  const show = ({ board, open, last }: Position): void => {
    lying = board as readonly number[];
    if (height !== lying.length || widest < Math.max(...lying)) {
      height = lying.length;
      widest = Math.max(widest, ...lying, 1);
      grid = new Grid("The heaps", widest, height, (x, y) => play({ heap: y, take: (lying[y] ?? 0) - x }));
      holder.replaceChildren(grid.element, hint);
    }
    const marked = (last?.move as Taking | undefined)?.heap;
    for (const [y, pieces] of lying.entries()) {
      for (let x = 0; x < widest; x++) {
        const there = x < pieces;
        grid?.look(x, y, {
          label: there
            ? `heap ${y + 1} of ${pieces}: take ${pieces - x}, leave ${x}`
            : `heap ${y + 1} of ${pieces}: nothing here`,
          kind: there ? "piece" : "gone",
          open: open && there,
          last: marked === y && x === pieces,
        });
      }
    }
  };
  const tell = (move: unknown): string => `${(move as Taking).take} from heap ${(move as Taking).heap + 1}`;
  return { element: holder, show, tell };
};
