import { type Summary, summaryOf } from "../bench/statistics.ts";
import type { Cell, Experiment, Finding, Measure, Verdict } from "../experiments/experiment.ts";
import { cellKey } from "./plan.ts";
import type { RecordedRun, Repetition } from "./run-file.ts";

/** All repetitions of one cell. */
export interface CellResult {
  readonly cell: Cell;
  readonly values: Finding["values"];
  /** By measure; where no repetition had the figure, it has no summary. */
  readonly summaries: Readonly<Record<string, Summary>>;
  /** Repetitions that failed, with why. */
  readonly failures: readonly string[];
}

/** How far apart two runs of the same cell are, measure by measure: the noise below which a difference says nothing. */
export interface Noise {
  readonly cell: Cell;
  readonly measure: string;
  readonly first: Summary;
  readonly again: Summary;
  /** Whether the intervals meet, as they should. */
  readonly meet: boolean;
}

export interface ExperimentResult {
  readonly name: string;
  readonly question: string;
  readonly measures: Readonly<Record<string, Measure>>;
  readonly cells: readonly CellResult[];
  readonly verdicts: readonly Verdict[];
  readonly noise: readonly Noise[];
}

export function intervalsMeet(a: Summary, b: Summary): boolean {
  return a.interval[0] <= b.interval[1] && b.interval[0] <= a.interval[1];
}

function summariesOf(measures: readonly string[], values: Finding["values"]): Readonly<Record<string, Summary>> {
  return Object.fromEntries(
    measures.flatMap((measure) => {
      const figures = values.map((each) => each[measure]).filter((figure) => figure !== undefined && figure !== null);
      return figures.length === 0 ? [] : [[measure, summaryOf(figures)]];
    }),
  );
}

function cellResultOf(experiment: Experiment, cell: Cell, repetitions: readonly Repetition[]): CellResult {
  const values = repetitions.flatMap(({ values: found }) => (found === undefined ? [] : [found]));
  const failures = repetitions.flatMap(({ failure }) => (failure === undefined ? [] : [failure]));
  return { cell, values, summaries: summariesOf(Object.keys(experiment.measure), values), failures };
}

function noiseOf(first: CellResult, again: CellResult): readonly Noise[] {
  return Object.entries(first.summaries).flatMap(([measure, summary]) => {
    const other = again.summaries[measure];
    if (other === undefined) return [];
    return [{ cell: first.cell, measure, first: summary, again: other, meet: intervalsMeet(summary, other) }];
  });
}

/** What a run found of one experiment; what it has not come to is left out. */
export function resultOf(experiment: Experiment, run: RecordedRun): ExperimentResult {
  const own = run.repetitions.filter((each) => each.experiment === experiment.name);
  const byCell = Map.groupBy(own, ({ cell }) => cellKey(cell));
  const cells: CellResult[] = [];
  const noise: Noise[] = [];
  for (const repetitions of byCell.values()) {
    const { cell } = repetitions[0]!;
    const result = cellResultOf(
      experiment,
      cell,
      repetitions.filter(({ again }) => !again),
    );
    cells.push(result);
    const again = repetitions.filter((each) => each.again);
    if (again.length > 0) noise.push(...noiseOf(result, cellResultOf(experiment, cell, again)));
  }
  const order = (cell: Cell): number[] =>
    Object.entries(experiment.factors).map(([factor, levels]) => levels.indexOf(cell[factor] as never));
  cells.sort((a, b) => compare(order(a.cell), order(b.cell)));
  const findings = cells.filter(({ values }) => values.length > 0).map(({ cell, values }) => ({ cell, values }));
  const { name, question, measure } = experiment;
  return { name, question, measures: measure, cells, verdicts: experiment.expect(findings), noise };
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (const [at, value] of a.entries()) if (value !== b[at]) return value - b[at]!;
  return 0;
}
