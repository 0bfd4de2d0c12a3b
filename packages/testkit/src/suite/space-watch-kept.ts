import { any, type TupleSpace } from "@quadrant/contract";
import { expect } from "vitest";
import { type Clause, clause, durableClause, faultClause } from "./clause.ts";
import { collect } from "./collected.ts";
import { seen, statusesOf, whileDead } from "./faults.ts";
import { eventually, guard } from "./guard.ts";
import { range } from "./range.ts";
import { rejection } from "./rejection.ts";
import type { Scene } from "./scene.ts";
import { spaces } from "./space.ts";
import { all, isWithoutGaps, said, take, watched } from "./space-watch.ts";

async function destroyed(scene: Scene): Promise<void> {
  const { space, same } = await spaces(scene);
  const watching = await watched(same);
  await space.out([1]);
  const [last] = await take(await watched(same, 0), 1);
  const reading = collect(watching);
  await space.destroy();
  await rejection(guard(reading.ended, "the watch to end"), "conflict", "gap");
  const anew = await scene.bus.space(space.name);
  await anew.outMany([[2], [3], [4]]);
  // Its numbers are of another space.
  await rejection(watched(anew, last!.seq), "gap");
  expect(said(await all(anew))).toEqual(["out [2]", "out [3]", "out [4]"]);
}

/** What happens while the watcher's broker is away is told afterwards, once. */
async function acrossKills(scene: Scene): Promise<void> {
  const [bus, other] = [await scene.connect(), await scene.connect({ requestTimeoutMs: 20_000 })];
  const name = scene.name();
  const [space, same] = [await bus.space(name), await other.space(name)];
  const watch = collect(await watched(space));
  await same.outMany([[1], [2]]);
  await same.in([1]);
  await watch.atLeast(3);
  const claim = await same.claim([2], { leaseMs: 600_000 });
  const from = watch.items[0]!.seq;
  const statuses = [statusesOf(bus), statusesOf(other)];
  await Promise.all(statuses.map((each) => each.atLeast(1)));
  await whileDead(scene, async () => {
    await Promise.all(statuses.map((each) => seen(each, "disconnected")));
  });
  await Promise.all(statuses.map((each) => seen(each, "reconnected")));
  await claim.nak();
  await same.out([3]);
  await same.in([3]);
  await watch.atLeast(7);
  expect(said(watch.items)).toEqual(["out [1]", "out [2]", "in [1]", "in [2]", "return [2]", "out [3]", "in [3]"]);
  isWithoutGaps(watch.items);
  expect(await take(await watched(same, from), 6)).toEqual(watch.items.slice(1));
  expect(await same.rdAll([any])).toEqual([[2]]);
}

/** Where a broker has forgotten what it held, who watched learns so, whatever has happened there since. */
async function forgotten(scene: Scene): Promise<void> {
  const [bus, other] = [await scene.connect(), await scene.connect()];
  const name = scene.name();
  const [space, same] = [await bus.space(name), await other.space(name)];
  const watching = await watched(space);
  await same.outMany([[1], [2]]);
  const [first] = await take(await watched(same, 0), 1);
  const statuses = statusesOf(other);
  await statuses.atLeast(1);
  await whileDead(scene, async () => {
    await seen(statuses, "disconnected");
  });
  await seen(statuses, "reconnected");
  let again: TupleSpace | undefined;
  await eventually("the space", async () => {
    again = await other.space(name).catch(() => undefined);
    return again !== undefined;
  });
  if ((await again!.count([any])) > 0) return;
  await again!.outMany(range(10).map((n) => [n]));
  const reading = collect(watching);
  await rejection(guard(reading.ended, "the watch to end"), "gap");
  await rejection(watched(again!, first!.seq), "gap");
}

export const spaceWatchKeptClauses: readonly Clause[] = [
  clause("watch/destroy", "a destroyed space ends its watches; one made anew has other numbers", destroyed),
  durableClause("watch/kept", "after a kill a watch goes on, and its history is there", acrossKills),
  faultClause("watch/forgotten", "a broker that has forgotten a space is a gap, never numbers anew", forgotten),
];
