import { offers } from "./boards/registry.ts";
import { element } from "./element.ts";

/** One of the games, the first to begin with; `chosen` is told of each other choice. */
export function gameChoice(name: string, chosen?: (game: string) => void): HTMLElement {
  const choices = offers.map(({ game, title }, at) =>
    element(
      "label",
      { class: "choice" },
      element("input", { type: "radio", name, value: game, checked: at === 0, change: () => chosen?.(game) }),
      element("span", {}, title),
    ),
  );
  return element("div", { class: "choices" }, ...choices);
}
