import type { MatchView, Seat } from "../games.ts";
import { marksOf } from "./boards/registry.ts";
import { element, say, set } from "./element.ts";

const tickMs = 250;

/** Both players, whose turn it is, and how long that one still has. */
export class PlayersStrip {
  readonly element: HTMLElement;
  readonly #names: readonly [HTMLElement, HTMLElement] = [element("strong"), element("strong")];
  readonly #notes: readonly [HTMLElement, HTMLElement] = [element("small"), element("small")];
  readonly #sides: readonly [HTMLElement, HTMLElement];
  readonly #own: Seat | null;
  #view: MatchView | undefined;

  constructor(game: string, own: Seat | null, signal: AbortSignal) {
    this.#own = own;
    const marks = marksOf(game);
    const side = (seat: Seat): HTMLElement =>
      element(
        "li",
        { class: `player ${seat === 0 ? "first" : "second"}` },
        element("span", { class: marks[seat] === "" ? "mark disc" : "mark", "aria-hidden": "true" }, marks[seat]),
        element("span", { class: "who" }, this.#names[seat], this.#notes[seat]),
      );
    this.#sides = [side(0), side(1)];
    this.element = element("ul", { class: "players", "aria-label": "Players" }, ...this.#sides);
    const timer = setInterval(() => this.#tick(), tickMs);
    signal.addEventListener("abort", () => clearInterval(timer), { once: true });
  }

  show(view: MatchView): void {
    this.#view = view;
    for (const seat of [0, 1] as const) {
      say(this.#names[seat], view.names[seat] ?? "nobody yet");
      set(this.#sides[seat], "data-turn", view.state === "running" && view.toMove === seat);
      set(this.#sides[seat], "data-won", view.result?.winner === seat);
    }
    this.#tick();
  }

  /** What the seat to move has left, in ms; undefined without a clock. */
  get left(): number | undefined {
    const { state, deadline } = this.#view ?? {};
    return state === "running" && deadline !== undefined ? deadline - Date.now() : undefined;
  }

  #tick(): void {
    const view = this.#view;
    if (view === undefined) return;
    for (const seat of [0, 1] as const) {
      const notes: string[] = seat === this.#own ? ["you"] : [];
      if (view.result?.winner === seat) notes.push("won");
      if (view.state === "running" && view.toMove === seat) {
        notes.push("to move");
        if (this.left !== undefined) notes.push(`${Math.max(Math.ceil(this.left / 1_000), 0)} s`);
      }
      say(this.#notes[seat], notes.join(" · "));
    }
  }
}
