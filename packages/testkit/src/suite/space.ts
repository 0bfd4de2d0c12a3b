import { any, type TupleSpace } from "@quadrant/contract";
import { expect } from "vitest";
import { type Clause, clause } from "./clause.ts";
import { eventually, guard } from "./guard.ts";
import { range } from "./range.ts";
import { rejection } from "./rejection.ts";
import type { Scene } from "./scene.ts";

/** The same space from both connections. */
export async function spaces(scene: Scene): Promise<{ space: TupleSpace; same: TupleSpace }> {
  const name = scene.name();
  const [space, same] = [await scene.bus.space(name), await scene.other.space(name)];
  return { space, same };
}

/**
 * Resolves once the broker knows what this connection has asked before: its requests arrive in order, and this one is
 * answered. So that what blocks is waiting when the next line runs.
 */
export async function registered(space: TupleSpace): Promise<void> {
  await space.rdp(["nobody puts this"]);
}

async function fifo(scene: Scene): Promise<void> {
  const { space, same } = await spaces(scene);
  for (const n of range(50)) await space.out(["job", n]);
  for (const n of range(25)) expect(await same.in(["job", Number])).toEqual(["job", n]);
  expect(await same.rd(["job", Number])).toEqual(["job", 25]);
  expect(await same.inp(["job", 40])).toEqual(["job", 40]);
  const rest = await same.inMany(["job", Number], { max: 100 });
  expect(rest.map((tuple) => tuple[1])).toEqual(range(50).filter((n) => n >= 25 && n !== 40));
}

async function neverWaits(scene: Scene): Promise<void> {
  const { space } = await spaces(scene);
  expect(await space.inp([any])).toBeUndefined();
  expect(await space.rdp([any])).toBeUndefined();
  expect(await space.inMany([any], { max: 10 })).toEqual([]);
  expect(await space.rdAll([any])).toEqual([]);
  expect(await space.count([any])).toBe(0);
}

async function equalTuples(scene: Scene): Promise<void> {
  const { space, same } = await spaces(scene);
  const tuple = ["same", 1] as const;
  await space.out(tuple);
  await space.out(tuple);
  expect(await same.count(tuple)).toBe(2);
  expect(await same.in(tuple)).toEqual(tuple);
  expect(await same.count(tuple)).toBe(1);
  expect(await same.rd(tuple)).toEqual(tuple);
  expect(await same.inp(tuple)).toEqual(tuple);
  expect(await same.inp(tuple)).toBeUndefined();
}

async function oncePerTuple(scene: Scene): Promise<void> {
  const { space, same } = await spaces(scene);
  const count = 600;
  const taken: number[] = [];
  const takers = range(10).map(async (who) => {
    const from = who % 2 === 0 ? space : same;
    for (;;) {
      const [, n] = await from.in(["job", Number]);
      if (n < 0) return;
      taken.push(n);
    }
  });
  await Promise.all(range(count).map((n) => (n % 3 === 0 ? same : space).out(["job", n])));
  await eventually("every tuple", () => taken.length >= count);
  await space.outMany(takers.map(() => ["job", -1]));
  await guard(Promise.all(takers), "the takers to end");
  expect(taken.toSorted((a, b) => a - b)).toEqual(range(count));
  expect(await space.count(["job", Number])).toBe(0);
}

async function orderedOut(scene: Scene): Promise<void> {
  const { space, same } = await spaces(scene);
  for (const n of range(scene.rounds(200))) {
    await space.out(["n", n]);
    expect(await same.rdp(["n", n])).toEqual(["n", n]);
    expect(await same.inp(["n", n])).toEqual(["n", n]);
    expect(await space.rdp(["n", n])).toBeUndefined();
  }
}

async function allOrNone(scene: Scene): Promise<void> {
  const { space, same } = await spaces(scene);
  await space.outMany(range(5).map((n) => ["t", n]));
  await space.outMany([]);
  expect(await same.rdAll(["t", Number])).toEqual(range(5).map((n) => ["t", n]));
  await rejection(space.outMany([["t", 5], ["t", Symbol("no field")] as never]), "codec");
  expect(await same.count(["t", Number])).toBe(5);
  const full = await scene.bus.space(scene.name(), { capacity: 3, whenFull: "reject" });
  await full.out(["t", 0]);
  await rejection(full.outMany(range(3).map((n) => ["t", n])), "overflow");
  expect(await full.count(["t", Number])).toBe(1);
  await full.outMany([
    ["t", 1],
    ["t", 2],
  ]);
  expect(await full.count(["t", Number])).toBe(3);
}

async function bulk(scene: Scene): Promise<void> {
  const { space, same } = await spaces(scene);
  await space.outMany(range(20).map((n) => [n % 2 === 0 ? "even" : "odd", n]));
  expect(await same.inMany(["even", Number], { max: 3 })).toEqual([0, 2, 4].map((n) => ["even", n]));
  expect(await same.rdAll(["even", Number])).toEqual([6, 8, 10, 12, 14, 16, 18].map((n) => ["even", n]));
  expect(await same.count([any, Number])).toBe(17);
  expect(await same.inMany(["even", Number], { max: 100 })).toHaveLength(7);
  expect(await same.count(["odd", Number])).toBe(10);
}

async function picks(scene: Scene): Promise<void> {
  const newest = await scene.bus.space(scene.name(), { pick: "newest" });
  for (const n of range(4)) await newest.out(["t", n]);
  expect(await newest.rd(["t", Number])).toEqual(["t", 3]);
  for (const n of [3, 2, 1, 0]) expect(await newest.in(["t", Number])).toEqual(["t", n]);
  const random = await scene.bus.space(scene.name(), { pick: "random" });
  await random.outMany(range(60).map((n) => ["t", n]));
  const taken: number[] = [];
  while (taken.length < 60) taken.push((await random.in(["t", Number]))[1]);
  expect(taken.toSorted((a, b) => a - b)).toEqual(range(60));
  // One in 60! that this is an accident.
  expect(taken).not.toEqual(range(60));
}

async function optionsConflict(scene: Scene): Promise<void> {
  const name = scene.name();
  await scene.bus.space(name, { capacity: 5, whenFull: "reject" });
  await rejection(scene.other.space(name, { capacity: 6 }), "conflict");
  await rejection(scene.other.space(name, { whenFull: "wait" }), "conflict");
  const same = await scene.other.space(name);
  await same.outMany(range(5).map((n) => [n]));
  await rejection(same.out([5]), "overflow");
}

async function destroyed(scene: Scene): Promise<void> {
  const { space, same } = await spaces(scene);
  await space.out(["t"]);
  expect(await scene.other.list("space")).toContain(space.name);
  await same.destroy();
  expect(await scene.other.list("space")).not.toContain(space.name);
  const again = await scene.bus.space(space.name, { pick: "newest" });
  expect(await again.count(["t"])).toBe(0);
}

async function evaluates(scene: Scene): Promise<void> {
  const { space, same } = await spaces(scene);
  const { done } = await space.eval(async (signal) => ["sum", signal.aborted ? 0 : 1 + 1]);
  expect(await same.in(["sum", Number])).toEqual(["sum", 2]);
  expect(await done).toEqual(["sum", 2]);
  const failing = await space.eval(() => {
    throw new RangeError("too far");
  });
  expect(await same.in(["eval-error", String, String])).toEqual(["eval-error", "RangeError", "too far"]);
  expect(await failing.done).toEqual(["eval-error", "RangeError", "too far"]);
}

async function apart(scene: Scene): Promise<void> {
  const [one, two] = [await scene.bus.space(scene.name()), await scene.bus.space(scene.name())];
  await one.out(["t", 1]);
  expect(await two.inp(["t", any])).toBeUndefined();
  expect(await one.inp(["t", any])).toEqual(["t", 1]);
}

export const spaceClauses: readonly Clause[] = [
  clause("space/fifo", "the oldest match is picked, for all kinds of taking and reading", fifo),
  clause("space/never-waits", "inp, rdp, inMany, rdAll and count answer at once when there is nothing", neverWaits),
  clause("space/equal-tuples", "equal tuples are two, taken one by one", equalTuples),
  clause("space/once", "a tuple is taken once, by one of many takers on two connections", oncePerTuple),
  clause("space/ordered-out", "once out resolves everybody can match the tuple; once in resolves nobody", orderedOut),
  clause("space/out-many", "outMany puts all or none", allOrNone),
  clause("space/bulk", "inMany takes up to max in order, rdAll and count see every match", bulk),
  clause("space/pick", "a space picks the newest or at random where it is told", picks),
  clause(
    "space/options",
    "options of a space that exists: left out they stay, different they conflict",
    optionsConflict,
  ),
  clause("space/destroy", "a destroyed space is gone with its tuples and options", destroyed),
  clause("space/eval", "eval puts out what its function returns, or what it threw", evaluates),
  clause("space/apart", "spaces do not mix", apart),
];
