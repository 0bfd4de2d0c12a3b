import { any, encodeTemplate, encodeTuple } from "@quadrant/contract";
import { expect, test } from "vitest";
import { Engine } from "./engine.ts";
import type { EngineSession } from "./session.ts";
import { VirtualClock } from "./virtual-clock.ts";

function session(): { readonly clock: VirtualClock; readonly one: EngineSession } {
  const clock = new VirtualClock();
  return { clock, one: new Engine({ clock }).connect("one") };
}

const job = encodeTemplate(["job", any]);

test("a tuple that is restored is back in its original place", async () => {
  const { one } = session();
  for (const n of [1, 2, 3]) await one.tuples.out("s", encodeTuple(["job", n]), undefined, {});
  const taken = await one.tuples.takeRevocable("s", job, {});
  expect(taken.tuple).toBe(encodeTuple(["job", 1]));
  expect(await one.tuples.count("s", job)).toBe(2);
  taken.restore();
  expect(await one.tuples.readAll("s", job)).toEqual([1, 2, 3].map((n) => encodeTuple(["job", n])));
});

test("one that is restored has its lease again, and can be renewed", async () => {
  const { clock, one } = session();
  const lease = await one.tuples.out("s", encodeTuple(["job", 1]), 1_000, {});
  const taken = await one.tuples.takeRevocable("s", job, {});
  taken.restore();
  await one.tuples.renew("s", lease.id, 2_000);
  clock.advance(1_999);
  expect(await one.tuples.count("s", job)).toBe(1);
  clock.advance(1);
  expect(await one.tuples.count("s", job)).toBe(0);
  expect(clock.pending).toBe(0);
});

test("one that is restored satisfies those who wait", async () => {
  const { one } = session();
  await one.tuples.out("s", encodeTuple(["job", 1]), undefined, {});
  const taken = await one.tuples.takeRevocable("s", job, {});
  const waiting = one.tuples.take("s", job, {});
  taken.restore();
  expect(await waiting).toBe(encodeTuple(["job", 1]));
  expect(await one.tuples.count("s", job)).toBe(0);
});

test("while it is taken its lease is stale and its room is free; restored after its lease it is gone", async () => {
  const { clock, one } = session();
  await one.tuples.open("s", { capacity: 1, whenFull: "reject" });
  const lease = await one.tuples.out("s", encodeTuple(["job", 1]), 1_000, {});
  const taken = await one.tuples.takeRevocable("s", job, {});
  await expect(one.tuples.renew("s", lease.id, 1_000)).rejects.toMatchObject({ code: "stale" });
  await one.tuples.out("s", encodeTuple(["other"]), undefined, {});
  clock.advance(1_000);
  taken.restore();
  expect(await one.tuples.count("s", job)).toBe(0);
});

test("a take that waited can be restored, too, and abort and capture are one decision", async () => {
  const { one } = session();
  const abort = new AbortController();
  const waiting = one.tuples.takeRevocable("s", job, { signal: abort.signal });
  await one.tuples.out("s", encodeTuple(["job", 1]), undefined, {});
  abort.abort();
  const taken = await waiting;
  taken.restore();
  expect(await one.tuples.takeNow("s", job)).toBe(encodeTuple(["job", 1]));
});

test("one that is restored after its space was destroyed goes nowhere, also where the space was made anew", async () => {
  const { clock, one } = session();
  await one.tuples.out("s", encodeTuple(["job", 1]), 1_000, {});
  const taken = await one.tuples.takeRevocable("s", job, {});
  await one.tuples.destroy("s");
  await one.tuples.open("s", {});
  taken.restore();
  expect(await one.tuples.count("s", job)).toBe(0);
  expect(clock.pending).toBe(0);
});
