import { expect, it } from "vitest";
import { defineExperiment, driverNames, type Experiment, models } from "../experiments/experiment.ts";
import { resultOf } from "../run/results.ts";
import type { RecordedRun, Repetition } from "../run/run-file.ts";
import { markdownOf } from "./markdown.ts";
import { pageOf } from "./page.ts";
import { csvOf } from "./tabular.ts";

const experiment: Experiment = defineExperiment({
  name: "made-up",
  question: "Is <this> shown?",
  factors: { model: models, driver: driverNames },
  measure: { ms: { unit: "ms", better: "less", label: "time" } },
  run: async () => ({ ms: 1 }),
  expect: (findings) =>
    findings.map(({ cell }) => ({
      claim: "all is well",
      cell,
      holds: cell.driver !== "nats",
      seen: "a figure",
      why: cell.model === "log" ? "it is known" : undefined,
    })),
});

const run: RecordedRun = {
  head: {
    format: 1,
    seed: 1,
    quick: false,
    repetitions: 3,
    experiments: ["made-up"],
    drivers: driverNames,
    startedAt: "2026-11-27T00:00:00.000Z",
    command: "quadrant lab run",
    environment: {
      ...{ node: "24.0.0", v8: "13", zeromq: "6", system: "Linux 6", processor: "one", cores: 2, memoryGiB: 8 },
      ...{ disk: "ext4", load: [0, 0] as const },
    },
  },
  repetitions: models.flatMap((model, at) =>
    driverNames.flatMap((driver, place) =>
      [0, 1, 2].flatMap((repetition): Repetition[] => {
        const step = { experiment: "made-up", cell: { model, driver }, repetition, tookMs: 1, load: 0.5 };
        const values = { ms: (at + 1) * (place + 1) + repetition / 10 };
        if (model === "direct" && driver === "redis") return [{ ...step, again: false, failure: 'it "broke", badly' }];
        const first = { ...step, again: false, values };
        return at + place === 0 ? [first, { ...step, again: true, values: { ms: 99 } }] : [first];
      }),
    ),
  ),
};
const results = [resultOf(experiment, run)];

it("a page holds everything itself, and may load nothing", () => {
  const page = pageOf(run, results, 0);
  expect(page).toContain("default-src 'none'");
  expect(page.replaceAll("http://www.w3.org/", "")).not.toMatch(/https?:|\bsrc=|<link/);
  expect(page).toContain("Is &lt;this&gt; shown?");
  expect(page).not.toContain('http-equiv="refresh"');
  expect(pageOf(run, results, 5)).toContain('http-equiv="refresh"');
});

it("deviations are told with their reason, or as defects; failures with theirs; noise where a cell differs from itself", () => {
  for (const text of [pageOf(run, results, 0), markdownOf(run, results)]) {
    expect(text).toMatch(/19 of 24 expectations hold/);
    expect(text).toContain("it is known");
    expect(text.toLowerCase()).toContain("not explained: a defect");
    expect(text).toMatch(/3: it ("|&quot;)broke/);
    expect(text).toMatch(/0 of 1 intervals meet/);
  }
});

it("medians have intervals, and every figure of every repetition is in the table for other programs", () => {
  expect(results[0]!.cells[0]!.summaries.ms).toMatchObject({ median: 1.1, min: 1, max: 1.2 });
  const lines = csvOf(run).trimEnd().split("\r\n");
  expect(lines[0]).toBe("experiment,model,driver,repetition,again,measure,value,failure");
  expect(lines).toContain("made-up,mailbox,file,2,,ms,4.2,");
  expect(lines).toContain('made-up,direct,redis,0,,,,"it ""broke"", badly"');
  expect(lines).toHaveLength(1 + 25 * 3 + 3);
});
