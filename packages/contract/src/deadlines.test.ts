import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Deadlines, type Timed } from "./deadlines.ts";

class Item implements Timed {
  due = 0;
  earlier: Timed | undefined;
  later: Timed | undefined;
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance", "setTimeout", "clearTimeout", "setImmediate"] });
});
afterEach(() => {
  vi.useRealTimers();
});

test("what was not deleted in time passes, once, in the order in which it began", () => {
  const passed: string[] = [];
  const deadlines = new Deadlines<Item>(100, ({ name }) => void passed.push(name));
  const [a, b, c, d] = ["a", "b", "c", "d"].map((name) => new Item(name));
  deadlines.add(a!);
  deadlines.add(b!);
  vi.advanceTimersByTime(60);
  deadlines.add(c!);
  deadlines.add(d!);
  deadlines.delete(b!);
  vi.advanceTimersByTime(39);
  expect(passed).toEqual([]);
  vi.advanceTimersByTime(10);
  expect(passed).toEqual(["a"]);
  deadlines.delete(a!);
  deadlines.delete(c!);
  vi.advanceTimersByTime(100);
  expect(passed).toEqual(["a", "d"]);
  expect(vi.getTimerCount()).toBe(0);
});

test("what has left points to nothing, and can come again", () => {
  const passed: string[] = [];
  const deadlines = new Deadlines<Item>(10, ({ name }) => void passed.push(name));
  const items = ["a", "b", "c"].map((name) => new Item(name));
  for (const item of items) deadlines.add(item);
  for (const item of items) deadlines.delete(item);
  for (const { earlier, later } of items) expect([earlier, later]).toEqual([undefined, undefined]);
  deadlines.add(items[1]!);
  vi.advanceTimersByTime(20);
  expect(passed).toEqual(["b"]);
});

test("nothing passes any more once it is closed", () => {
  const passed: string[] = [];
  const deadlines = new Deadlines<Item>(10, ({ name }) => void passed.push(name));
  deadlines.add(new Item("a"));
  deadlines.close();
  vi.advanceTimersByTime(100);
  expect(passed).toEqual([]);
  expect(vi.getTimerCount()).toBe(0);
});
