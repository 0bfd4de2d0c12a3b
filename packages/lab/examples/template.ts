/**
 * A template for an experiment of your own: copy it, change it, run it with `quadrant lab run ./mine.ts --out results`. The part
 * that runs in a process of its own is a module beside it, template-role.ts, whose default export is made by `defineRole`.
 */
import { defineExperiment, driverNames, type Experiment } from "@quadrant/lab";

const role = new URL("./template-role.ts", import.meta.url);

const experiment: Experiment = defineExperiment({
  name: "echo",
  question: "How long does a call take that only echoes?",
  // Every level of each factor is combined with every level of the others; `driver` is always one of them.
  factors: { driver: driverNames, bytes: [16, 4_096] },
  // What a quick run takes of them.
  quick: { bytes: [16] },
  measure: { callMs: { unit: "ms", better: "less", label: "a call" } },
  run: async ({ bytes }, site) => {
    // On memory: and file: both parts are in this process, elsewhere each has its own; the site ends them.
    const server = await site.start(role, { address: site.name });
    await server.ask("serve");
    const caller = await site.start(role, { address: site.name });
    return { callMs: await caller.ask<number>("call", { bytes, times: site.quick ? 20 : 500 }) };
  },
  // What should hold of all that was found. A deviation with a `why` is explained; one without is a defect.
  expect: (findings) =>
    findings.map(({ cell, values }) => ({
      claim: "calls are answered",
      cell,
      holds: values.every(({ callMs }) => callMs !== undefined),
      seen: `${values.length} repetitions`,
    })),
});
export default experiment;
