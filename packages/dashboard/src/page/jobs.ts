import type { JobProgress, PhaseProgress } from "../jobs.ts";
import { announce, element, say, set } from "./element.ts";
import type { Scene, Stage } from "./scene.ts";

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/** The MapReduce jobs that tell of themselves. */
export function jobs(stage: Stage): Scene {
  const none = element(
    "p",
    { class: "none" },
    "No job has told of itself since this page is up. ",
    element("code", {}, "quadrant mapreduce run word-count FOLDER"),
    " starts one.",
  );
  const list = element("div", { class: "columns" });
  const cards = new Map<string, JobCard>();
  stage.connection.follow("jobs", () => ({}), {
    item: (item) => {
      const told = item as readonly JobProgress[];
      none.hidden = told.length > 0;
      for (const progress of told) {
        let card = cards.get(progress.job);
        if (card === undefined) {
          card = new JobCard(progress);
          cards.set(progress.job, card);
          list.append(card.element);
        }
        card.show(progress);
      }
    },
    failed: ({ message }) => announce(message),
    signal: stage.signal,
  });
  return { title: "Jobs", element: element("div", {}, element("h1", {}, "MapReduce"), none, list) };
}

const words: Readonly<Record<string, string>> = {
  planning: "Looking at what is to be read",
  map: "Mapping",
  reduce: "Reducing",
  committing: "Putting the result in place",
  done: "Done",
  failed: "Failed",
  cancelled: "Cancelled",
};

class JobCard {
  readonly element: HTMLElement;
  readonly #phase = element("p", { class: "phase" });
  readonly #bars: Readonly<Record<"map" | "reduce", HTMLProgressElement>>;
  readonly #tasks: Readonly<Record<"map" | "reduce", HTMLElement>>;
  readonly #facts = element("dl", { class: "facts" });
  #told = "";

  constructor({ job, name }: JobProgress) {
    const id = `job-${job.replace(/[^\w-]/g, "-")}`;
    const bar = (label: string): HTMLProgressElement =>
      element("progress", { max: "1", "aria-label": `${name} ${job}: ${label}` });
    this.#bars = { map: bar("map"), reduce: bar("reduce") };
    this.#tasks = { map: element("span"), reduce: element("span") };
    const line = (label: string, phase: "map" | "reduce"): HTMLElement =>
      element("div", { class: "bar" }, element("span", {}, label), this.#bars[phase], this.#tasks[phase]);
    this.element = element(
      "section",
      { class: "card job", "aria-labelledby": id },
      element("h2", { id }, name === "" ? job : name, " ", element("small", {}, job)),
      this.#phase,
      line("Map", "map"),
      line("Reduce", "reduce"),
      this.#facts,
    );
  }

  show(progress: JobProgress): void {
    const { phase, map, reduce, remainingMs, counters } = progress;
    const remaining = remainingMs === undefined ? "" : `, about ${seconds(remainingMs)} left of it`;
    say(this.#phase, `${words[phase] ?? phase}${remaining}`);
    set(this.#phase, "data-phase", phase);
    if (this.#told !== "" && this.#told !== phase) announce(`${progress.name}: ${words[phase] ?? phase}`);
    this.#told = phase;
    this.#bar("map", map, phase === "done");
    this.#bar("reduce", reduce, phase === "done");
    const facts: readonly (readonly [string, string])[] = [
      ["Time", seconds(progress.elapsedMs)],
      ["Read", bytes(map.bytesDone)],
      ["Workers", whole.format(progress.workers)],
      ["Failures", whole.format(progress.failures)],
      ...Object.entries(counters).map(([name, value]) => [name, whole.format(value)] as const),
    ];
    this.#facts.replaceChildren(
      ...facts.map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", {}, value))),
    );
  }

  #bar(phase: "map" | "reduce", { tasks, done, bytes: all, bytesDone }: PhaseProgress, ended: boolean): void {
    const part = ended ? 1 : all > 0 ? bytesDone / all : tasks > 0 ? done / tasks : 0;
    this.#bars[phase].value = Math.min(part, 1);
    say(this.#tasks[phase], `${done} of ${tasks} tasks`);
  }
}

function seconds(ms: number): string {
  return ms < 10_000 ? `${(ms / 1_000).toFixed(1)} s` : `${Math.round(ms / 1_000)} s`;
}

function bytes(value: number): string {
  if (value < 1_000) return `${value} B`;
  const power = Math.min(Math.floor(Math.log10(value) / 3), 4);
  return `${(value / 1_000 ** power).toFixed(1)} ${["B", "kB", "MB", "GB", "TB"][power]}`;
}
