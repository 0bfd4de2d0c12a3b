import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Gate } from "./gate.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test("it is shut until it is opened, and leaves no timer", async () => {
  const gate = new Gate(1_000);
  expect(gate.isOpen).toBe(false);
  gate.open();
  await gate.opened;
  expect(gate.isOpen).toBe(true);
  expect(vi.getTimerCount()).toBe(0);
});

test("it opens by itself after its time, and not before", async () => {
  const gate = new Gate(1_000);
  await vi.advanceTimersByTimeAsync(999);
  expect(gate.isOpen).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  await gate.opened;
});
