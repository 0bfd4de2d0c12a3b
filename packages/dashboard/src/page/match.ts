import type { MatchView, Reply, Seat, Step } from "../games.ts";
import type { Board } from "./boards/board.ts";
import { boardOf, titleOf } from "./boards/registry.ts";
import type { Refused } from "./connection.ts";
import { Course, permanent } from "./course.ts";
import { announce, element, say } from "./element.ts";
import { enter } from "./lobby.ts";
import { lastMove, resultText, stepText } from "./match-view.ts";
import { type OwnSeat, ownName, ownSeat } from "./own-seats.ts";
import { PlayersStrip } from "./players-strip.ts";
import type { Scene, Stage } from "./scene.ts";

/** Where nobody answered: the same is asked again. Every move names the version it is for, so it cannot be made twice. */
const noAnswer: ReadonlySet<string> = new Set([
  ...["timeout", "unavailable", "no-responder", "indefinite", "lost", "failed", "overflow", "closed"],
]);
const againMs = 1_000;

/** A match to play, where this browser has a seat in it, or to watch. */
export function match(stage: Stage, id: string): Scene {
  const table = new Table(stage, id);
  return { title: "Match", element: table.element };
}

class Table {
  readonly element: HTMLElement;
  readonly #stage: Stage;
  readonly #seat: OwnSeat | undefined;
  readonly #course: Course;
  readonly #title = element("h1", {}, "Match");
  readonly #strip = element("div");
  readonly #field = element("div", { class: "field-of-play" });
  readonly #status = element("p", { class: "status", role: "status" }, "Opening the match…");
  readonly #trouble = element("p", { class: "trouble", role: "alert" });
  readonly #actions = element("div", { class: "actions" });
  // It scrolls, so that the keyboard must come to it.
  readonly #moves = element("ol", { class: "moves", tabindex: "0", "aria-label": "Moves" });
  #board: Board | undefined;
  #players: PlayersStrip | undefined;
  #view: MatchView | undefined;
  /** The version that a move of ours was made for, until it is answered. */
  #sent: number | undefined;
  #shownActions = "";

  constructor(stage: Stage, id: string) {
    this.#stage = stage;
    this.#seat = ownSeat(id);
    this.element = element(
      "div",
      { class: "match" },
      this.#title,
      this.#strip,
      element(
        "div",
        { class: "table-top" },
        element("div", {}, this.#status, this.#trouble, this.#field, this.#actions),
        this.#record(),
      ),
    );
    this.#course = new Course(stage, {
      match: id,
      token: this.#seat?.token,
      onStep: (step) => this.#show(step),
      onFailure: (error) => this.#fail(error),
    });
  }

  #record(): HTMLElement {
    const id = "record";
    return element(
      "section",
      { class: "card record", "aria-labelledby": id },
      element("h2", { id }, "Moves"),
      this.#moves,
    );
  }

  #fail(error: Refused): void {
    if (permanent.has(error.code)) say(this.#status, error.message);
    else if (!noAnswer.has(error.code)) say(this.#trouble, error.message);
  }

  #show(step: Step): void {
    const view = step.view;
    const seat = this.#seat?.seat ?? null;
    this.#view = view;
    if (this.#board === undefined) this.#begin(step.game, seat);
    if (this.#sent !== undefined && step.version > this.#sent) {
      performance.measure("move", "move-made");
      this.#sent = undefined;
    }
    say(this.#trouble, "");
    const open = view.state === "running" && seat !== null && view.toMove === seat && this.#sent === undefined;
    this.#board?.show({ board: view.board, seat, open, last: lastMove(this.#course.steps) });
    this.#players?.show(view);
    this.#tell(step, view, seat);
    this.#showActions(view, seat);
  }

  #begin(game: string, seat: Seat | null): void {
    this.#title.textContent = titleOf(game);
    document.title = `${titleOf(game)} · Quadrant`;
    this.#players = new PlayersStrip(game, seat, this.#stage.signal);
    this.#strip.replaceWith(this.#players.element);
    this.#board = boardOf(game)?.((move) => void this.#play(move));
    if (this.#board === undefined) this.#field.replaceChildren(element("p", {}, `This page has no board for ${game}.`));
    else this.#field.replaceChildren(this.#board.element);
  }

  #tell(step: Step, view: MatchView, seat: Seat | null): void {
    const text = stepText(step, view, this.#board);
    if (text !== undefined) {
      this.#moves.append(element("li", { value: String(step.version) }, text));
      this.#moves.scrollTop = this.#moves.scrollHeight;
      announce(text);
    }
    say(this.#status, statusOf(view, seat));
  }

  async #play(move: unknown): Promise<void> {
    const version = this.#course.version;
    if (this.#seat === undefined || this.#sent !== undefined) return;
    this.#sent = version;
    performance.mark("move-made");
    const { match, token } = this.#seat;
    const reply = await this.#ask(
      "move",
      { match, token, move, expectedVersion: version },
      () => this.#course.version === version,
    );
    if (reply === undefined || reply.ok) return;
    this.#sent = undefined;
    if (this.#course.version === version) this.#again();
    if (reply.code !== "CONFLICT") say(this.#trouble, reply.message);
  }

  /** The board as it is, open again. */
  #again(): void {
    const view = this.#view;
    const seat = this.#seat?.seat ?? null;
    if (view === undefined) return;
    const open = view.state === "running" && view.toMove === seat;
    this.#board?.show({ board: view.board, seat, open, last: lastMove(this.#course.steps) });
  }

  /** Asks until somebody answers; undefined where it has become pointless. */
  async #ask(ask: string, of: Readonly<Record<string, unknown>>, matters: () => boolean): Promise<Reply | undefined> {
    const { connection, signal } = this.#stage;
    while (!signal.aborted && matters()) {
      try {
        return await connection.ask<Reply>(ask, of, { again: true, signal });
      } catch (error) {
        if (signal.aborted) return undefined;
        const { code, message } = error as Refused;
        if (!noAnswer.has(code)) return { id: "", ok: false, code, message, version: this.#course.version };
        say(this.#trouble, "The referee does not answer; trying again.");
        await new Promise((resolve) => setTimeout(resolve, againMs));
      }
    }
    return undefined;
  }

  #showActions(view: MatchView, seat: Seat | null): void {
    const actions = seat === null ? this.#forSpectators(view) : this.#forPlayers(view, seat);
    const shown = actions.map(([label]) => label).join();
    if (shown === this.#shownActions) return;
    this.#shownActions = shown;
    this.#actions.replaceChildren(
      ...actions.map(([label, act]) =>
        typeof act === "string"
          ? element("a", { class: "button", href: act }, label)
          : element("button", { type: "button", click: act }, label),
      ),
    );
  }

  #forSpectators({ state, next }: MatchView): readonly Action[] {
    const id = location.hash.split("/").at(-1) ?? "";
    if (state === "open") return [["Join", () => void this.#take("join", { match: id, name: ownName() || "Guest" })]];
    if (state !== "ended") return [];
    return [
      ["Replay", `#/replay/${id}`],
      ...(next === undefined ? [] : [["Watch the rematch", `#/match/${next}`] as const]),
    ];
  }

  #forPlayers(view: MatchView, seat: Seat): readonly Action[] {
    const { match, token } = this.#seat!;
    const of = { match, token };
    const simple = (label: string, ask: string): Action => [label, () => void this.#command(ask, of)];
    if (view.state === "open") return [];
    if (view.state === "running") {
      const other: Seat = seat === 0 ? 1 : 0;
      const draw =
        view.drawOfferedBy === other
          ? [simple("Accept the draw", "accept-draw"), simple("Decline the draw", "decline-draw")]
          : view.drawOfferedBy === null
            ? [simple("Offer a draw", "offer-draw")]
            : [];
      return [...draw, ["Resign", () => confirm("Resign this match?") && void this.#command("resign", of)]];
    }
    const rematch: Action = [
      view.rematchOfferedBy !== null && view.rematchOfferedBy !== seat ? "Accept the rematch" : "Rematch",
      () => void this.#take("rematch", of, "Waiting for the other to agree…"),
    ];
    return [rematch, ["Replay", `#/replay/${match}`]];
  }

  async #command(ask: string, of: Readonly<Record<string, unknown>>): Promise<void> {
    const reply = await this.#ask(ask, of, () => this.#view?.state === "running");
    if (reply !== undefined && !reply.ok) say(this.#trouble, reply.message);
  }

  async #take(ask: string, of: Readonly<Record<string, unknown>>, wait = ""): Promise<void> {
    const { connection, signal } = this.#stage;
    say(this.#trouble, wait);
    try {
      const seat = await connection.ask<OwnSeat>(ask, of, { signal });
      enter(seat);
      // The same address, with a seat now.
      if (ask === "join") dispatchEvent(new HashChangeEvent("hashchange"));
    } catch (error) {
      if (!signal.aborted) say(this.#trouble, (error as Error).message);
    }
  }
}

type Action = readonly [label: string, act: string | (() => void)];

function statusOf(view: MatchView, seat: Seat | null): string {
  if (view.state === "open") return "Waiting for somebody to join.";
  if (view.state === "ended") return resultText(view, seat);
  if (view.toMove === null) return "Being played.";
  if (view.toMove === seat) return "Your turn.";
  return `${view.names[view.toMove] ?? "The other"} is to move.`;
}
