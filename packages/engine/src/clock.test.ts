import { expect, test, vi } from "vitest";
import { systemClock } from "./clock.ts";
import { VirtualClock } from "./virtual-clock.ts";

test("the system's clock tells the time of day and does not follow a jump of the wall clock", () => {
  const clock = systemClock();
  expect(Math.abs(clock.now() - Date.now())).toBeLessThan(60_000);
  const before = clock.now();
  const jump = vi.spyOn(Date, "now").mockReturnValue(Date.now() + 86_400_000);
  expect(clock.now() - before).toBeLessThan(3_600_000);
  jump.mockRestore();
});

test("the system's clock wakes at or after the time, and not when cancelled", async () => {
  const clock = systemClock();
  const at = clock.now() + 5;
  const woken: string[] = [];
  const cancel = clock.schedule(at, () => woken.push("cancelled"));
  cancel();
  await new Promise<void>((resolve) => {
    clock.schedule(at, () => {
      woken.push("woken");
      resolve();
    });
  });
  expect(woken).toEqual(["woken"]);
});

test("the system's clock wakes each of several, earlier ones too, and a late cancellation cancels nothing else", async () => {
  const clock = systemClock();
  const at = clock.now();
  const woken: string[] = [];
  const first = clock.schedule(at + 60_000, () => woken.push("first"));
  first();
  const early = clock.schedule(at + 5, () => woken.push("early"));
  first();
  const all = [15, 10].map(
    (ms) => new Promise<number>((resolve) => clock.schedule(at + ms, () => resolve(clock.now()))),
  );
  const times = await Promise.all(all);
  expect(times.map((time, index) => time >= at + [15, 10][index]!)).toEqual([true, true]);
  expect(woken).toEqual(["early"]);
  early();
});

test("a virtual clock wakes in order, each at its own time, also those that are scheduled meanwhile", () => {
  const clock = new VirtualClock(0);
  const woken: [string, number][] = [];
  clock.schedule(20, () => woken.push(["b", clock.now()]));
  clock.schedule(10, () => {
    woken.push(["a", clock.now()]);
    clock.schedule(15, () => woken.push(["nested", clock.now()]));
  });
  const cancel = clock.schedule(12, () => woken.push(["cancelled", clock.now()]));
  cancel();
  clock.advance(20);
  expect(woken).toEqual([
    ["a", 10],
    ["nested", 15],
    ["b", 20],
  ]);
  expect(clock.now()).toBe(20);
  expect(clock.pending).toBe(0);
});
