import { expect, it } from "vitest";
import { defineExperiment, driverNames, type Experiment } from "../experiments/experiment.ts";
import { cellsOf, keyOf, planOf } from "./plan.ts";

const experiment: Experiment = defineExperiment({
  name: "sizes",
  question: "?",
  factors: { driver: driverNames, size: [1, 2, 3], kind: ["a", "b"] },
  quick: { size: [2] },
  measure: {},
  omit: ({ kind, size }) => (kind === "b" && size === 3 ? "too large" : undefined),
  run: async () => ({}),
  expect: () => [],
});
const terms = { experiments: [experiment], drivers: driverNames, quick: false, repetitions: 3, seed: 7 };
const keys = (plan: ReturnType<typeof planOf>): readonly string[] => plan.map(keyOf);

it("every combination of the levels is a cell, those omitted aside; a quick run has fewer levels", () => {
  expect(cellsOf(experiment, driverNames, false)).toHaveLength(5 * (3 * 2 - 1));
  expect(cellsOf(experiment, ["nats"], true)).toEqual([
    { driver: "nats", size: 2, kind: "a" },
    { driver: "nats", size: 2, kind: "b" },
  ]);
});

it("every repetition of every cell comes once, and the first cell once more", () => {
  const plan = keys(planOf(terms));
  expect(new Set(plan).size).toBe(plan.length);
  expect(plan).toHaveLength(25 * 3 + 3);
  expect(plan.filter((key) => key.endsWith("again"))).toHaveLength(3);
});

it("a seed repeats its order, another has another, and neither is that of the cells", () => {
  expect(keys(planOf(terms))).toEqual(keys(planOf(terms)));
  expect(keys(planOf({ ...terms, seed: 8 }))).not.toEqual(keys(planOf(terms)));
  expect(keys(planOf(terms)).toSorted()).not.toEqual(keys(planOf(terms)));
});

it("leaving out a driver leaves the order of the rest", () => {
  const all = keys(planOf(terms)).filter((key) => !key.includes("driver=redis") && !key.endsWith("again"));
  const fewer = keys(planOf({ ...terms, drivers: ["memory", "file", "zeromq", "nats"] }));
  expect(fewer.filter((key) => !key.endsWith("again"))).toEqual(all);
});
