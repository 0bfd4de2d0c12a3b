import { type Bus, connect } from "@quadrant/bus";
import { afterEach, beforeEach, expect, it } from "vitest";
import { march } from "./barrier.ts";
import { transfer } from "./bounded-buffer.ts";
import { Room } from "./chat.ts";
import { dine } from "./dining-philosophers.ts";
import { multiply } from "./matrix-product.ts";
import { crowd } from "./semaphore.ts";

let bus: Bus;
beforeEach(async () => {
  bus = await connect("memory:");
});
afterEach(async () => await bus.close());

it("dining philosophers: all eat, none starves, the forks are on the table again", async () => {
  expect(await dine(bus, 5, 50)).toEqual([50, 50, 50, 50, 50]);
  expect(await bus.list("space")).toEqual([]);
});

it("bounded buffer: everything arrives in order, and never more than there are places", async () => {
  const { consumed, most } = await transfer(bus, 4, 200);
  expect(consumed).toEqual(Array.from({ length: 200 }, (_, item) => item));
  expect(most).toBe(4);
});

it("barrier: nobody begins a phase before all have ended the one before", async () => {
  const worked = await march(bus, 4, 5);
  expect(worked).toEqual(worked.toSorted((a, b) => a - b));
  expect(worked).toHaveLength(20);
});

it("semaphore: as many at once as there are permits, and no more", async () => {
  expect(await crowd(bus, 3, 20)).toBe(3);
});

it("bag of tasks: the product of two matrices", async () => {
  const left = [
    [1, 2, 3],
    [4, 5, 6],
  ];
  const right = [
    [7, 8],
    [9, 10],
    [11, 12],
  ];
  expect(await multiply(bus, left, right, 3)).toEqual([
    [58, 64],
    [139, 154],
  ]);
});

it("chat: all read the same lines in the same order, who came later from the first", async () => {
  const room = await Room.open(bus, "lobby");
  const early = heard(room, 20);
  await Promise.all(
    ["ann", "bob"].map(async (who) => {
      for (let n = 0; n < 10; n++) await room.say(who, `${n}`);
    }),
  );
  const late = await heard(await Room.enter(bus, "lobby"), 20);
  expect(await early).toEqual(late);
  expect(late.filter((line) => line.startsWith("ann"))).toEqual(Array.from({ length: 10 }, (_, n) => `ann: ${n}`));
});

async function heard(room: Room, count: number): Promise<readonly string[]> {
  const lines: string[] = [];
  for await (const line of room.listen()) {
    lines.push(line);
    if (lines.length === count) break;
  }
  return lines;
}
