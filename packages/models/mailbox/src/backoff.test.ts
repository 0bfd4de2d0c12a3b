import { expect, test } from "vitest";
import { backoffMs, fullJitter } from "./backoff.ts";

test("full jitter doubles up to 30 s, and begins at nothing", () => {
  const longest = [1, 2, 3, 8, 9, 10, 60, 5_000].map((attempt) => fullJitter(attempt, () => 1));
  expect(longest).toEqual([100, 200, 400, 12_800, 25_600, 30_000, 30_000, 30_000]);
  expect(fullJitter(7, () => 0)).toBe(0);
});

test("a caller's backoff counts; one that throws or names no duration does not hold a letter up", () => {
  expect(backoffMs((attempt) => attempt * 10, 3)).toBe(30);
  const broken = [() => Number.NaN, () => -1, () => Number.POSITIVE_INFINITY, () => "soon" as unknown as number];
  for (const backoff of broken) expect(backoffMs(backoff, 1)).toBeLessThanOrEqual(100);
  const throwing = (): number => {
    throw new Error("no");
  };
  expect(backoffMs(throwing, 1)).toBeLessThanOrEqual(100);
});
