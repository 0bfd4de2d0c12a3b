/**
 * The same MapReduce job, its tasks handed out by direct calls, a mailbox, events or a tuple space. Measures: `taskMs`, the
 * job's time over its tasks, which have next to nothing to do; `exact`, whether the result was the known one byte for byte.
 */
import { type Coupling, couplings } from "@quadrant/mapreduce";
import { defineExperiment, driverNames, type Experiment, type Finding, type Verdict } from "./experiment.ts";
import type { JobOutcome } from "./roles/mapreduce.ts";

const role = new URL(`./roles/mapreduce.${import.meta.url.endsWith(".ts") ? "ts" : "js"}`, import.meta.url);

export const mapreduceCouplings: Experiment = defineExperiment({
  name: "mapreduce-couplings",
  question: "What does it cost to hand out the tasks of a job by each coupling?",
  factors: { coupling: couplings, driver: driverNames },
  measure: {
    taskMs: { unit: "ms", better: "less", label: "a task, of which coordination is nearly all" },
    exact: { unit: "0 or 1", better: "more", label: "the result is the known one" },
  },
  run: async ({ coupling }, site) => {
    const part = await site.start(role);
    const tasks = site.quick ? 8 : 64;
    const { tookMs, exact } = await part.ask<JobOutcome>("run", { coupling: coupling as Coupling, tasks });
    await part.ask("leave");
    return { taskMs: tookMs / tasks, exact: exact ? 1 : 0 };
  },
  expect: (findings) => findings.map(verdictOn),
});

function verdictOn({ cell, values }: Finding): Verdict {
  const wrong = values.filter(({ exact }) => exact !== 1).length;
  const seen = `${values.length - wrong} of ${values.length} exact`;
  return { claim: "the result is the same, byte for byte", cell, holds: wrong === 0, seen };
}
