/** A run as one HTML file that needs nothing else: no network, no scripts. */
import type { CaseResult, GroupResult, RunResult, VariantResult } from "../result.ts";
import { barText, verdictText } from "./bar-text.ts";
import { escaped } from "./escape.ts";
import { figure, range } from "./number.ts";
import { latencyPlot, valuePlot } from "./plot.ts";
import { style } from "./style.ts";
import { details, environmentText } from "./terminal.ts";

function lines(text: string): string {
  return escaped(text).replaceAll("\n", "<br>");
}

function dim(text: string): string {
  return text === "" ? "" : `<span class="dim">${lines(text)}</span>`;
}

function verdicts({ verdicts: judged, unjudged, lost }: VariantResult): string {
  return [
    ...judged.map((verdict) => {
      const word = verdict.passed ? "pass" : "miss";
      return `<span class="${word}">${word}</span> ${escaped(verdictText(verdict))}`;
    }),
    ...unjudged.map((bar) => `not judged: ${escaped(barText(bar))}`),
    ...(lost === 0 ? [] : [`<span class="miss">${lost} lost or repeated</span>`]),
  ].join("<br>");
}

const columns = ["median", "min … max", "deviation", "to baseline", "95 % interval", "bar", "also"] as const;
const classes = ["", "", "", "", "", "left bar", "left"] as const;

function row(variant: VariantResult): string {
  const { name, value, ratio, rounds, unavailable } = variant;
  const cells: readonly string[] =
    value === undefined
      ? ["not available", "", "", "", "", verdicts(variant), escaped(unavailable ?? "")]
      : [
          figure(value.median),
          range(value.min, value.max),
          `± ${figure(value.deviation)}`,
          ratio === undefined ? "" : `${figure(ratio.median)}×`,
          ratio === undefined ? "" : range(...ratio.interval),
          verdicts(variant),
          dim(details(rounds)),
        ];
  const tds = cells.map(
    (cell, at) =>
      `<td class="${classes[at]}" data-label="${columns[at]}">${cell === "" ? "" : `<span>${cell}</span>`}</td>`,
  );
  // An empty cell has no label either, so that nothing is shown of it where rows are stacked.
  return `<tr><td>${escaped(name)}</td>${tds.join("").replaceAll(/ data-label="[^"]*"><\/td>/g, "></td>")}</tr>`;
}

function group(result: GroupResult): string {
  const { name, unit, better, variants } = result;
  const head = ["", ...columns].map((title, at) => `<th class="${at >= 6 ? "left" : ""}">${title}</th>`).join("");
  const figures = [valuePlot(result), latencyPlot(result)].filter((plot) => plot !== "");
  return `<section><h3>${escaped(name)}</h3><p>${escaped(unit)}, ${better} is better; the first row is the baseline</p>
${figures.map((plot) => `<figure>${plot}</figure>`).join("\n")}
<table><thead><tr>${head}</tr></thead><tbody>${variants.map(row).join("\n")}</tbody></table></section>`;
}

function section({ name, question, groups }: CaseResult): string {
  return `<h2 id="${name}">${escaped(name)}</h2><p>${escaped(question)}</p>${groups.map(group).join("\n")}`;
}

/** Every bar there is, and how it went. */
function summary({ cases }: RunResult): string {
  const rows = cases.flatMap(({ groups }) =>
    groups.flatMap(({ name: groupName, variants }) =>
      variants
        .filter((each) => each.verdicts.length + each.unjudged.length > 0 || each.lost !== 0)
        .map(
          (
            each,
          ) => `<tr><td>${escaped(`${groupName}: ${each.name}`)}</td><td class="left bar" data-label="bar"><span>${verdicts(each)}</span></td>
<td data-label="measured">${each.value === undefined ? "not available" : figure(each.value.median)}</td>
<td data-label="to baseline">${each.ratio === undefined ? "" : `${figure(each.ratio.median)}×`}</td></tr>`,
        ),
    ),
  );
  return `<table><thead><tr><th></th><th class="left">bar</th><th>measured</th><th>to baseline</th></tr></thead><tbody>${rows.join("\n")}</tbody></table>`;
}

export function reportPage(result: RunResult): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Quadrant benchmarks</title><style>${style}</style></head><body>
<h1>Quadrant benchmarks</h1>
<p>${escaped(result.startedAt)} · <code>${escaped(result.command)}</code></p>
<p>${lines(environmentText(result))}</p>
<p>A dot is a round, the solid line the median, the dashed line the bar. Rounds of a group's rows took turns; a ratio is formed
within its round. Load on the machine moves values more than ratios.</p>
<h2>Bars</h2>${summary(result)}
${result.cases.map(section).join("\n")}
</body></html>
`;
}
