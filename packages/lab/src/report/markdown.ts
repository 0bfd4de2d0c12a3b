/** A run as a text to read, or to put beside a program. */
import { figure } from "../bench/report/number.ts";
import type { Cell } from "../experiments/experiment.ts";
import type { CellResult, ExperimentResult } from "../run/results.ts";
import type { RecordedRun } from "../run/run-file.ts";
import { agrees, foundText, matrixOf, source, theoryText } from "./matrix.ts";

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

/** A median with its interval; the latter left out where nothing varied. */
export function summaryText({ summaries }: CellResult, measure: string): string {
  const summary = summaries[measure];
  if (summary === undefined) return "";
  const [low, high] = summary.interval;
  return low === high ? figure(summary.median) : `${figure(summary.median)} [${figure(low)}–${figure(high)}]`;
}

/** Those factors that vary; the others say nothing about a row. */
export function factorsOf({ cells }: ExperimentResult): readonly string[] {
  const factors = Object.keys(cells[0]?.cell ?? {});
  const varied = factors.filter((factor) => new Set(cells.map(({ cell }) => cell[factor])).size > 1);
  return varied.length === 0 ? factors : varied;
}

export function cellText(cell: Cell, factors: readonly string[] = Object.keys(cell)): string {
  return factors.map((factor) => `${factor} ${String(cell[factor])}`).join(", ");
}

function experimentText(result: ExperimentResult): string {
  const { name, question, measures, cells, verdicts, noise } = result;
  const factors = factorsOf(result);
  const measured = Object.keys(measures);
  const rows = cells.map((cell) => [
    ...factors.map((factor) => String(cell.cell[factor])),
    ...measured.map((measure) => summaryText(cell, measure)),
    cell.failures.length === 0 ? "" : `${cell.failures.length}: ${cell.failures[0]}`,
  ]);
  const heads = measured.map((measure) => `${measures[measure]!.label} (${measures[measure]!.unit})`);
  const deviations = verdicts.filter(({ holds }) => !holds);
  const apart = noise.filter(({ meet }) => !meet);
  return [
    `## ${name}`,
    question,
    table([...factors, ...heads, "failed"], rows),
    deviations.length === 0
      ? `All ${verdicts.length} expectations hold.`
      : [
          `${verdicts.length - deviations.length} of ${verdicts.length} expectations hold; these do not:`,
          ...deviations.map(
            ({ claim, cell, seen, why }) =>
              `- ${cellText(cell)}: ${claim}; seen: ${seen}. ${why ?? "**Not explained: a defect.**"}`,
          ),
        ].join("\n"),
    noise.length === 0
      ? ""
      : `The same cell measured twice: ${noise.length - apart.length} of ${noise.length} intervals meet${apart.length === 0 ? "." : `; not those of ${apart.map(({ measure }) => measure).join(", ")}: differences there say little.`}`,
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

export function environmentText({ head, repetitions }: RecordedRun): string {
  const { environment, command, startedAt, seed, repetitions: each, quick } = head;
  const loads = repetitions.map(({ load }) => load);
  const { node, system, processor, cores, memoryGiB, disk } = environment;
  return [
    `\`${command}\`, ${startedAt}, seed ${seed}, ${each} repetitions of each cell in an order by chance${quick ? ", quick: too few and too short to conclude from" : ""}.`,
    `Node ${node}, ${system}, ${cores} × ${processor}, ${memoryGiB} GiB, ${disk}; load ${Math.min(...loads).toFixed(2)} to ${Math.max(...loads).toFixed(2)} while it ran.`,
  ].join("\n");
}

export function markdownOf(run: RecordedRun, results: readonly ExperimentResult[]): string {
  const matrix = matrixOf(results).map(({ model, temporal, referential }) => [
    model,
    theoryText(temporal),
    foundText(temporal),
    theoryText(referential),
    foundText(referential),
    agrees(temporal) && agrees(referential) ? "yes" : "**no**",
  ]);
  const head = [
    "model",
    "in time, by the book",
    "in time, found",
    "in reference, by the book",
    "in reference, found",
    "agree",
  ];
  return `${[
    "# Coupling models, measured",
    environmentText(run),
    "## The coupling matrix",
    table(head, matrix),
    `By the book: ${source}.`,
    ...results.map(experimentText),
  ].join("\n\n")}\n`;
}
