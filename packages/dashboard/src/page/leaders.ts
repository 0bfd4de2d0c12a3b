import type { Leader } from "../games.ts";
import { offers } from "./boards/registry.ts";
import { element } from "./element.ts";
import { gameChoice } from "./game-choice.ts";
import type { Scene, Stage } from "./scene.ts";

const againMs = 5_000;

/** Who is best at each game. */
export function leaders(stage: Stage): Scene {
  const body = element("tbody");
  const told = element("p", { class: "none", role: "status" });
  let game = offers[0]?.game ?? "";
  let shown = "";
  const read = async (): Promise<void> => {
    const asked = game;
    try {
      const rows = await stage.connection.ask<readonly Leader[]>(
        "leaders",
        { game },
        { again: true, signal: stage.signal },
      );
      if (asked !== game) return;
      const text = JSON.stringify(rows);
      if (text !== shown) body.replaceChildren(...rows.map((leader, at) => rowOf(leader, at)));
      shown = text;
      told.textContent = rows.length === 0 ? "Nobody has finished a match of it yet." : "";
    } catch {
      if (!stage.signal.aborted) told.textContent = "The leaderboard does not answer; trying again.";
    }
  };
  const choice = gameChoice("leaders", (chosen) => {
    game = chosen;
    shown = "";
    body.replaceChildren();
    void read();
  });
  const timer = setInterval(() => void read(), againMs);
  stage.signal.addEventListener("abort", () => clearInterval(timer), { once: true });
  void read();
  const heads = ["#", "Name", "Rating", "Played", "Won", "Drawn", "Lost"].map((head, at) =>
    element("th", { scope: "col", class: at > 1 ? "number" : undefined }, head),
  );
  const table = element(
    "table",
    {},
    element("caption", { class: "unseen" }, "Players by their Elo rating"),
    element("thead", {}, element("tr", {}, ...heads)),
    body,
  );
  return {
    title: "Leaderboard",
    element: element(
      "div",
      {},
      element("h1", {}, "Leaderboard"),
      element("fieldset", { class: "bare" }, element("legend", { class: "unseen" }, "Game"), choice),
      element("div", { class: "card table", tabindex: "0", role: "region", "aria-label": "Leaderboard" }, table, told),
    ),
  };
}

function rowOf({ name, rating, played, won, drawn, lost }: Leader, at: number): HTMLElement {
  const number = (value: number): HTMLElement => element("td", { class: "number" }, String(value));
  return element(
    "tr",
    {},
    element("td", {}, String(at + 1)),
    element("th", { scope: "row" }, name),
    ...[Math.round(rating), played, won, drawn, lost].map(number),
  );
}
