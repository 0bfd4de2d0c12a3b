import { Connection, type LinkState } from "./connection.ts";
import { element, say, set } from "./element.ts";
import { jobs } from "./jobs.ts";
import { leaders } from "./leaders.ts";
import { lobby } from "./lobby.ts";
import { match } from "./match.ts";
import { replay } from "./replay.ts";
import type { Scene, Stage } from "./scene.ts";

const linkWords: Readonly<Record<LinkState, string>> = {
  connecting: "Connecting…",
  connected: "Connected",
  busless: "The bus is away; waiting for it",
  lost: "Connection lost; trying again",
};

const pages: readonly (readonly [address: string, label: string])[] = [
  ["#/", "Lobby"],
  ["#/leaders", "Leaderboard"],
  ["#/jobs", "MapReduce"],
];

const link = document.getElementById("link")!;
const content = document.getElementById("content")!;
const links = pages.map(([href, label]) => element("a", { href }, label));
document.getElementById("pages")?.append(...links);

const connection = new Connection((state) => {
  say(link, linkWords[state]);
  set(link, "data-state", state);
});
say(link, linkWords.connecting);

function sceneOf(stage: Stage, hash: string): Scene {
  const [, kind = "", id = ""] = /^#\/([a-z]*)\/?([\w-]*)$/.exec(hash) ?? [];
  if (kind === "match" && id !== "") return match(stage, id);
  if (kind === "replay" && id !== "") return replay(stage, id);
  if (kind === "leaders") return leaders(stage);
  return kind === "jobs" ? jobs(stage) : lobby(stage);
}

let leave: AbortController | undefined;
let first = true;
function enterScene(): void {
  leave?.abort();
  leave = new AbortController();
  const { title, element: shown } = sceneOf({ connection, signal: leave.signal }, location.hash);
  document.title = `${title} · Quadrant`;
  content.replaceChildren(shown);
  for (const each of links) {
    const here = each.getAttribute("href") === (location.hash === "" ? "#/" : location.hash);
    set(each, "aria-current", here ? "page" : undefined);
  }
  // Whoever came by a link goes on reading from the top of what is new.
  if (!first) {
    content.focus({ preventScroll: true });
    scrollTo(0, 0);
  }
  first = false;
}

addEventListener("hashchange", enterScene);
document.querySelector(".skip")?.addEventListener("click", (event) => {
  event.preventDefault();
  content.focus();
});
enterScene();
