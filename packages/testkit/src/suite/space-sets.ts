import { any, between, partial, type TupleSpace } from "@quadrant/contract";
import { expect } from "vitest";
import { type Clause, clause } from "./clause.ts";
import { guard } from "./guard.ts";
import { range } from "./range.ts";
import { abortedLater, decided, rejection } from "./rejection.ts";
import type { Scene } from "./scene.ts";
import { registered, spaces } from "./space.ts";

/** Before something waits that would wait in vain where the driver cannot do the rest: rejects there. */
async function canTakeAll(space: TupleSpace): Promise<void> {
  expect(await space.inAll([])).toEqual([]);
}

async function canCollect(space: TupleSpace): Promise<void> {
  expect(await space.collect(["nobody puts this"], space)).toBe(0);
}

async function oneOfEach(scene: Scene): Promise<void> {
  const { space, same } = await spaces(scene);
  await canTakeAll(space);
  await space.outMany([
    ["fork", 1],
    ["fork", 2],
    ["fork", 3],
    ["plate", "a"],
  ]);
  expect(
    await same.inAll([
      ["plate", String],
      ["fork", Number],
      ["fork", 3],
    ]),
  ).toEqual([
    ["plate", "a"],
    ["fork", 1],
    ["fork", 3],
  ]);
  expect(await space.rdAll([any, any])).toEqual([["fork", 2]]);
}

async function overlapping(scene: Scene): Promise<void> {
  const { space, same } = await spaces(scene);
  await space.outMany([
    ["n", 1],
    ["n", 2],
  ]);
  // The first would like what the second needs.
  const templates = [
    ["n", Number],
    ["n", 1],
  ] as const;
  expect(await same.inAll(templates)).toEqual([
    ["n", 2],
    ["n", 1],
  ]);
  await space.out(["n", 1]);
  // One tuple is not two.
  await decided("timeout", () => same.inAll(templates, { timeoutMs: 20 }));
  expect(await same.count(["n", 1])).toBe(1);
}

async function holdsNothing(scene: Scene): Promise<void> {
  const { space, same } = await spaces(scene);
  await canTakeAll(space);
  await space.out(["left"]);
  const both = space.inAll([["left"], ["right"]]);
  await registered(space);
  // What it waits beside is there for others.
  expect(await same.inp(["left"])).toEqual(["left"]);
  await same.out(["right"]);
  expect(await same.rdp(["right"])).toEqual(["right"]);
  await same.out(["left"]);
  expect(await guard(both, "both")).toEqual([["left"], ["right"]]);
  expect(await same.count([any])).toBe(0);
}

async function gaveUp(scene: Scene): Promise<void> {
  const { space, same } = await spaces(scene);
  await space.out(["left"]);
  const templates = [["left"], ["right"]] as const;
  await decided("timeout", () => space.inAll(templates, { timeoutMs: 20 }));
  await decided("aborted", () => abortedLater((signal) => space.inAll(templates, { signal })));
  await rejection(space.inAll(templates, { timeoutMs: 0 }), "timeout");
  await same.out(["right"]);
  expect(await same.count([any])).toBe(2);
}

async function longestWaiting(scene: Scene): Promise<void> {
  const { space, same } = await spaces(scene);
  await canTakeAll(space);
  const joint = space.inAll([["left"], ["right"]]);
  await registered(space);
  const late = same.in(["right"]);
  await registered(same);
  // Of no use yet to who has waited longer.
  await space.out(["right"]);
  expect(await guard(late, "the one that can use it")).toEqual(["right"]);
  await space.out(["left"]);
  const later = same.in(["right"]);
  await registered(same);
  await space.out(["right"]);
  expect(await guard(joint, "who has waited longer")).toEqual([["left"], ["right"]]);
  await space.out(["right"]);
  expect(await guard(later, "the other")).toEqual(["right"]);
}

async function noDeadlock(scene: Scene): Promise<void> {
  const { space, same } = await spaces(scene);
  await canTakeAll(space);
  await space.outMany([["left"], ["right"]]);
  const rounds = scene.rounds(100);
  const works = range(4).map(async (who) => {
    const from = who % 2 === 0 ? space : same;
    const order = who < 2 ? ([["left"], ["right"]] as const) : ([["right"], ["left"]] as const);
    for (let round = 0; round < rounds; round++) {
      await from.inAll(order);
      expect(await from.rdp([any])).toBeUndefined();
      await from.outMany([["left"], ["right"]]);
    }
  });
  await guard(Promise.all(works), "all rounds", 60_000);
  expect(await space.count([any])).toBe(2);
}

async function makesRoom(scene: Scene): Promise<void> {
  const name = scene.name();
  const [space, same] = [await scene.bus.space(name, { capacity: 1 }), await scene.other.space(name)];
  await canTakeAll(same);
  await space.out(["left"]);
  const both = same.inAll([["left"], ["right"]]);
  await registered(same);
  const waiting = space.out(["more"]);
  await registered(space);
  await space.out(["right"]);
  expect(await guard(both, "both")).toEqual([["left"], ["right"]]);
  await guard(waiting, "the out that waited for room");
  expect(await same.rdAll([any])).toEqual([["more"]]);
}

async function moves(scene: Scene): Promise<void> {
  const { space, same } = await spaces(scene);
  await canCollect(space);
  const target = await scene.other.space(scene.name());
  const here = await scene.other.space(space.name);
  await space.outMany([...range(5).map((n) => ["job", n] as const), ["other", 0]]);
  const waiting = target.in(["job", 3]);
  await registered(target);
  expect(await here.copyCollect(["job", between(3, 4)], target)).toBe(2);
  expect(await guard(waiting, "who waited in the target")).toEqual(["job", 3]);
  expect(await here.collect(["job", Number], target)).toBe(5);
  expect(await here.collect(["job", Number], target)).toBe(0);
  expect(await same.rdAll([any, any])).toEqual([["other", 0]]);
  expect(await target.rdAll(["job", Number])).toEqual([4, 0, 1, 2, 3, 4].map((n) => ["job", n]));
  expect(await here.copyCollect(["other", any], here)).toBe(1);
  expect(await here.collect(["other", any], here)).toBe(2);
  expect(await here.count(["other", 0])).toBe(2);
  await rejection(space.collect(["job", any], target), "invalid");
}

async function movesAllOrNone(scene: Scene): Promise<void> {
  const { space } = await spaces(scene);
  const target = await scene.bus.space(scene.name(), { capacity: 2 });
  await space.outMany(range(3).map((n) => ["job", n]));
  await rejection(space.collect(["job", Number], target), "overflow");
  await rejection(space.copyCollect(["job", Number], target), "overflow");
  expect(await target.count(["job", Number])).toBe(0);
  expect(await space.collect(["job", between(0, 1)], target)).toBe(2);
  expect(await space.rdAll(["job", Number])).toEqual([["job", 2]]);
}

async function movesAtOneMoment(scene: Scene): Promise<void> {
  const from = await scene.bus.space(scene.name());
  const to = await scene.bus.space(scene.name());
  const seen = await scene.other.space(from.name);
  await from.outMany(range(20).map((n) => ["job", n]));
  await canCollect(from);
  let over = false;
  const looking = (async () => {
    while (!over) expect([0, 20]).toContain(await seen.count(["job", Number]));
  })();
  for (let round = 0; round < scene.rounds(50); round++) {
    expect(await from.collect(["job", Number], to)).toBe(20);
    expect(await to.collect(["job", Number], from)).toBe(20);
  }
  over = true;
  await guard(looking, "who looks");
  expect(await from.rdAll(["job", Number])).toEqual(range(20).map((n) => ["job", n]));
}

async function leasesMove(scene: Scene): Promise<void> {
  const { space, same } = await spaces(scene);
  const target = await scene.bus.space(scene.name());
  const lease = await space.out(["t"], { leaseMs: 60_000 });
  expect(await space.collect(["t"], target)).toBe(1);
  await rejection(lease.renew(1_000), "stale");
  expect(await target.count(["t"])).toBe(1);
  await space.out(["short"], { leaseMs: 300 });
  if ((await space.collect(["short"], target)) === 0) return;
  await expect.poll(() => target.count(["short"]), { timeout: 20_000 }).toBe(0);
  expect(await same.count(["short"])).toBe(0);
}

async function explains(scene: Scene): Promise<void> {
  const { space, same } = await spaces(scene);
  await space.outMany([...range(8).map((n) => ["job", n % 2, n] as const), ["one"], { kind: "a", n: 1 }]);
  expect((await same.explain(["job", 1, Number])).candidates).toBe(4);
  expect((await same.explain(["job", 1, 3])).candidates).toBe(1);
  expect((await same.explain(["none", 1, Number])).candidates).toBe(0);
  const indexed = await same.explain(["job", any, any]);
  expect(indexed.candidates).toBe(8);
  const scan = await same.explain([any, any, between(3, 4)]);
  expect(scan.candidates).toBe(8);
  expect(scan.index).not.toBe(indexed.index);
  expect((await same.explain({ kind: "a", n: Number })).candidates).toBe(1);
  expect((await same.explain(partial({ kind: "a" }))).candidates).toBe(1);
  // It has looked, and touched nothing.
  expect(await same.count([any, any, any])).toBe(8);
}

export const spaceSetClauses: readonly Clause[] = [
  clause("joint/each", "inAll takes one match for each template, in their order", oneOfEach),
  clause("joint/overlap", "inAll finds a choice where there is one, and never counts one tuple twice", overlapping),
  clause("joint/holds-nothing", "while inAll waits, what it has found so far is there for others", holdsNothing),
  clause("joint/gave-up", "an inAll that gave up waiting has taken nothing", gaveUp),
  clause("joint/order", "an out goes to the longest-waiting of those that have all with it", longestWaiting),
  clause("joint/no-deadlock", "inAll of the same tuples in opposite orders never blocks for good", noDeadlock),
  clause("joint/room", "what a waiting inAll takes makes room for who waits for it", makesRoom),
  clause(
    "collect/moves",
    "collect moves, copyCollect copies every match to the waiters and the place of another space",
    moves,
  ),
  clause("collect/all-or-none", "where there is no room for all, collect moves nothing", movesAllOrNone),
  clause("collect/one-moment", "nobody sees a collect half done", movesAtOneMoment),
  clause("collect/leases", "what is moved has what was left of its lease, under a name of its own", leasesMove),
  clause("explain/candidates", "explain names the index and counts the tuples that it leads to", explains),
];
