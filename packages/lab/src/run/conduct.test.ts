import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { defineExperiment, type Experiment, type Site } from "../experiments/experiment.ts";
import { conduct, type RunTerms } from "./conduct.ts";
import { keyOf, planOf } from "./plan.ts";
import { readRun } from "./run-file.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "quadrant-lab-test-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Measures nothing but that it ran; `each` is told of every repetition. */
function counting(each: (site: Site, size: number) => void): Experiment {
  return defineExperiment({
    name: "counting",
    question: "?",
    factors: { driver: ["memory"], size: [1, 2, 3] },
    measure: { size: { unit: "1", better: "neither", label: "size" } },
    run: async ({ size }, site) => {
      each(site, Number(size));
      return { size: Number(size) };
    },
    expect: () => [],
  });
}

function termsOf(experiment: Experiment, out: string, signal: AbortSignal): RunTerms {
  return {
    experiments: [experiment],
    drivers: ["memory"],
    quick: true,
    repetitions: 4,
    seed: 3,
    out: join(folder, out),
    command: "test",
    signal,
    progress: { begins: () => undefined, running: () => undefined, done: () => undefined },
  };
}

it("a run that was stopped goes on where it was, in the same order, and half a line does no harm", async () => {
  const stop = new AbortController();
  const order: string[] = [];
  const names = new Set<string>();
  const experiment = counting((site, size) => {
    order.push(`size=${size}`);
    names.add(site.name);
    if (order.length === 5) stop.abort();
  });
  const terms = termsOf(experiment, "stopped", stop.signal);
  const begun = await conduct(terms);
  expect(begun.repetitions).toHaveLength(5);
  await appendFile(join(terms.out, "run.jsonl"), '{"experiment":"counting","cell":{"dri');
  const { signal } = new AbortController();
  const whole = await conduct({ ...terms, signal });
  expect(whole.repetitions).toHaveLength(12);
  expect(names.size).toBe(12);
  expect(order).toEqual(planOf(terms).map((step) => /size=\d/.exec(keyOf(step))![0]));
  expect((await readRun(terms.out))!.repetitions).toEqual(whole.repetitions);
  expect((await conduct({ ...terms, signal })).repetitions).toHaveLength(12);
  expect(order).toHaveLength(12);
});

it("what differs from the run that is there is refused, with the command that made it", async () => {
  const { signal } = new AbortController();
  const terms = termsOf(
    counting(() => undefined),
    "other",
    signal,
  );
  await conduct(terms);
  await expect(conduct({ ...terms, seed: 4 })).rejects.toThrow(/seed 3, not 4.*test/);
  await writeFile(join(terms.out, "run.jsonl"), '{"format":99}\n');
  await expect(conduct(terms)).rejects.toThrow(/another version/);
});

it("a repetition that fails is recorded with its reason, and the others go on", async () => {
  const { signal } = new AbortController();
  const terms = termsOf(
    counting((_site, size) => {
      if (size === 2) throw new Error("two is too many");
    }),
    "failing",
    signal,
  );
  const { repetitions } = await conduct(terms);
  expect(repetitions).toHaveLength(12);
  expect(repetitions.filter(({ failure }) => failure === "two is too many")).toHaveLength(4);
  expect(await readFile(join(terms.out, "run.jsonl"), "utf8")).toContain("two is too many");
});
