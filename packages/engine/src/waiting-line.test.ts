import { compileTemplate } from "@quadrant/contract";
import { expect, test } from "vitest";
import { SpaceWaiter, WaitingLines } from "./waiting-line.ts";

const waiter = new SpaceWaiter(1, compileTemplate("a0:"), true, () => undefined);

test("lines are there while somebody stands in them, and those of the moment stay for the next", () => {
  const lines = new WaitingLines();
  const leave = lines.join("a", waiter);
  const line = lines.get("a");
  expect([line?.size, lines.size, lines.waiters]).toEqual([1, 1, 1]);
  leave();
  expect([lines.get("a"), lines.size, lines.waiters]).toEqual([undefined, 0, 0]);
  lines.join("a", waiter);
  expect(lines.get("a")).toBe(line);
  expect([lines.size, lines.waiters]).toEqual([1, 1]);
});

test("of many empty lines only some are kept, and of the others none", () => {
  const lines = new WaitingLines();
  lines.join("kept", waiter);
  for (let i = 0; i < 10_000; i++) {
    lines.join(`${i}`, waiter)();
    expect(lines.held).toBeLessThanOrEqual(2_000);
  }
  expect([lines.size, lines.waiters, lines.get("kept")?.size]).toEqual([1, 1, 1]);
  const leaves = Array.from({ length: 10_000 }, (_, i) => lines.join(`${i}`, waiter));
  expect(lines.size).toBe(10_001);
  for (const leave of leaves) leave();
  expect([lines.size, lines.waiters, lines.get("kept")?.size]).toEqual([1, 1, 1]);
  expect(lines.held).toBeLessThanOrEqual(2_000);
});
