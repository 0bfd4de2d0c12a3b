import { any } from "@quadrant/contract";
import { expect } from "vitest";
import { type Clause, clause } from "./clause.ts";
import { guard } from "./guard.ts";
import { range } from "./range.ts";
import { abortedLater, decided, rejection } from "./rejection.ts";
import type { Scene } from "./scene.ts";
import { registered } from "./space.ts";

async function waits(scene: Scene): Promise<void> {
  const name = scene.name();
  const [space, same] = [await scene.bus.space(name, { capacity: 2 }), await scene.other.space(name)];
  await space.outMany([
    ["t", 0],
    ["t", 1],
  ]);
  let resolved = 0;
  const waiting = range(3).map(async (n) => {
    await space.out(["t", n + 2]);
    resolved++;
  });
  await registered(space);
  expect(await same.count(["t", any])).toBe(2);
  expect(resolved).toBe(0);
  for (const n of range(5)) expect(await guard(same.in(["t", Number]), "the next tuple")).toEqual(["t", n]);
  await guard(Promise.all(waiting), "the waiting outs");
  expect(await same.count(["t", any])).toBe(0);
}

async function gaveUp(scene: Scene): Promise<void> {
  const name = scene.name();
  const [space, same] = [await scene.bus.space(name, { capacity: 1, whenFull: "wait" }), await scene.other.space(name)];
  await space.out(["t", 0]);
  await decided("timeout", () => space.out(["t", 1], { timeoutMs: 20 }));
  await decided("aborted", () => abortedLater((signal) => space.out(["t", 2], { signal })));
  await same.in(["t", 0]);
  await space.out(["t", 3]);
  expect(await same.rdAll(["t", any])).toEqual([["t", 3]]);
}

async function rejects(scene: Scene): Promise<void> {
  const name = scene.name();
  const space = await scene.bus.space(name, { capacity: 2, whenFull: "reject" });
  const same = await scene.other.space(name);
  await space.outMany([
    ["t", 0],
    ["t", 1],
  ]);
  expect((await rejection(same.out(["t", 2]), "overflow")).retryable).toBe(true);
  await same.in(["t", 0]);
  await same.out(["t", 2]);
  expect(await space.rdAll(["t", any])).toEqual([
    ["t", 1],
    ["t", 2],
  ]);
}

async function straightToTaker(scene: Scene): Promise<void> {
  const name = scene.name();
  const [space, same] = [
    await scene.bus.space(name, { capacity: 1, whenFull: "reject" }),
    await scene.other.space(name),
  ];
  await space.out(["stays"]);
  const taking = space.in(["wanted"]);
  await registered(space);
  await same.out(["wanted"]);
  expect(await guard(taking, "the taker")).toEqual(["wanted"]);
}

async function claimHoldsRoom(scene: Scene): Promise<void> {
  const name = scene.name();
  const [space, same] = [
    await scene.bus.space(name, { capacity: 1, whenFull: "reject" }),
    await scene.other.space(name),
  ];
  await space.out(["t", 0]);
  const claim = await same.claim(["t", 0]);
  // Room given away here would be missing when the claim comes back.
  await rejection(space.out(["t", 1]), "overflow");
  await claim.nak();
  expect(await space.rdAll(["t", any])).toEqual([["t", 0]]);
  await (await same.claim(["t", 0])).ack();
  await space.out(["t", 1]);
}

export const spaceCapacityClauses: readonly Clause[] = [
  clause("capacity/wait", "at capacity out waits for room, in order", waits),
  clause("capacity/gave-up", "an out that gave up waiting has put nothing", gaveUp),
  clause("capacity/reject", "whenFull reject refuses with overflow, and recovers", rejects),
  clause("capacity/taker", "what a waiting in takes needs no room", straightToTaker),
  clause("capacity/claim", "a claimed tuple keeps its room", claimHoldsRoom),
];
