import type { Drainable } from "@quadrant/contract";
import { afterEach, expect, test, vi } from "vitest";
import { Batches } from "./batches.ts";

interface Carried {
  readonly items: readonly number[];
  readonly answer: PromiseWithResolvers<readonly string[]>;
}

/** A carrier whose answers come when the test says so. */
function slow() {
  const carried: Carried[] = [];
  const tracked = new Set<Drainable>();
  const track = (work: Drainable) => {
    tracked.add(work);
    return () => void tracked.delete(work);
  };
  const batches = new Batches<number, string>({ track }, (items) => {
    const answer = Promise.withResolvers<readonly string[]>();
    carried.push({ items, answer });
    return answer.promise;
  });
  const answer = ({ items, answer }: Carried) => answer.resolve(items.map((item) => `#${item}`));
  return { batches, carried, tracked, answer };
}

/** An immediate answer, as a driver in this process gives it. */
const quick = () => {
  const sizes: number[] = [];
  const batches = new Batches<number, number>({ track: () => () => undefined }, async (items) => {
    sizes.push(items.length);
    return items;
  });
  return { batches, sizes };
};

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

afterEach(() => void vi.useRealTimers());

test("what is added in one turn goes together, also from what the turn resolves, each with its own outcome", async () => {
  const { batches, carried, answer } = slow();
  const all = [1, 2].map((item) => batches.add(item));
  all.push(Promise.resolve().then(() => batches.add(3)));
  await nextTurn();
  expect(carried.map(({ items }) => items)).toEqual([[1, 2, 3]]);
  answer(carried[0]!);
  expect(await Promise.all(all)).toEqual(["#1", "#2", "#3"]);
});

test("a lone item is not kept waiting for company: it goes within its turn", async () => {
  const { batches, carried, answer } = slow();
  const alone = batches.add(7);
  const turn = nextTurn();
  await turn;
  expect(carried).toHaveLength(1);
  answer(carried[0]!);
  expect(await alone).toBe("#7");
});

test("while one is in flight, the next ones gather and follow in order", async () => {
  const { batches, carried, answer } = slow();
  const first = batches.add(1);
  await nextTurn();
  const rest: Promise<string>[] = [];
  for (const item of [2, 3, 4]) {
    rest.push(batches.add(item));
    await nextTurn();
  }
  expect(carried).toHaveLength(1);
  answer(carried[0]!);
  await first;
  await vi.waitUntil(() => carried.length === 2);
  expect(carried[1]!.items).toEqual([2, 3, 4]);
  answer(carried[1]!);
  expect(await Promise.all(rest)).toEqual(["#2", "#3", "#4"]);
});

test("what waits behind a batch that is not answered goes on its own after a while", async () => {
  vi.useFakeTimers();
  const { batches, carried, answer } = slow();
  const first = batches.add(1);
  await vi.advanceTimersByTimeAsync(0);
  const second = batches.add(2);
  await vi.advanceTimersByTimeAsync(0);
  expect(carried).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(100);
  expect(carried.map(({ items }) => items)).toEqual([[1], [2]]);
  for (const each of carried) answer(each);
  expect(await Promise.all([first, second])).toEqual(["#1", "#2"]);
  expect(vi.getTimerCount()).toBe(0);
});

test("full batches follow each other at once, a few at a time, and all are on their way after a while", async () => {
  vi.useFakeTimers();
  const { batches, carried, answer } = slow();
  const all = Promise.all(Array.from({ length: 1_500 }, (_, index) => batches.add(index)));
  await vi.advanceTimersByTimeAsync(0);
  expect(carried.map(({ items }) => items.length)).toEqual([256, 256, 256, 256]);
  await vi.advanceTimersByTimeAsync(100);
  expect(carried.map(({ items }) => items.length)).toEqual([256, 256, 256, 256, 256, 220]);
  for (const each of carried) answer(each);
  expect((await all)[1_499]).toBe("#1499");
});

test("a failure is that of its batch alone", async () => {
  const { batches, carried, answer } = slow();
  const failing = Promise.allSettled([batches.add(1), batches.add(2)]);
  await nextTurn();
  const later = batches.add(3);
  carried[0]!.answer.reject(new Error("gone"));
  expect((await failing).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  await vi.waitUntil(() => carried.length === 2);
  answer(carried[1]!);
  expect(await later).toBe("#3");
});

test("batches are cut by number and by size; items added together stay together", async () => {
  const { batches, sizes } = quick();
  await Promise.all(Array.from({ length: 600 }, (_, index) => batches.add(index)));
  expect(sizes).toEqual([256, 256, 88]);
  sizes.length = 0;
  await Promise.all([batches.add(1, 600_000), batches.add(2, 600_000), batches.addMany([3, 4], 400_000)]);
  expect(sizes).toEqual([1, 3]);
  expect(await batches.addMany([5, 6, 7])).toEqual([5, 6, 7]);
  expect(await batches.addMany([])).toEqual([]);
});

test("it is part of a drain as long as something is on its way", async () => {
  const { batches, carried, tracked, answer } = slow();
  expect(tracked.size).toBe(0);
  const one = batches.add(1);
  expect(tracked.size).toBe(1);
  let drained = false;
  const draining = [...tracked][0]!.drain().then(() => {
    drained = true;
  });
  await nextTurn();
  expect(drained).toBe(false);
  answer(carried[0]!);
  await one;
  await draining;
  expect(tracked.size).toBe(0);
});

test("a loop over a driver that answers at once leaves timers and sockets their turn", async () => {
  const { batches } = quick();
  let turns = 0;
  let looping = true;
  const turn = (): void => {
    turns++;
    if (looping) setImmediate(turn);
  };
  setImmediate(turn);
  for (let index = 0; index < 2_000; index++) await batches.add(index);
  looping = false;
  expect(turns).toBeGreaterThan(1);
});
