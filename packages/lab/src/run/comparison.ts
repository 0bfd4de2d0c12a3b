import { figure, range } from "../bench/report/number.ts";
import type { Summary } from "../bench/statistics.ts";
import type { Cell, Experiment, Measure } from "../experiments/experiment.ts";
import { cliffsDelta, hodgesLehmann, magnitudeOf } from "./effect.ts";
import { cellKey } from "./plan.ts";
import { intervalsMeet, resultOf } from "./results.ts";
import { type RecordedRun, type RunHead, readRun } from "./run-file.ts";

/** One figure of one cell that both runs have. */
export interface Difference {
  readonly experiment: string;
  readonly cell: Cell;
  readonly measure: string;
  readonly unit: string;
  readonly a: Summary;
  readonly b: Summary;
  /** From a to b, in the unit: Hodges and Lehmann's estimate. */
  readonly shift: number;
  /** Cliff's delta, from -1 to 1. */
  readonly delta: number;
  /** Said only where the intervals part. */
  readonly verdict: "better" | "worse" | "different" | "no difference shown";
}

export interface Comparison {
  readonly a: RunHead;
  readonly b: RunHead;
  readonly differences: readonly Difference[];
  /** Cells that only one of them has. */
  readonly unmatched: number;
}

async function runAt(folder: string): Promise<RecordedRun> {
  const run = await readRun(folder);
  if (run === undefined) throw new Error(`${folder} holds no run.jsonl: give the folder of \`quadrant lab run --out\``);
  return run;
}

function verdictOn(a: Summary, b: Summary, { better }: Measure): Difference["verdict"] {
  if (intervalsMeet(a, b)) return "no difference shown";
  if (better === "neither") return "different";
  return b.median > a.median === (better === "more") ? "better" : "worse";
}

/** What two runs have in common, figure by figure. Rejects where a folder holds no run. */
export async function compareRuns(a: string, b: string, experiments: readonly Experiment[]): Promise<Comparison> {
  const [first, second] = await Promise.all([runAt(a), runAt(b)]);
  const differences: Difference[] = [];
  let unmatched = 0;
  for (const experiment of experiments) {
    const [ours, theirs] = [resultOf(experiment, first), resultOf(experiment, second)];
    const others = new Map(theirs.cells.map((cell) => [cellKey(cell.cell), cell]));
    for (const cell of ours.cells) {
      const other = others.get(cellKey(cell.cell));
      others.delete(cellKey(cell.cell));
      if (other === undefined) unmatched++;
      for (const [measure, summary] of Object.entries(other === undefined ? {} : cell.summaries)) {
        const against = other!.summaries[measure];
        if (against === undefined) continue;
        const values = [cell.values, other!.values].map((each) => each.flatMap((value) => value[measure] ?? []));
        differences.push({
          experiment: experiment.name,
          cell: cell.cell,
          measure,
          unit: experiment.measure[measure]!.unit,
          a: summary,
          b: against,
          shift: hodgesLehmann(values[0]!, values[1]!),
          delta: cliffsDelta(values[0]!, values[1]!),
          verdict: verdictOn(summary, against, experiment.measure[measure]!),
        });
      }
    }
    unmatched += others.size;
  }
  return { a: first.head, b: second.head, differences, unmatched };
}

function line({ experiment, cell, measure, unit, a, b, shift, delta, verdict }: Difference): string {
  const medians = `${figure(a.median)} [${range(...a.interval)}] → ${figure(b.median)} [${range(...b.interval)}] ${unit}`;
  return `${verdict.padEnd(9)} ${experiment} ${cellKey(cell)} ${measure}: ${medians}, shift ${figure(shift)}, effect ${delta.toFixed(2)} (${magnitudeOf(delta)})`;
}

/** Those that differ, the greatest effects first; a verdict only where the intervals part. */
export function comparisonText({ a, b, differences, unmatched }: Comparison): string {
  const shown = differences
    .filter(({ verdict }) => verdict !== "no difference shown")
    .toSorted((x, y) => Math.abs(y.delta) - Math.abs(x.delta));
  const heads = [a, b].map(
    ({ command, startedAt, environment }) =>
      `${command}, ${startedAt}, Node ${environment.node}, ${environment.processor}`,
  );
  return [
    `a: ${heads[0]}`,
    `b: ${heads[1]}`,
    ...shown.map(line),
    `${shown.length} of ${differences.length} figures differ${unmatched === 0 ? "" : `; ${unmatched} cells are in one run alone`}`,
  ].join("\n");
}
