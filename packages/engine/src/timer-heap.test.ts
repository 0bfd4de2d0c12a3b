import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Timer, TimerHeap } from "./timer-heap.ts";
import { VirtualClock } from "./virtual-clock.ts";

function setUp(): { clock: VirtualClock; timers: TimerHeap; fired: string[]; add(name: string, inMs: number): Timer } {
  const clock = new VirtualClock(0);
  const timers = new TimerHeap(clock);
  const fired: string[] = [];
  return { clock, timers, fired, add: (name, inMs) => timers.add(clock.now() + inMs, () => fired.push(name)) };
}

describe("timers", () => {
  test("fire in the order of their times, those of one time in the order they were added", () => {
    const { clock, fired, add } = setUp();
    add("c", 30);
    add("a", 10);
    add("b1", 20);
    add("b2", 20);
    clock.advance(25);
    expect(fired).toEqual(["a", "b1", "b2"]);
    clock.advance(5);
    expect(fired).toEqual(["a", "b1", "b2", "c"]);
  });

  test("need one wake-up of the clock, and none when there are none", () => {
    const { clock, timers, add } = setUp();
    const some = [5, 3, 9].map((ms) => add(String(ms), ms));
    expect(clock.pending).toBe(1);
    for (const timer of some) timers.cancel(timer);
    expect(clock.pending).toBe(0);
    expect(timers.size).toBe(0);
  });

  test("that move to later do not touch the clock, and fire at the later time alone", () => {
    const { clock, timers, fired, add } = setUp();
    const timer = add("lease", 10);
    let scheduled = 0;
    const { schedule } = clock;
    clock.schedule = (at, wake) => {
      scheduled++;
      return schedule.call(clock, at, wake);
    };
    for (let i = 1; i <= 1000; i++) timers.move(timer, 10 + i);
    expect(scheduled).toBe(0);
    clock.advance(1009);
    expect(fired).toEqual([]);
    clock.advance(1);
    expect(fired).toEqual(["lease"]);
  });

  test("that move to sooner fire sooner, and to never do not fire", () => {
    const { clock, timers, fired, add } = setUp();
    const sooner = add("sooner", 100);
    const never = add("never", 10);
    timers.move(sooner, 5);
    timers.move(never, Number.POSITIVE_INFINITY);
    expect(timers.size).toBe(1);
    clock.advance(5);
    expect(fired).toEqual(["sooner"]);
    expect(clock.pending).toBe(0);
    clock.advance(1000);
    expect(fired).toEqual(["sooner"]);
    timers.move(never, clock.now() + 1);
    clock.advance(1);
    expect(fired).toEqual(["sooner", "never"]);
  });

  test("that are due have fired when runDue returns, though the clock has not woken anyone", () => {
    let now = 0;
    const timers = new TimerHeap({ now: () => now, schedule: () => () => undefined });
    const fired: number[] = [];
    for (const at of [3, 1, 2]) timers.add(at, () => fired.push(at));
    now = 2;
    timers.runDue();
    expect(fired).toEqual([1, 2]);
  });

  test("that are due are not fired within one that fires, and none that is left holds no wake-up", () => {
    let now = 0;
    let held = 0;
    const timers = new TimerHeap({
      now: () => now,
      schedule: () => {
        held++;
        return () => void held--;
      },
    });
    const fired: string[] = [];
    timers.add(10, () => {
      timers.add(10, () => fired.push("inner"));
      timers.runDue();
      fired.push("outer");
    });
    expect(held).toBe(1);
    now = 10;
    timers.runDue();
    expect(fired).toEqual(["outer", "inner"]);
    expect(held).toBe(0);
  });

  test("may be added and cancelled by one that fires", () => {
    const { clock, timers, fired, add } = setUp();
    const victim = add("victim", 10);
    timers.add(10, () => undefined);
    timers.add(5, () => {
      timers.cancel(victim);
      add("next", 5);
      fired.push("first");
    });
    clock.advance(10);
    expect(fired).toEqual(["first", "next"]);
    expect(timers.size).toBe(0);
    expect(clock.pending).toBe(0);
  });

  test("fire exactly once each, at the first look at or after their last time, under random moves", () => {
    const step = fc.record({
      kind: fc.constantFrom("add", "move", "cancel", "advance"),
      which: fc.nat(20),
      ms: fc.integer({ min: 0, max: 40 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120, size: "max" }), (steps) => {
        const clock = new VirtualClock(0);
        const timers = new TimerHeap(clock);
        const fired: number[] = [];
        const all: { timer: Timer; due: number; state: "set" | "fired" | "cancelled" }[] = [];
        for (const { kind, which, ms } of steps) {
          const one = all[which % Math.max(1, all.length)];
          const due = clock.now() + ms;
          if (kind === "add") {
            const index = all.length;
            all.push({ timer: timers.add(due, () => fired.push(index)), due, state: "set" });
          } else if (kind === "advance") {
            fired.length = 0;
            clock.advance(ms);
            const expected = all.flatMap((each, index) =>
              each.state === "set" && each.due <= clock.now() ? [index] : [],
            );
            expect([...fired].sort((a, b) => a - b)).toEqual(expected);
            const times = fired.map((index) => all[index]!.due);
            expect(times).toEqual([...times].sort((a, b) => a - b));
            for (const index of fired) all[index]!.state = "fired";
          } else if (one !== undefined) {
            if (kind === "cancel") {
              timers.cancel(one.timer);
              if (one.state === "set") one.state = "cancelled";
            } else {
              timers.move(one.timer, due);
              one.due = due;
              one.state = "set";
            }
          }
          expect(timers.size).toBe(all.filter((each) => each.state === "set").length);
        }
      }),
    );
  });
});

test("closed timers never fire and hold no wake-up, whatever is added later", () => {
  const clock = new VirtualClock(0);
  const timers = new TimerHeap(clock);
  const fired: number[] = [];
  timers.add(10, () => fired.push(1));
  timers.close();
  const late = timers.add(20, () => fired.push(2));
  timers.move(late, 30);
  timers.cancel(timers.add(20, () => fired.push(3)));
  expect(clock.pending).toBe(0);
  expect(timers.size).toBe(0);
  clock.advance(100);
  expect(fired).toEqual([]);
});
