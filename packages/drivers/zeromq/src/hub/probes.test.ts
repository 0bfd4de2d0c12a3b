import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { probeMs } from "./limits.ts";
import { Probes } from "./probes.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("the first end of a connection is looked into at once, those of a storm together", () => {
  let rounds = 0;
  const probes = new Probes(() => rounds++);
  for (let i = 0; i < 10_000; i++) probes.ask(10_000);
  expect(rounds).toBe(1);
  vi.advanceTimersByTime(10_000 * probeMs);
  expect(rounds).toBe(2);
  vi.advanceTimersByTime(60_000);
  expect(rounds).toBe(2);
  probes.ask(10_000);
  expect(rounds).toBe(3);
  probes.ask(10_000);
  probes.close();
  vi.advanceTimersByTime(60_000);
  expect(rounds).toBe(3);
});
