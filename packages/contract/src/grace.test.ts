import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { grace } from "./grace.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance", "setTimeout", "clearTimeout", "setImmediate"] });
});
afterEach(() => {
  vi.useRealTimers();
});

interface Watched {
  heard: number;
  over: number;
  readonly stop: () => void;
}

function watch(): Watched {
  const seen = { heard: 0, over: 0 };
  const lastHeard = (): number => seen.heard;
  const over = (): void => void seen.over++;
  return Object.assign(seen, { stop: grace({ graceMs: 100, longestMs: 1_000, lastHeard, over }) });
}

test("a peer that is silent gets the grace, and no more", () => {
  const watched = watch();
  vi.advanceTimersByTime(99);
  expect(watched.over).toBe(0);
  vi.advanceTimersByTime(5);
  expect(watched.over).toBe(1);
  vi.advanceTimersByTime(5_000);
  expect(watched.over).toBe(1);
});

test("a peer that talks gets more, up to a bound", () => {
  const watched = watch();
  for (let ms = 0; ms < 900; ms += 50) {
    watched.heard++;
    vi.advanceTimersByTime(50);
  }
  expect(watched.over).toBe(0);
  for (let ms = 0; ms < 300; ms += 50) {
    watched.heard++;
    vi.advanceTimersByTime(50);
  }
  expect(watched.over).toBe(1);
});

test("it can be stopped, also between its timer and its verdict", () => {
  const watched = watch();
  vi.advanceTimersByTime(99);
  watched.stop();
  vi.advanceTimersByTime(5_000);
  expect(watched.over).toBe(0);
  const late = watch();
  vi.advanceTimersToNextTimer();
  late.stop();
  vi.advanceTimersByTime(5_000);
  expect(late.over).toBe(0);
});
