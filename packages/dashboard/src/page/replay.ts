import type { Step } from "../games.ts";
import type { Board } from "./boards/board.ts";
import { boardOf, titleOf } from "./boards/registry.ts";
import { Course } from "./course.ts";
import { element, say, set } from "./element.ts";
import { lastMove, stepText } from "./match-view.ts";
import { ownSeat } from "./own-seats.ts";
import { PlayersStrip } from "./players-strip.ts";
import type { Scene, Stage } from "./scene.ts";

const playMs = 900;

/** A match step by step, with a slider. */
export function replay(stage: Stage, id: string): Scene {
  return { title: "Replay", element: new Player(stage, id).element };
}

class Player {
  readonly element: HTMLElement;
  readonly #stage: Stage;
  readonly #id: string;
  readonly #course: Course;
  readonly #title = element("h1", {}, "Replay");
  readonly #strip = element("div");
  readonly #field = element("div", { class: "field-of-play" });
  readonly #told = element("p", { class: "status", role: "status" }, "Reading the match…");
  readonly #slider = element("input", {
    type: "range",
    min: "1",
    max: "1",
    step: "1",
    value: "1",
    "aria-label": "Step",
  });
  readonly #toggle = element("button", { type: "button", class: "main" }, "Play");
  #board: Board | undefined;
  #players: PlayersStrip | undefined;
  #playing: number | undefined;

  constructor(stage: Stage, id: string) {
    this.#stage = stage;
    this.#id = id;
    const jump = (label: string, by: number): HTMLElement =>
      element("button", { type: "button", click: () => this.#go(Number(this.#slider.value) + by) }, label);
    const controls = element(
      "div",
      { class: "actions", role: "group", "aria-label": "Replay" },
      jump("Back", -1),
      this.#toggle,
      jump("Forward", 1),
      element("a", { class: "button", href: "#/" }, "Lobby"),
    );
    this.element = element(
      "div",
      { class: "match" },
      this.#title,
      this.#strip,
      this.#told,
      this.#field,
      this.#slider,
      controls,
    );
    this.#slider.addEventListener("input", () => this.#show());
    this.#toggle.addEventListener("click", () => this.#playOrStop());
    stage.signal.addEventListener("abort", () => clearInterval(this.#playing), { once: true });
    this.#course = new Course(stage, {
      match: id,
      token: ownSeat(id)?.token,
      onStep: (step) => this.#add(step),
      onFailure: ({ message }) => say(this.#told, message),
    });
  }

  #add(step: Step): void {
    if (this.#board === undefined) this.#begin(step);
    const atEnd = this.#slider.value === this.#slider.max;
    this.#slider.max = String(this.#course.steps.length);
    if (atEnd && this.#playing === undefined) this.#slider.value = this.#slider.max;
    this.#show();
  }

  #begin({ game }: Step): void {
    const seat = ownSeat(this.#id)?.seat ?? null;
    this.#title.textContent = `Replay: ${titleOf(game)}`;
    this.#players = new PlayersStrip(game, seat, this.#stage.signal);
    this.#strip.replaceWith(this.#players.element);
    this.#board = boardOf(game)?.(() => undefined);
    if (this.#board !== undefined) this.#field.replaceChildren(this.#board.element);
  }

  #go(to: number): void {
    this.#slider.value = String(to);
    this.#show();
  }

  #show(): void {
    const at = Number(this.#slider.value);
    const steps = this.#course.steps.slice(0, at);
    const step = steps.at(-1);
    if (step === undefined) return;
    const view = step.view;
    const seat = ownSeat(this.#id)?.seat ?? null;
    this.#board?.show({ board: view.board, seat, open: false, last: lastMove(steps) });
    this.#players?.show(view);
    const text = `Step ${at} of ${this.#course.steps.length}: ${stepText(step, view, this.#board) ?? "the match"}`;
    say(this.#told, text);
    set(this.#slider, "aria-valuetext", text);
    if (at === this.#course.steps.length && this.#playing !== undefined) this.#playOrStop();
  }

  #playOrStop(): void {
    if (this.#playing === undefined) {
      if (this.#slider.value === this.#slider.max) this.#go(1);
      this.#playing = setInterval(() => this.#go(Number(this.#slider.value) + 1), playMs);
    } else {
      clearInterval(this.#playing);
      this.#playing = undefined;
    }
    this.#toggle.textContent = this.#playing === undefined ? "Play" : "Pause";
  }
}
