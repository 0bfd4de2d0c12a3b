import { type Coupling, couplings } from "@quadrant/mapreduce";
import type { Case, Group, Sample, Scale, Variant } from "../case.ts";
import { Engine } from "../mapreduce/engine.ts";
import { removeCorpora, wordCorpus } from "../mapreduce/word-corpus.ts";
import { type BrokerUse, Scope } from "../scope.ts";

const emptyJob = new URL(`../mapreduce/empty-job.${import.meta.url.split(".").at(-1)}`, import.meta.url).href;
const megabyte = 1_000_000;
const workers = 2;
const splits = 64;
const tasks = 512;

const usual: Coupling = "mailbox";
/** The default first: the baseline. */
const order: readonly Coupling[] = [usual, ...couplings.filter((coupling) => coupling !== usual)];

/** What a job takes whose tasks have nothing to do, from submission to `_SUCCESS`, in ms. */
async function emptyJobMs(engine: Engine, coupling: Coupling, count: number): Promise<number> {
  const reference = { module: emptyJob, options: { tasks: count } };
  const { summary, tookMs } = await engine.run({ reference, inputs: [], coupling });
  if (summary.maps !== count) throw new Error(`${summary.maps} map tasks were done instead of ${count}`);
  return tookMs;
}

/** A job's time over its tasks; beside it, what each task beyond the first 64 adds, which is without the job's own beginning and end. */
async function taskCost(engine: Engine, coupling: Coupling, { divisor }: Scale): Promise<Sample> {
  const most = Math.max(Math.round(tasks / divisor), 2);
  const fewer = Math.max(Math.round(splits / divisor), 1);
  // Roles find each other, and load what they need.
  await emptyJobMs(engine, coupling, fewer);
  const short = await emptyJobMs(engine, coupling, fewer);
  const long = await emptyJobMs(engine, coupling, most);
  const figures = { "ms a task more": (long - short) / (most - fewer), [`ms, job of ${fewer}`]: short };
  return { value: long / most, figures };
}

function costs(driver: string, start: (scope: Scope) => Promise<Engine>): Group {
  return {
    name: `${driver}: an empty task of a job of ${tasks}, two workers`,
    unit: "ms",
    better: "less",
    variants: order.map((coupling) => ({
      name: coupling,
      measure: (scale) => Scope.within(async (scope) => taskCost(await start(scope), coupling, scale)),
    })),
  };
}

/** Of the time in which a gigabyte of words is counted in 64 splits: what a job of 64 empty tasks takes of it. */
function share(coupling: Coupling, broker: BrokerUse): Variant["measure"] {
  return ({ divisor }) =>
    Scope.within(async (scope) => {
      const { folder, bytes } = await wordCorpus((1_000 * megabyte) / divisor);
      const engine = await Engine.overBroker(scope, broker, workers);
      await emptyJobMs(engine, coupling, splits);
      const empty = await emptyJobMs(engine, coupling, splits);
      const whole = { reference: { module: "word-count" }, inputs: [folder], coupling };
      const { summary, tookMs } = await engine.run({ ...whole, splitBytes: Math.ceil(bytes / splits) });
      return {
        value: (empty / tookMs) * 100,
        figures: { "ms, 64 empty tasks": empty, "ms, words": tookMs, "map tasks": summary.maps },
      };
    });
}

function shares(): Group {
  return {
    name: "coordination of 64 splits in the time of counting 1 GB of words, two workers, the hub",
    unit: "%",
    better: "less",
    variants: order.map((coupling) => ({
      name: coupling,
      bars: [{ of: "value", atMost: 5 }],
      measure: share(coupling, "hub"),
    })),
  };
}

export const coordination: Case = {
  name: "coordination",
  question: "What does it cost to hand out the tasks of a job, by each coupling over each driver?",
  groups: () => [
    costs("memory:, embedded", (scope) => Engine.embedded(scope, workers)),
    costs("the hub", (scope) => Engine.overBroker(scope, "hub", workers)),
    costs("NATS", (scope) => Engine.overBroker(scope, "nats", workers)),
    costs("Redis", (scope) => Engine.overBroker(scope, "redis", workers)),
    shares(),
  ],
  close: removeCorpora,
};
