import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Experiment } from "../experiments/experiment.ts";
import { type ExperimentResult, resultOf } from "../run/results.ts";
import type { RecordedRun } from "../run/run-file.ts";
import { markdownOf } from "./markdown.ts";
import { pageOf } from "./page.ts";
import { pageStyle } from "./page-style.ts";
import { isPlotted, measurePlot } from "./plots.ts";
import { csvOf, jsonOf } from "./tabular.ts";

/** Whoever reads it meanwhile sees the old one or the new one. */
async function put(folder: string, name: string, text: string): Promise<void> {
  await writeFile(join(folder, `.${name}.part`), text);
  await rename(join(folder, `.${name}.part`), join(folder, name));
}

function results(run: RecordedRun, experiments: readonly Experiment[]): readonly ExperimentResult[] {
  const begun = new Set(run.repetitions.map(({ experiment }) => experiment));
  return experiments.filter(({ name }) => begun.has(name)).map((experiment) => resultOf(experiment, run));
}

/** The page alone: to be looked at while the run goes on. */
export async function writePage(
  out: string,
  run: RecordedRun,
  experiments: readonly Experiment[],
  left: number,
): Promise<void> {
  await put(out, "report.html", pageOf(run, results(run, experiments), left));
}

/** A picture of its own has the colours of the page with it. */
function standalone(svg: string): string {
  return svg.replace(
    /<svg([^>]*)>/,
    `<svg$1 xmlns="http://www.w3.org/2000/svg"><style>${pageStyle.split("* {")[0]}</style>`,
  );
}

/** report.html, report.md, results.json, results.csv and plots/*.svg. Resolves with what was found. */
export async function writeReport(
  out: string,
  run: RecordedRun,
  experiments: readonly Experiment[],
): Promise<readonly ExperimentResult[]> {
  const found = results(run, experiments);
  await mkdir(join(out, "plots"), { recursive: true });
  await Promise.all([
    put(out, "report.html", pageOf(run, found, 0)),
    put(out, "report.md", markdownOf(run, found)),
    put(out, "results.json", jsonOf(run, found)),
    put(out, "results.csv", csvOf(run)),
    ...found.flatMap((result) =>
      Object.keys(result.measures)
        .filter((measure) => isPlotted(result, measure))
        .map((measure) =>
          put(join(out, "plots"), `${result.name}-${measure}.svg`, standalone(measurePlot(result, measure, 1_000))),
        ),
    ),
  ]);
  return found;
}
