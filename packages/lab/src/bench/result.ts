/** What a run found; this is what `--json` writes. */
import type { Bar, Sample } from "./case.ts";
import type { Environment } from "./environment.ts";
import type { Summary } from "./statistics.ts";

export interface Verdict {
  readonly bar: Bar;
  readonly passed: boolean;
  /** Whether the whole interval lies on that side of the bar. */
  readonly clear: boolean;
  /** For rates that are no ratios: what the median would be at the pace of the machine on which the bar was set, estimated. */
  readonly atReferencePace?: number | undefined;
}

export interface VariantResult {
  readonly name: string;
  readonly rounds: readonly Sample[];
  /** Why there is no result: the driver cannot, or the measurement failed. */
  readonly unavailable?: string | undefined;
  readonly value?: Summary | undefined;
  /** To the baseline of the same round; undefined for the baseline itself. */
  readonly ratio?: Summary | undefined;
  readonly lost: number;
  /** Just before each round: how quick the machine was, relative to the one on which the bars were set (`pace.ts`). */
  readonly paces: readonly number[];
  readonly verdicts: readonly Verdict[];
  /** Bars that could not be judged, for want of a result or because of --quick. */
  readonly unjudged: readonly Bar[];
}

export interface GroupResult {
  readonly name: string;
  readonly unit: string;
  readonly better: "more" | "less";
  readonly variants: readonly VariantResult[];
}

export interface CaseResult {
  readonly name: string;
  readonly question: string;
  readonly groups: readonly GroupResult[];
}

export interface RunResult {
  readonly command: string;
  readonly startedAt: string;
  readonly seconds: number;
  readonly rounds: number;
  readonly quick: boolean;
  readonly environment: Environment;
  readonly cases: readonly CaseResult[];
}

/** Whether something that was to hold did not: a bar missed or not judged for want of a result, or messages lost. */
export function hasMiss({ cases }: RunResult): boolean {
  const variants = cases.flatMap(({ groups }) => groups.flatMap((group) => group.variants));
  return variants.some(
    ({ verdicts, lost, unavailable }) =>
      lost !== 0 || unavailable !== undefined || verdicts.some(({ passed }) => !passed),
  );
}
