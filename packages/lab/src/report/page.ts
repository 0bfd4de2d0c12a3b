/** A run as one HTML file that needs nothing else: no network, one small script that filters. */
import { escaped } from "../bench/report/escape.ts";
import { driverNames, models, type Verdict } from "../experiments/experiment.ts";
import type { CellResult, ExperimentResult } from "../run/results.ts";
import type { RecordedRun } from "../run/run-file.ts";
import { cellText, environmentText, factorsOf, summaryText } from "./markdown.ts";
import { agrees, foundText, type Judged, matrixOf, source, theoryText } from "./matrix.ts";
import { pageScript, pageStyle } from "./page-style.ts";
import { isPlotted, levelsOf, measurePlot } from "./plots.ts";

const wide = 1_000;
const narrow = 320;

function markOf({ cell }: Pick<CellResult, "cell">): string {
  return escaped(`${cell.model ?? ""} ${cell.driver}`.trim());
}

function judged(what: Judged): string {
  const kind = agrees(what) ? "good" : "bad";
  const seen = what.found.map(({ driver, seen: text }) => `${driver}: ${text}`).join("\n");
  return `<span class="${kind}" title="${escaped(seen)}">${escaped(foundText(what))}</span><br><span class="dim">by the book: ${theoryText(what)}</span>`;
}

function matrix(results: readonly ExperimentResult[]): string {
  const rows = matrixOf(results).map(
    ({ model, temporal, referential }) =>
      `<tr data-mark="${model}"><td class="factor" data-label="model">${model}</td><td class="factor" data-label="in time: must both be there?"><span>${judged(temporal)}</span></td><td class="factor" data-label="in reference: must the sender know the receiver?"><span>${judged(referential)}</span></td></tr>`,
  );
  return `<h2 id="matrix">The coupling matrix</h2>
<table><thead><tr><th class="factor">model</th><th class="factor">in time: must both be there?</th><th class="factor">in reference: must the sender know the receiver?</th></tr></thead>
<tbody>${rows.join("\n")}</tbody></table><p>By the book: ${escaped(source)}.</p>`;
}

function row(result: ExperimentResult, cell: CellResult): string {
  const factors = factorsOf(result).map(
    (factor) => `<td class="factor" data-label="${escaped(factor)}">${escaped(String(cell.cell[factor]))}</td>`,
  );
  const figures = Object.entries(result.measures).map(([measure, { label, unit }]) => {
    const text = summaryText(cell, measure);
    // An empty cell has no label either, so that nothing is shown of it where rows are stacked.
    return text === "" ? "<td></td>" : `<td data-label="${escaped(`${label} (${unit})`)}">${escaped(text)}</td>`;
  });
  const { failures } = cell;
  const failed =
    failures.length === 0
      ? "<td></td>"
      : `<td data-label="failed" class="bad">${failures.length}: ${escaped(failures[0]!)}</td>`;
  return `<tr data-mark="${markOf(cell)}">${[...factors, ...figures, failed].join("")}</tr>`;
}

function table(result: ExperimentResult): string {
  const heads = [
    ...factorsOf(result).map((factor) => `<th class="factor">${escaped(factor)}</th>`),
    ...Object.values(result.measures).map(({ label, unit }) => `<th>${escaped(label)} (${escaped(unit)})</th>`),
    "<th>failed</th>",
  ];
  const rows = result.cells.map((cell) => row(result, cell));
  return `<details><summary>All figures: median and 95 % interval</summary><div class="scroll"><table><thead><tr>${heads.join("")}</tr></thead><tbody>${rows.join("\n")}</tbody></table></div></details>`;
}

function legend(levels: readonly string[]): string {
  const keys = levels.map(
    (level, at) => `<li><span class="key" style="background:var(--series-${at % 6})"></span>${escaped(level)}</li>`,
  );
  return keys.length === 0 ? "" : `<ul class="legend">${keys.join("")}</ul>`;
}

function figures(result: ExperimentResult): string {
  const key = legend(levelsOf(result));
  return Object.keys(result.measures)
    .filter((measure) => isPlotted(result, measure))
    .map(
      (measure) =>
        `<figure><figcaption>${escaped(result.measures[measure]!.label)}</figcaption>${key}<div class="wide">${measurePlot(result, measure, wide)}</div><div class="narrow">${measurePlot(result, measure, narrow)}</div></figure>`,
    )
    .join("\n");
}

function deviation(verdict: Verdict): string {
  const { cell, claim, seen, why } = verdict;
  const reason = why === undefined ? '<span class="bad">not explained: a defect</span>' : escaped(why);
  return `<li data-mark="${markOf(verdict)}">${escaped(cellText(cell))}: <em>${escaped(claim)}</em>; seen: ${escaped(seen)}. ${reason}</li>`;
}

function verdicts({ verdicts: all }: ExperimentResult): string {
  const deviations = all.filter(({ holds }) => !holds);
  if (deviations.length === 0) return `<p><span class="good">All ${all.length} expectations hold.</span></p>`;
  const kind = deviations.every(({ why }) => why !== undefined) ? "" : ' class="bad"';
  return `<p><span${kind}>${all.length - deviations.length} of ${all.length} expectations hold.</span> These do not:</p><ul class="deviations">${deviations.map(deviation).join("")}</ul>`;
}

function noise({ noise: all }: ExperimentResult): string {
  if (all.length === 0) return "";
  const apart = all.filter(({ meet }) => !meet).map(({ measure }) => measure);
  const told = apart.length === 0 ? "" : ` Not those of ${apart.join(", ")}: differences there say little.`;
  return `<p>Noise: the same cell measured twice, ${all.length - apart.length} of ${all.length} intervals meet.${escaped(told)}</p>`;
}

function section(result: ExperimentResult): string {
  return `<section><h2 id="${result.name}">${escaped(result.name)}</h2><p>${escaped(result.question)}</p>
${verdicts(result)}${noise(result)}${figures(result)}${table(result)}</section>`;
}

function boxes(title: string, values: readonly string[]): string {
  const inputs = values.map((value) => `<label><input type="checkbox" checked value="${value}"> ${value}</label>`);
  return `<fieldset><legend>${title}</legend>${inputs.join("")}</fieldset>`;
}

/** `left`: how many repetitions are still to come, for a page that is written while the run goes on. */
export function pageOf(run: RecordedRun, results: readonly ExperimentResult[], left: number): string {
  const contents = results.map(({ name, question }) => `<li><a href="#${name}">${name}</a> ${escaped(question)}</li>`);
  const going =
    left === 0
      ? ""
      : `<p class="bad" role="status">${left} repetitions are still to come; this page loads itself again.</p>`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
${left === 0 ? "" : '<meta http-equiv="refresh" content="5">'}<title>Coupling models, measured</title><style>${pageStyle}</style></head>
<body><main><h1>Coupling models, measured</h1>${going}<p>${escaped(environmentText(run)).replaceAll(/`([^`]*)`/g, "<code>$1</code>")}</p>
<nav aria-label="Experiments"><ul><li><a href="#matrix">The coupling matrix</a></li>${contents.join("")}</ul></nav>
<form hidden aria-label="Filter">${boxes("models", models)}${boxes("drivers", driverNames)}</form>
${matrix(results)}
${results.map(section).join("\n")}
</main><script>${pageScript}</script></body></html>
`;
}
