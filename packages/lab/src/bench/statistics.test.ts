import { expect, it } from "vitest";
import { summaryOf } from "./statistics.ts";

it("sums up a handful of values", () => {
  const { median, min, max, deviation } = summaryOf([5, 1, 100, 3, 4]);
  expect([median, min, max, deviation]).toEqual([4, 1, 100, 1]);
});

it("the interval holds the median, lies within what was measured, and is the same every time", () => {
  const values = [10, 11, 12, 13, 50];
  const { interval, median } = summaryOf(values);
  expect(interval[0]).toBeLessThanOrEqual(median);
  expect(interval[1]).toBeGreaterThanOrEqual(median);
  expect([interval[0] >= 10, interval[1] <= 50]).toEqual([true, true]);
  expect(summaryOf(values).interval).toEqual(interval);
});

it("one value is its own interval; equal ones have no width", () => {
  expect(summaryOf([7]).interval).toEqual([7, 7]);
  expect(summaryOf([7, 7, 7]).interval).toEqual([7, 7]);
});

it("the interval of many values is narrower than their range", () => {
  const values = Array.from({ length: 41 }, (_, index) => index);
  const [low, high] = summaryOf(values).interval;
  expect(high - low).toBeLessThan(25);
  expect(high - low).toBeGreaterThan(5);
});
