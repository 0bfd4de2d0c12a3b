import type { Bar, Case, Group, Sample, Scale, Variant } from "./case.ts";
import { environmentOf, loadNow } from "./environment.ts";
import { pace } from "./pace.ts";
import type { CaseResult, GroupResult, RunResult, VariantResult, Verdict } from "./result.ts";
import { type Summary, summaryOf } from "./statistics.ts";

export interface Plan {
  readonly cases: readonly Case[];
  readonly rounds: number;
  readonly quick: boolean;
  readonly scale: Scale;
  /** How the run was asked for, to be repeated. */
  readonly command: string;
  /** Told of each measurement before it is made, and of each group when it is done. */
  readonly progress: { measuring(what: string): void; measured(group: GroupResult): void };
}

function verdictOn(bar: Bar, summary: Summary, atReferencePace: number | undefined): Verdict {
  const { atLeast = Number.NEGATIVE_INFINITY, atMost = Number.POSITIVE_INFINITY } = bar;
  const holds = (value: number): boolean => value >= atLeast && value <= atMost;
  const passed = holds(summary.median);
  return { bar, passed, clear: summary.interval.every((end) => holds(end) === passed), atReferencePace };
}

/** One variant's rounds; one without a sample failed or was not run. */
interface Rounds {
  readonly samples: (Sample | undefined)[];
  readonly paces: number[];
  failure: string | undefined;
}

function ratiosOf(samples: Rounds["samples"], baseline: Rounds["samples"]): readonly number[] {
  return samples.flatMap((sample, round) => {
    const base = baseline[round];
    return sample === undefined || base === undefined || base.value === 0 ? [] : [sample.value / base.value];
  });
}

function resultOf(
  { name, bars = [] }: Variant,
  own: Rounds,
  baseline: Rounds,
  group: Group,
  quick: boolean,
): VariantResult {
  const { samples, paces, failure } = own;
  const rounds = samples.filter((sample) => sample !== undefined);
  if (failure !== undefined || rounds.length === 0) {
    return { name, rounds, unavailable: failure ?? "no round", lost: 0, paces, verdicts: [], unjudged: bars };
  }
  const value = summaryOf(rounds.map((sample) => sample.value));
  const ratios = own === baseline ? [] : ratiosOf(samples, baseline.samples);
  const ratio = ratios.length === 0 ? undefined : summaryOf(ratios);
  const summaries = { value, ratio };
  const atReferencePace = summaryOf(rounds.map((sample, round) => sample.value / paces[round]!)).median;
  const judged = quick ? [] : bars.filter((bar) => summaries[bar.of] !== undefined);
  const isRate = group.unit.endsWith("/s");
  return {
    name,
    rounds,
    value,
    ratio,
    lost: rounds.reduce((sum, { lost = 0 }) => sum + lost, 0),
    paces,
    verdicts: judged.map((bar) =>
      verdictOn(bar, summaries[bar.of]!, isRate && bar.of === "value" ? atReferencePace : undefined),
    ),
    unjudged: bars.filter((bar) => !judged.includes(bar)),
  };
}

/** Rounds of all variants in turn; each round begins with another one, so that none is always the first or the last. */
async function runGroup(group: Group, plan: Plan): Promise<GroupResult> {
  const { name, unit, better, variants } = group;
  const rounds = variants.map((): Rounds => ({ samples: [], paces: [], failure: undefined }));
  for (let round = 0; round < plan.rounds; round++) {
    for (let step = 0; step < variants.length; step++) {
      const at = (round + step) % variants.length;
      const own = rounds[at]!;
      // What could not be run once is not tried again: a driver that cannot is no matter of luck.
      if (own.failure !== undefined) continue;
      plan.progress.measuring(`round ${round + 1}/${plan.rounds}  ${name}: ${variants[at]!.name}`);
      own.paces.push(pace());
      try {
        own.samples[round] = await variants[at]!.measure(plan.scale);
      } catch (error) {
        own.failure = error instanceof Error ? error.message : String(error);
      }
    }
  }
  const results = variants.map((variant, at) => resultOf(variant, rounds[at]!, rounds[0]!, group, plan.quick));
  return { name, unit, better, variants: results };
}

/** Runs the cases, one group after the other. A measurement that fails is a result ("unavailable"), not a failure. */
export async function run(plan: Plan): Promise<RunResult> {
  const startedAt = new Date();
  const loadBefore = loadNow();
  pace(); // The first one is of code that is not yet compiled.
  const cases: CaseResult[] = [];
  for (const each of plan.cases) {
    const results: GroupResult[] = [];
    try {
      await each.open?.();
      for (const group of each.groups(plan.scale)) {
        const result = await runGroup(group, plan);
        plan.progress.measured(result);
        results.push(result);
      }
    } finally {
      await each.close?.();
    }
    cases.push({ name: each.name, question: each.question, groups: results });
  }
  const { command, rounds, quick } = plan;
  const seconds = Math.round((Date.now() - startedAt.getTime()) / 1_000);
  const environment = await environmentOf(loadBefore);
  return { command, startedAt: startedAt.toISOString(), seconds, rounds, quick, environment, cases };
}
