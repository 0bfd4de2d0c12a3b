import { expect, test } from "vitest";
import { CapturedIo } from "./captured-io.ts";
import { Interrupts } from "./interrupt.ts";

test("once asks to end, twice ends at once", () => {
  const io = new CapturedIo();
  let told = 0;
  const interrupts = new Interrupts(io, () => told++);
  expect(interrupts.interrupted).toBe(false);
  io.interrupt();
  expect(interrupts.signal.aborted).toBe(true);
  expect([told, io.abandoned]).toEqual([1, []]);
  io.time = 1_000;
  io.interrupt();
  expect([told, io.abandoned]).toEqual([1, [130]]);
  interrupts.close();
  expect(io.listening).toBe(false);
});

test("a press that arrives twice, from the terminal and from npm, is one", () => {
  const io = new CapturedIo();
  const interrupts = new Interrupts(io, () => undefined);
  io.interrupt();
  io.time = 20;
  io.interrupt();
  expect(io.abandoned).toEqual([]);
  interrupts.close();
});

test("SIGTERM asks as well", () => {
  const io = new CapturedIo();
  const interrupts = new Interrupts(io, () => undefined);
  io.interrupt("SIGTERM");
  expect(interrupts.interrupted).toBe(true);
  interrupts.close();
});
