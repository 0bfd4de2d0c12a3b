import { expect, test } from "vitest";
import { DedupeWindow, dedupeWindowMs } from "./dedupe-window.ts";
import { Setting } from "./setting.ts";
import { VirtualClock } from "./virtual-clock.ts";

test("an id is remembered for the window and not longer", () => {
  const clock = new VirtualClock();
  const window = new DedupeWindow<number>(new Setting({ clock }), { row: 0 });
  window.add("a", 1);
  clock.advance(1000);
  window.add("b", 2);
  clock.advance(dedupeWindowMs - 1001);
  expect(window.find("a")).toBe(1);
  clock.advance(1);
  expect(window.find("a")).toBeUndefined();
  expect(window.find("b")).toBe(2);
  window.add("a", 3);
  clock.advance(1000);
  expect(window.find("b")).toBeUndefined();
  expect(window.find("a")).toBe(3);
});

test("the oldest ids are forgotten early beyond the bound, and memory is given back", () => {
  const clock = new VirtualClock();
  const window = new DedupeWindow<number>(new Setting({ clock }), { row: 0 }, 100);
  for (let i = 0; i < 10_000; i++) window.add(`id-${i}`, i);
  expect(window.size).toBe(100);
  expect(window.find("id-9899")).toBeUndefined();
  expect(window.find("id-9900")).toBe(9900);
  clock.advance(dedupeWindowMs);
  expect(window.find("id-9999")).toBeUndefined();
  expect(window.size).toBe(0);
});
