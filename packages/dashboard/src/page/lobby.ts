import type { MatchSummary } from "../games.ts";
import { titleOf } from "./boards/registry.ts";
import type { Refused } from "./connection.ts";
import { announce, element, say } from "./element.ts";
import { gameChoice } from "./game-choice.ts";
import { keepName, keepSeat, type OwnSeat, ownName, ownSeat } from "./own-seats.ts";
import type { Scene, Stage } from "./scene.ts";

/** Who one is, what to play and against whom, and every match there is. */
export function lobby(stage: Stage): Scene {
  const matches = new MatchList(stage);
  return {
    title: "Lobby",
    element: element("div", { class: "lobby" }, element("h1", {}, "Lobby"), invitation(stage), matches.element),
  };
}

/** Resolves with the name; undefined, with the field marked, where there is none. */
function nameIn(field: HTMLInputElement): string | undefined {
  const name = field.value.trim();
  if (name === "") {
    field.setAttribute("aria-invalid", "true");
    field.focus();
    return undefined;
  }
  field.removeAttribute("aria-invalid");
  keepName(name);
  return name;
}

export function enter(seat: OwnSeat): void {
  keepSeat(seat);
  location.hash = `#/match/${seat.match}`;
}

function invitation({ connection, signal }: Stage): HTMLElement {
  const name = element("input", {
    id: "name",
    name: "name",
    maxlength: "32",
    autocomplete: "nickname",
    placeholder: "Ada",
    required: true,
    value: ownName(),
  });
  const games = element("fieldset", {}, element("legend", {}, "Game"), gameChoice("game"));
  const told = element("p", { class: "told", role: "status" });
  let asking: AbortController | undefined;
  const cancel = element("button", { type: "button", hidden: true, click: () => asking?.abort() }, "Cancel");
  const start = async (ask: string, wait: string): Promise<void> => {
    const own = nameIn(name);
    if (own === undefined || asking !== undefined)
      return say(told, own === undefined ? "Say who you are first." : wait);
    const game = games.querySelector<HTMLInputElement>("input:checked")?.value ?? "";
    asking = new AbortController();
    say(told, wait);
    cancel.hidden = false;
    try {
      const either = AbortSignal.any([asking.signal, signal]);
      enter(await connection.ask<OwnSeat>(ask, { name: own, game }, { signal: either }));
    } catch (error) {
      say(told, asking.signal.aborted || signal.aborted ? "" : (error as Refused).message);
    } finally {
      asking = undefined;
      cancel.hidden = true;
    }
  };
  const button = (label: string, ask: string, wait: string, main = false): HTMLElement =>
    element("button", { type: "button", class: main ? "main" : undefined, click: () => void start(ask, wait) }, label);
  return element(
    "section",
    { class: "card invitation", "aria-labelledby": "play" },
    element("h2", { id: "play" }, "Play"),
    element("div", { class: "field" }, element("label", { for: "name" }, "Your name"), name),
    games,
    element(
      "div",
      { class: "actions" },
      button("Play a bot", "bot", "Asking a bot to play…", true),
      button("Find an opponent", "seek", "Looking for an opponent…"),
      button("Open a match", "create", "Opening a match…"),
      cancel,
    ),
    told,
  );
}

const groups = [
  { state: "open", title: "Waiting for somebody", none: "Nobody waits for an opponent." },
  { state: "running", title: "Being played", none: "Nothing is being played." },
  { state: "ended", title: "Played", none: "Nothing has been played yet." },
] as const;

class MatchList {
  readonly element: HTMLElement;
  readonly #lists = new Map<string, HTMLElement>();
  readonly #stage: Stage;

  constructor(stage: Stage) {
    this.#stage = stage;
    const sections = groups.map(({ state, title, none }) => {
      const list = element("ul", { class: "matches", "data-none": none });
      this.#lists.set(state, list);
      return element("section", { class: "card", "aria-labelledby": state }, element("h2", { id: state }, title), list);
    });
    this.element = element("div", { class: "columns" }, ...sections);
    stage.connection.follow("matches", () => ({}), {
      item: (item) => this.#show((item as readonly MatchSummary[] | null) ?? []),
      failed: ({ message }) => announce(message),
      signal: stage.signal,
    });
    this.#show([]);
  }

  #show(matches: readonly MatchSummary[]): void {
    for (const { state, none } of groups) {
      const list = this.#lists.get(state)!;
      const rows = matches.filter((each) => each.state === state).slice(0, state === "ended" ? 20 : 100);
      const before = new Map([...list.children].map((row) => [row.getAttribute("data-match"), row]));
      // A row that says the same stays, and with it the focus in it.
      const next = rows.map((each) => {
        const row = this.#row(each);
        const old = before.get(each.match);
        return old !== undefined && old.textContent === row.textContent ? old : row;
      });
      if (next.length > 0) {
        if (next.length !== list.childElementCount || next.some((row, at) => row !== list.children[at])) {
          list.replaceChildren(...next);
        }
      } else if (list.textContent !== none) list.replaceChildren(element("li", { class: "none" }, none));
    }
  }

  #row({ match, game, state, names, result }: MatchSummary): HTMLElement {
    const players = names.map((name) => name ?? "…").join(" – ");
    const own = ownSeat(match) !== undefined;
    const label = state === "ended" ? "Replay" : own ? "Continue" : state === "open" ? "Join" : "Watch";
    const described = `${label}: ${titleOf(game)}, ${players}`;
    const open = element(
      "a",
      { class: "button", href: state === "ended" ? `#/replay/${match}` : `#/match/${match}`, "aria-label": described },
      label,
    );
    if (label === "Join") open.addEventListener("click", (event) => void this.#join(event, match));
    return element(
      "li",
      { "data-match": match },
      element(
        "span",
        { class: "who" },
        element("strong", {}, players),
        element("small", {}, titleOf(game), result === undefined ? "" : ` · ${result}`),
      ),
      open,
    );
  }

  async #join(event: Event, match: string): Promise<void> {
    event.preventDefault();
    const field = document.getElementById("name") as HTMLInputElement | null;
    const name = field === null ? undefined : nameIn(field);
    if (name === undefined) return;
    try {
      enter(await this.#stage.connection.ask<OwnSeat>("join", { name, match }, { signal: this.#stage.signal }));
    } catch (error) {
      if (!this.#stage.signal.aborted) announce((error as Error).message);
    }
  }
}
