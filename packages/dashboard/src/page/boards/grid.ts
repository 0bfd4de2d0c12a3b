import { element, set } from "../element.ts";

export interface CellLook {
  /** Said by a screen reader: "row 1, column 2, empty". */
  readonly label: string;
  /** A class for what is in it. */
  readonly kind: string;
  /** Shown in it. */
  readonly mark?: string | undefined;
  readonly open: boolean;
  readonly last?: boolean | undefined;
}

const steps: Readonly<Record<string, readonly [dx: number, dy: number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** A grid of cells with one stop for the Tab key; arrows, Home and End go about in it, Enter and Space choose. */
export class Grid {
  readonly element: HTMLElement;
  readonly #cells: HTMLButtonElement[] = [];
  readonly #width: number;
  readonly #height: number;
  readonly #choose: (x: number, y: number) => void;
  #at = 0;

  constructor(label: string, width: number, height: number, choose: (x: number, y: number) => void) {
    this.#width = width;
    this.#height = height;
    this.#choose = choose;
    const rows = Array.from({ length: height }, (_, y) =>
      element("div", { role: "row", class: "row" }, ...Array.from({ length: width }, (_, x) => this.#cell(x, y))),
    );
    this.element = element("div", { role: "grid", "aria-label": label, class: "grid" }, ...rows);
    this.element.style.setProperty("--columns", String(width));
    this.element.addEventListener("keydown", (event) => this.#onKey(event));
    this.element.addEventListener("focusin", ({ target }) =>
      this.#stopAt(this.#cells.indexOf(target as HTMLButtonElement)),
    );
    this.#stopAt(Math.floor(height / 2) * width + Math.floor(width / 2));
  }

  look(x: number, y: number, { label, kind, mark = "", open, last = false }: CellLook): void {
    const cell = this.#cells[y * this.#width + x];
    if (cell === undefined) return;
    set(cell, "aria-label", label);
    set(cell, "class", `cell ${kind}${last ? " last" : ""}`);
    set(cell, "aria-disabled", open ? undefined : "true");
    if (cell.textContent !== mark) cell.textContent = mark;
  }

  #cell(x: number, y: number): HTMLButtonElement {
    const cell = element("button", {
      type: "button",
      role: "gridcell",
      class: "cell",
      tabindex: "-1",
      click: () => {
        if (cell.getAttribute("aria-disabled") !== "true") this.#choose(x, y);
      },
    });
    this.#cells.push(cell);
    return cell;
  }

  #stopAt(at: number): void {
    if (at < 0) return;
    this.#cells[this.#at]?.setAttribute("tabindex", "-1");
    this.#at = at;
    this.#cells[at]?.setAttribute("tabindex", "0");
  }

  #onKey(event: KeyboardEvent): void {
    const x = this.#at % this.#width;
    const y = Math.floor(this.#at / this.#width);
    const step = steps[event.key];
    let to: readonly [number, number] | undefined = step && [x + step[0], y + step[1]];
    if (event.key === "Home") to = [0, event.ctrlKey ? 0 : y];
    if (event.key === "End") to = [this.#width - 1, event.ctrlKey ? this.#height - 1 : y];
    if (to === undefined) return;
    event.preventDefault();
    const inside = to[0] >= 0 && to[0] < this.#width && to[1] >= 0 && to[1] < this.#height;
    if (inside) this.#cells[to[1] * this.#width + to[0]]?.focus();
  }
}
