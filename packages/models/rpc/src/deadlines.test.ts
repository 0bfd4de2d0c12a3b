import type { Context } from "@quadrant/contract";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Deadline } from "./deadline.ts";
import { Deadlines } from "./deadlines.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function deadline(deadlines: Deadlines, ms: number, passed: string[], name: string): Deadline {
  return new Deadline(deadlines, ms, { expired: () => void passed.push(name) });
}

test("each passes in its time, moved ones later, stopped ones never", () => {
  const deadlines = new Deadlines();
  const passed: string[] = [];
  const [a, b, c, d] = ["a", "b", "c", "d"].map((name) => deadline(deadlines, 100, passed, name)) as [
    Deadline,
    Deadline,
    Deadline,
    Deadline,
  ];
  const short = deadline(deadlines, 30, passed, "short");
  for (const each of [a, b, c, short]) each.start();
  vi.advanceTimersByTime(50);
  expect(passed).toEqual(["short"]);
  a.start();
  b.stop();
  d.start();
  vi.advanceTimersByTime(51);
  expect(passed).toEqual(["short", "c"]);
  vi.advanceTimersByTime(51);
  expect(passed).toEqual(["short", "c", "a", "d"]);
  expect(vi.getTimerCount()).toBe(0);
});

test("one that passes can start itself and others again", () => {
  const deadlines = new Deadlines();
  let passes = 0;
  const again: Deadline = new Deadline(deadlines, 10, {
    expired: () => {
      passes++;
      again.start();
    },
  });
  again.start();
  vi.advanceTimersByTime(105);
  expect(passes).toBeGreaterThanOrEqual(8);
  again.stop();
  vi.advanceTimersByTime(100);
  expect(vi.getTimerCount()).toBe(0);
});

test("a duration that is seldom asked for leaves no timer; one that is common leaves one for a while, and none after", () => {
  const deadlines = new Deadlines();
  const passed: string[] = [];
  for (let ms = 1_000; ms < 2_000; ms++) {
    const rare = deadline(deadlines, ms, passed, "rare");
    rare.start();
    rare.stop();
  }
  expect(vi.getTimerCount()).toBe(0);
  for (let i = 0; i < 1_000; i++) {
    const common = deadline(deadlines, 500, passed, "common");
    common.start();
    common.stop();
  }
  expect(vi.getTimerCount()).toBe(1);
  vi.advanceTimersByTime(501);
  expect(vi.getTimerCount()).toBe(0);
  expect(passed).toEqual([]);
});

test("Infinity is never", () => {
  const passed: string[] = [];
  deadline(Deadlines.of({} as Context), Number.POSITIVE_INFINITY, passed, "never").start();
  expect(vi.getTimerCount()).toBe(0);
});
