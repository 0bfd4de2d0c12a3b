import Table from "cli-table3";
import colors from "picocolors";
import type { GroupResult, RunResult, VariantResult } from "../result.ts";
import { summaryOf } from "../statistics.ts";
import { barText, verdictText } from "./bar-text.ts";
import { figure, range } from "./number.ts";

function judgement({ verdicts, unjudged, lost, unavailable }: VariantResult): string {
  const lines = verdicts.map((verdict) => {
    const word = verdict.passed ? colors.green("pass") : colors.red("MISS");
    return `${word} ${verdictText(verdict)}`;
  });
  lines.push(...unjudged.map((bar) => colors.dim(`not judged: ${barText(bar)}`)));
  if (lost !== 0 && unavailable === undefined) lines.push(colors.red(`${lost} LOST OR REPEATED`));
  return lines.join("\n");
}

/** Medians of the figures and cores that the rounds had. */
export function medianOf(rounds: VariantResult["rounds"], of: "figures" | "cores"): Record<string, number> {
  const values = new Map<string, number[]>();
  for (const round of rounds) {
    for (const [name, value] of Object.entries(round[of] ?? {})) values.set(name, [...(values.get(name) ?? []), value]);
  }
  const middle = (list: number[]): number => list.sort((a, b) => a - b)[Math.floor(list.length / 2)]!;
  return Object.fromEntries([...values].map(([name, list]) => [name, middle(list)]));
}

export function details(rounds: VariantResult["rounds"]): string {
  const figures = Object.entries(medianOf(rounds, "figures")).map(([name, value]) => `${name} ${figure(value)}`);
  const cores = Object.entries(medianOf(rounds, "cores")).map(([name, value]) => `${name} ${value.toFixed(2)}`);
  return [figures.join(", "), cores.length > 0 ? `cores: ${cores.join(" ")}` : ""]
    .filter((line) => line !== "")
    .join("\n");
}

export function groupTable({ name, unit, better, variants }: GroupResult): string {
  const table = new Table({
    head: ["", `${unit}, median`, "min … max", "to baseline", "95 % interval", "bar", "also"],
    style: { head: [], border: [], compact: true },
    colAligns: ["left", "right", "right", "right", "right", "left", "left"],
    colWidths: [44],
    wordWrap: true,
  });
  for (const variant of variants) {
    const { value, ratio, rounds, unavailable } = variant;
    if (value === undefined) {
      table.push([variant.name, { colSpan: 4, content: `not available: ${unavailable}` }, judgement(variant), ""]);
      continue;
    }
    table.push([
      variant.name,
      figure(value.median),
      range(value.min, value.max),
      ratio === undefined ? "" : `${figure(ratio.median)}×`,
      ratio === undefined ? "" : range(...ratio.interval),
      judgement(variant),
      colors.dim(details(rounds)),
    ]);
  }
  return `\n${colors.bold(name)} (${better} is better)\n${table.toString()}`;
}

export function environmentText({ environment, rounds, quick, seconds, cases }: RunResult): string {
  const paces = cases.flatMap(({ groups }) => groups.flatMap(({ variants }) => variants.flatMap((each) => each.paces)));
  const { median, min, max } = summaryOf(paces);
  const { node, zeromq, system, processor, cores, memoryGiB, disk, load } = environment;
  return [
    `Node ${node}, zeromq ${zeromq}, ${system}, ${cores} × ${processor}, ${memoryGiB} GiB, ${disk}`,
    `load ${load.map((each) => each.toFixed(2)).join(" before, ")} after; ${rounds} rounds${quick ? ", --quick: no bar is judged" : ""}; ${seconds} s`,
    `pace of one core, relative to the machine on which the bars were set: ${figure(median)} (${range(min, max)})`,
  ].join("\n");
}
