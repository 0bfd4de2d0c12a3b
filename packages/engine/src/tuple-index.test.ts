import { any, between, compileTemplate, partial } from "@quadrant/contract";
import { expect, test } from "vitest";
import { Resident } from "./resident.ts";
import { template, tuple } from "./trial.ts";
import { TupleIndex } from "./tuple-index.ts";
import { SpaceWaiter } from "./waiting-line.ts";

function makeIndex(): { index: TupleIndex; add(value: unknown): Resident; sizes(pattern: unknown): number[] } {
  const index = new TupleIndex("oldest", Math.random);
  let seq = 0;
  const add = (value: unknown): Resident => {
    const resident = new Resident(tuple(value));
    resident.seq = ++seq;
    index.add(resident, false);
    return resident;
  };
  const sizes = (pattern: unknown): number[] =>
    index.search(compileTemplate(template(pattern))).map((bucket) => bucket.size);
  return { index, add, sizes };
}

test("a template looks only at the tuples that have what it gives a value", () => {
  const { add, sizes } = makeIndex();
  for (let i = 0; i < 1000; i++) add(["task", i % 10, i]);
  for (let i = 0; i < 50; i++) add({ kind: "task", number: i });
  expect(sizes(["task", 3, any])).toEqual([100]);
  expect(sizes(["task", any, 17])).toEqual([1]);
  expect(sizes([any, any, 17])).toEqual([1]);
  expect(sizes(["task", 3, between(0, 10)])).toEqual([100]);
  expect(sizes([String, any, any])).toEqual([1000]);
  expect(sizes(["none", any, any])).toEqual([]);
  expect(sizes(["task", 3])).toEqual([]);
  expect(sizes({ kind: String, number: 7 })).toEqual([1]);
  expect(sizes(partial({ number: 7 }))).toEqual([1]);
  expect(sizes(partial({ missing: 7 }))).toEqual([]);
});

test("beyond the number of shapes that are kept, the smallest bucket of a single field serves", () => {
  const { add, sizes } = makeIndex();
  // Five bits: every field halves what is left.
  for (let i = 0; i < 64; i++) add([0, 1, 2, 3, 4].map((bit) => (i >> bit) & 1));
  const pairs: number[] = [];
  for (let a = 0; a < 5; a++) {
    for (let b = a + 1; b < 5; b++) {
      pairs.push(sizes([0, 1, 2, 3, 4].map((field) => (field === a || field === b ? 0 : any)))[0]!);
    }
  }
  // Ten pairs, of which eight get a shape of their own.
  expect(pairs).toEqual([16, 16, 16, 16, 16, 16, 16, 16, 32, 32]);
  // What has shapes below it uses the best of them.
  expect(sizes([0, 0, 0, 0, any])).toEqual([16]);
});

test("a tuple that leaves is nowhere any more, and neither is the bucket that only it was in", () => {
  const { index, add, sizes } = makeIndex();
  sizes([any, 1]);
  const residents = Array.from({ length: 100 }, (_, i) => add(["x", i]));
  expect(sizes(["x", 5])).toEqual([1]);
  expect(sizes([any, 5])).toEqual([1]);
  for (const resident of residents) index.remove(resident);
  expect(sizes(["x", 5])).toEqual([]);
  expect(sizes([any, 5])).toEqual([]);
  expect(residents.every(({ place }) => place === undefined)).toBe(true);
  expect(index.describe()).toEqual({ forms: 1, buckets: 0 });
});

test("a tuple passes only the waiters that agree with it in the fields they give a value", () => {
  const { index } = makeIndex();
  const leaves = Array.from({ length: 1000 }, (_, i) => {
    const pattern = i % 2 === 0 ? ["idle", i, between(0, 9)] : partial({ kind: "idle", number: i });
    const waiter = new SpaceWaiter(i, compileTemplate(template(pattern)), true, () => undefined);
    return index.wait(waiter);
  });
  const passed = (value: unknown): number =>
    index.lines(new Resident(tuple(value))).reduce((sum, line) => sum + line.size, 0);
  expect(passed(["busy", 1, 2])).toBe(0);
  expect(passed(["idle", 1, 2])).toBe(0);
  expect(passed(["idle", 2, 2])).toBe(1);
  expect(passed({ kind: "busy", number: 2, other: 1 })).toBe(0);
  expect(passed({ kind: "busy", number: 3, other: 1 })).toBe(1);
  // Odd ones by their number, even ones by both their fields.
  expect(index.describe()).toEqual({ forms: 1, buckets: 1000 });
  for (const leave of leaves) leave();
  expect(index.describe()).toEqual({ forms: 1, buckets: 0 });
  expect(index.lines(new Resident(tuple(["idle", 2, 2])))).toEqual([]);
});

test("waiters with partial records stand where the fewest pass them", () => {
  const { index } = makeIndex();
  const wait = (pattern: Parameters<typeof partial>[0]): void => {
    index.wait(new SpaceWaiter(0, compileTemplate(template(partial(pattern))), false, () => undefined));
  };
  const passed = (value: unknown): number =>
    index.lines(new Resident(tuple(value))).reduce((sum, line) => sum + line.size, 0);
  wait({ only: any });
  expect([passed({ only: 1 }), passed({ other: 1 })]).toEqual([1, 0]);
  // A field with a value is taken before one without, and an idle line before a busy one.
  wait({ formal: any, value: 1 });
  expect([passed({ formal: 2, value: 2 }), passed({ formal: 2, value: 1 })]).toEqual([0, 1]);
  wait({ value: 1, way: 1 });
  expect([passed({ value: 1, way: 2 }), passed({ value: 2, way: 1 })]).toEqual([1, 1]);
  wait({});
  expect([passed({}), passed([])]).toEqual([1, 0]);
});

test("forms that nobody uses are forgotten, those of the moment are kept with their shapes", () => {
  const { index, add, sizes } = makeIndex();
  for (let i = 0; i < 5000; i++) index.remove(add({ [`key${i}`]: 1 }));
  expect(sizes(partial({}))).toEqual([]);
  expect(index.describe().forms).toBeLessThanOrEqual(257);
  const kept = add({ a: 1 });
  expect(sizes({ a: 1 })).toEqual([1]);
  index.remove(kept);
  expect(sizes({ a: 1 })).toEqual([]);
  const used = ["b", "c"].map((key) => add({ [key]: 1 }));
  const waiter = new SpaceWaiter(1, compileTemplate(template({ d: any })), true, () => undefined);
  const leave = index.wait(waiter);
  for (let i = 0; i < 1000; i++) index.remove(add({ [`key${i}`]: 1 }));
  expect([{ b: 1 }, { c: 1 }].map((pattern) => sizes(pattern))).toEqual([[1], [1]]);
  expect(index.lines(new Resident(tuple({ d: 1 }))).map((line) => line.size)).toEqual([1]);
  leave();
  for (const resident of used) index.remove(resident);
  expect(index.describe().forms).toBeLessThanOrEqual(257);
});

test("templates and tuples of more fields than a shape can have are matched all the same", () => {
  const { add, sizes } = makeIndex();
  const wide: unknown[] = Array.from({ length: 40 }, (_, i) => i);
  add(wide);
  add(wide.with(39, "other"));
  expect(sizes(wide)).toEqual([2]);
  expect(sizes(wide.map((_, i) => (i === 35 ? 35 : any)))).toEqual([2]);
});
