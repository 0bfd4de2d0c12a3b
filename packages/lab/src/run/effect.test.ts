import { expect, it } from "vitest";
import { cliffsDelta, hodgesLehmann, magnitudeOf } from "./effect.ts";

it("Cliff's delta is 1 where all are above, -1 where all are below, 0 where they are alike", () => {
  expect(cliffsDelta([1, 2, 3], [4, 5, 6])).toBe(1);
  expect(cliffsDelta([4, 5, 6], [1, 2, 3])).toBe(-1);
  expect(cliffsDelta([1, 2, 3], [1, 2, 3])).toBe(0);
  expect(cliffsDelta([1, 3], [2])).toBe(0);
  expect(cliffsDelta([1, 1, 3], [2])).toBeCloseTo(1 / 3);
});

it("the Hodges-Lehmann shift is the median of all differences, whatever one outlier does", () => {
  expect(hodgesLehmann([1, 2, 3], [3, 4, 5])).toBe(2);
  expect(hodgesLehmann([1, 2, 3, 4, 5], [3, 4, 5, 6, 7_000])).toBe(2);
});

it("magnitudes have their words", () => {
  expect([0.1, -0.2, 0.4, -0.9].map(magnitudeOf)).toEqual(["negligible", "small", "medium", "large"]);
});
