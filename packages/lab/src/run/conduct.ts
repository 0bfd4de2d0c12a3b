import { environmentOf, loadNow } from "../bench/environment.ts";
import type { DriverName, Experiment } from "../experiments/experiment.ts";
import { Sites } from "../site/sites.ts";
import { keyOf, planOf, type Step, seedOf } from "./plan.ts";
import { type RecordedRun, type Repetition, RunFile, type RunHead, readRun } from "./run-file.ts";

export interface RunTerms {
  readonly experiments: readonly Experiment[];
  readonly drivers: readonly DriverName[];
  readonly quick: boolean;
  readonly repetitions: number;
  readonly seed: number;
  /** Of the folder; a run that is there already is gone on with. */
  readonly out: string;
  readonly command: string;
  /** Ends the run after what is under way; what is recorded stays. */
  readonly signal: AbortSignal;
  readonly progress: Progress;
  /** Called after each repetition with all there is, and how many are still to come: for a page that shows it. */
  readonly page?: ((run: RecordedRun, left: number) => Promise<void>) | undefined;
}

export interface Progress {
  begins(steps: number, done: number): void;
  running(what: string): void;
  done(repetition: Repetition): void;
}

/** A repetition that takes longer has hung: it is recorded as failed, and its parts are killed. */
const longestMs = 120_000;

/** Rejects where the folder holds a run of other terms: what is measured differently is not mixed. */
function assertSame(found: RunHead, wanted: RunHead): void {
  for (const term of ["seed", "quick", "repetitions", "experiments", "drivers"] as const) {
    if (JSON.stringify(found[term]) === JSON.stringify(wanted[term])) continue;
    throw new Error(
      `the folder holds a run with ${term} ${JSON.stringify(found[term])}, not ${JSON.stringify(wanted[term])}: repeat its command (${found.command}), or choose another folder`,
    );
  }
}

/** Runs what has not been run yet; resolves with all that is recorded then. */
export async function conduct(terms: RunTerms): Promise<RecordedRun> {
  const { experiments, drivers, quick, repetitions, seed, out, command, signal, progress } = terms;
  const found = await readRun(out);
  const environment = await environmentOf(loadNow());
  const head: RunHead = {
    format: 1,
    seed,
    quick,
    repetitions,
    experiments: experiments.map(({ name }) => name),
    drivers,
    startedAt: new Date().toISOString(),
    command,
    environment,
  };
  if (found !== undefined) assertSame(found.head, head);
  const known = new Set((found?.repetitions ?? []).map(recordKey));
  const plan = planOf({ experiments, drivers, quick, repetitions, seed });
  const left = plan.filter((step) => !known.has(keyOf(step)));
  progress.begins(plan.length, plan.length - left.length);
  const all = [...(found?.repetitions ?? [])];
  const file = await RunFile.open(out, head, found !== undefined);
  const sites = new Sites();
  const warm = new Set<string>();
  try {
    for (const step of left) {
      if (signal.aborted) break;
      // The first of an experiment on a driver is of code that is not yet compiled, and is not kept.
      const warmth = `${step.experiment.name} ${step.cell.driver}`;
      if (!quick && !warm.has(warmth)) await repeat(sites, step, terms);
      warm.add(warmth);
      if (signal.aborted) break;
      progress.running(keyOf(step));
      const repetition = await repeat(sites, step, terms);
      // What was cut short says nothing.
      if (signal.aborted && repetition.failure !== undefined) break;
      await file.add(repetition);
      all.push(repetition);
      progress.done(repetition);
      await terms.page?.({ head: found?.head ?? head, repetitions: all }, plan.length - all.length);
    }
  } finally {
    await sites[Symbol.asyncDispose]();
    await file[Symbol.asyncDispose]();
  }
  return { head: found?.head ?? head, repetitions: all };
}

function recordKey({ experiment, cell, repetition, again }: Repetition): string {
  return keyOf({ experiment: { name: experiment } as Experiment, cell, repetition, again });
}

let sitesOpened = 0;

async function repeat(sites: Sites, step: Step, { quick, seed, signal }: RunTerms): Promise<Repetition> {
  const { experiment, cell, repetition, again } = step;
  const load = loadNow();
  const began = performance.now();
  const record = { experiment: experiment.name, cell, repetition, again, load };
  const tookMs = (): number => Math.round(performance.now() - began);
  const name = `lab-${process.pid.toString(36)}-${(++sitesOpened).toString(36)}`;
  const ending = new AbortController();
  const terms = { driver: cell.driver, needs: experiment.broker ?? {}, name, seed: seedOf(step, seed), quick };
  try {
    const site = await sites.open({ ...terms, signal: AbortSignal.any([signal, ending.signal]) });
    try {
      const values = await within(longestMs, experiment.run(cell, site));
      return { ...record, values, tookMs: tookMs() };
    } finally {
      ending.abort();
      await site[Symbol.asyncDispose]();
    }
  } catch (error) {
    return { ...record, failure: error instanceof Error ? error.message : String(error), tookMs: tookMs() };
  }
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`did not end within ${ms / 1_000} s`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
