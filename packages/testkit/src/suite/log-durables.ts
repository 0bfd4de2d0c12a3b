import type { Delivery, DurableOptions, Log, Subscription } from "@quadrant/contract";
import { expect } from "vitest";
import { type Clause, clause } from "./clause.ts";
import { collect, next } from "./collected.ts";
import { eventually, guard } from "./guard.ts";
import { brokenBytes, brokenJson } from "./planted.ts";
import { range } from "./range.ts";
import { rejection } from "./rejection.ts";
import type { Scene } from "./scene.ts";

async function filled(scene: Scene, count: number): Promise<Log<number>> {
  const log = await scene.bus.log<number>(scene.name());
  for (const n of range(count)) await log.append(`s.${n % 2}`, n, { headers: { n: String(n) } });
  return log;
}

/** Takes and acknowledges the next `count`, then leaves. */
async function consume(log: Log<number>, count: number, options: DurableOptions<number>): Promise<Delivery<number>[]> {
  const deliveries: Delivery<number>[] = [];
  const subscription = await log.subscribe(options);
  const iterator = subscription[Symbol.asyncIterator]();
  while (deliveries.length < count) {
    const delivery = await next(iterator);
    await delivery.ack();
    deliveries.push(delivery);
  }
  await subscription[Symbol.asyncDispose]();
  return deliveries;
}

const seqs = (deliveries: readonly Delivery<number>[]): (number | undefined)[] => deliveries.map(({ seq }) => seq);

async function resumes(scene: Scene): Promise<void> {
  const log = await filled(scene, 6);
  const first = await consume(log, 3, { durable: "d", from: "first" });
  expect(seqs(first)).toEqual([1, 2, 3]);
  expect(first[0]).toMatchObject({ subject: "s.0", data: 0, headers: { n: "0" }, attempt: 1 });
  const same = await scene.other.log<number>(log.name);
  const rest = await consume(same, 3, { durable: "d" });
  expect(seqs(rest)).toEqual([4, 5, 6]);
  expect(rest.map(({ attempt }) => attempt)).toEqual([1, 1, 1]);
  await log.append("s", 6);
  expect(seqs(await consume(log, 1, { durable: "d" }))).toEqual([7]);
}

async function beginsAtNew(scene: Scene): Promise<void> {
  const log = await filled(scene, 3);
  const subscription = scene.own(await log.subscribe({ durable: "d" }));
  const { seq } = await log.append("s", 3);
  expect((await next(subscription[Symbol.asyncIterator]())).seq).toBe(seq);
  expect(seqs(await consume(log, 2, { durable: "from-two", from: { seq: 2 } }))).toEqual([2, 3]);
}

async function independent(scene: Scene): Promise<void> {
  const log = await filled(scene, 4);
  expect(seqs(await consume(log, 4, { durable: "one", from: "first" }))).toEqual([1, 2, 3, 4]);
  expect(seqs(await consume(log, 2, { durable: "two", from: "first" }))).toEqual([1, 2]);
  expect(seqs(await consume(log, 2, { durable: "two" }))).toEqual([3, 4]);
}

async function membersShare(scene: Scene): Promise<void> {
  const log = await filled(scene, 100);
  const same = await scene.other.log<number>(log.name);
  const seen: number[] = [];
  const members = await Promise.all(
    [log, same, log].map((each) => each.subscribe({ durable: "d", from: "first", maxInFlight: 4 })),
  );
  const loops = members.map(async (member: Subscription<Delivery<number>>) => {
    for await (const delivery of member) {
      await delivery.ack();
      seen.push(delivery.data);
    }
  });
  await eventually("100 entries", () => seen.length >= 100);
  await Promise.all(members.map((member) => member[Symbol.asyncDispose]()));
  await guard(Promise.all(loops), "the loops to end");
  expect(seen.toSorted((a, b) => a - b)).toEqual(range(100));
}

async function oneMemberInOrder(scene: Scene): Promise<void> {
  const log = await filled(scene, 300);
  expect(seqs(await consume(log, 300, { durable: "d", from: "first" }))).toEqual(range(300).map((n) => n + 1));
}

async function filtered(scene: Scene): Promise<void> {
  const log = await filled(scene, 6);
  expect(seqs(await consume(log, 3, { durable: "even", from: "first", filter: "s.0" }))).toEqual([1, 3, 5]);
  await log.append("s.1", 6);
  await log.append("s.0", 7);
  expect(seqs(await consume(log, 1, { durable: "even", filter: "s.0" }))).toEqual([8]);
}

async function leaseRunsOut(scene: Scene): Promise<void> {
  const log = await filled(scene, 1);
  const durable = { durable: "d", from: "first", leaseMs: 600 } as const;
  const loser = scene.own(await log.subscribe({ ...durable, autoExtend: false }));
  const lost = await next(loser[Symbol.asyncIterator]());
  expect(lost.attempt).toBe(1);
  const same = await scene.other.log<number>(log.name);
  const winner = scene.own(await same.subscribe(durable));
  const again = await next(winner[Symbol.asyncIterator]());
  expect(again).toMatchObject({ seq: 1, attempt: 2, data: 0 });
  await rejection(lost.ack(), "stale");
  expect(lost.signal.aborted).toBe(true);
  await again.ack();
}

async function deadOnce(scene: Scene): Promise<void> {
  const log = await filled(scene, 3);
  const subscription = scene.own(await log.subscribe({ durable: "d", from: "first", maxAttempts: 2 }));
  const attempts: number[] = [];
  const iterator = subscription[Symbol.asyncIterator]();
  for (let settled = 0; settled < 3; ) {
    const delivery = await next(iterator);
    if (delivery.data === 0) {
      attempts.push(delivery.attempt);
      await delivery.nak({ error: new RangeError("no good") });
      if (delivery.attempt === 2) settled++;
    } else {
      await (delivery.data === 1 ? delivery.reject(new Error("refused")) : delivery.ack());
      settled++;
    }
  }
  expect(attempts).toEqual([1, 2]);
  const dead = await log.deadLetters("d");
  expect(dead.map((letter) => letter.data).toSorted()).toEqual([0, 1]);
  expect(dead.find((letter) => letter.data === 0)).toMatchObject({ attempt: 2, headers: { n: "0" } });
  expect(dead.find((letter) => letter.data === 0)?.error.message).toContain("no good");
  expect(dead.find((letter) => letter.data === 1)?.error.message).toContain("refused");
  expect(await log.deadLetters("d", 1)).toHaveLength(1);
  expect(await log.redrive("d")).toBe(2);
  expect(await log.deadLetters("d")).toEqual([]);
  const redriven = [await next(iterator), await next(iterator)];
  expect(redriven.map((delivery) => delivery.attempt)).toEqual([1, 1]);
  for (const delivery of redriven) await delivery.ack();
}

async function durableOptions(scene: Scene): Promise<void> {
  const log = await filled(scene, 1);
  const durable = { durable: "d", from: "first", leaseMs: 5_000, maxAttempts: 3 } as const;
  const subscription = await log.subscribe({ ...durable, filter: "s.>" });
  await subscription[Symbol.asyncDispose]();
  await rejection(log.subscribe({ ...durable, leaseMs: 6_000 }), "conflict");
  await rejection(log.subscribe({ ...durable, maxAttempts: 4 }), "conflict");
  await rejection(log.subscribe({ ...durable, filter: "t.>" }), "conflict");
  expect(seqs(await consume(log, 1, { durable: "d" }))).toEqual([1]);
}

async function undecodable(scene: Scene): Promise<void> {
  const log = await scene.bus.log<number>(scene.name());
  const broken = await (await scene.connect({ codec: brokenJson })).log(log.name);
  await broken.append("s", "whatever");
  await log.append("s", 1);
  const refused: unknown[] = [];
  const subscription = scene.own(
    await log.subscribe({ durable: "d", from: "first", invalid: (message) => refused.push(message.data) }),
  );
  const delivery = await next(subscription[Symbol.asyncIterator]());
  expect(delivery.data).toBe(1);
  await delivery.ack();
  const dead = await eventually("the dead letter", async () => {
    const letters = await log.deadLetters("d");
    return letters.length > 0 && letters;
  });
  expect(dead.map((letter) => letter.error.code)).toEqual(["codec"]);
  expect(refused).toEqual([brokenBytes]);
}

async function naks(scene: Scene): Promise<void> {
  const log = await filled(scene, 2);
  const deliveries = collect(scene.own(await log.subscribe({ durable: "d", from: "first" })));
  await deliveries.atLeast(2);
  await deliveries.items[0]!.nak();
  await deliveries.atLeast(3);
  expect(deliveries.items[2]).toMatchObject({ seq: 1, attempt: 2 });
  for (const delivery of deliveries.items.slice(1)) await delivery.ack();
}

export const logDurableClauses: readonly Clause[] = [
  clause("durable/resume", "a durable resumes where its members left off, whoever they are", resumes),
  clause("durable/from", "a new durable begins at new, or where it is told", beginsAtNew),
  clause("durable/independent", "what one durable does leaves the others where they are", independent),
  clause("durable/members", "members share the entries, each handled once", membersShare),
  clause("durable/order", "one member gets every entry, in order, without holes", oneMemberInOrder),
  clause("durable/filter", "a filter picks the durable's subjects", filtered),
  clause("durable/lease", "what is not acknowledged in time comes again; a late ack is stale", leaseRunsOut),
  clause("durable/nak", "what is given back comes again with its attempt counted", naks),
  clause("durable/dead-letters", "rejected or failed too often: dead once, with the reason; redriven afresh", deadOnce),
  clause(
    "durable/options",
    "options of a durable that exists: left out they stay, different they conflict",
    durableOptions,
  ),
  clause("durable/undecodable", "what cannot be decoded goes to the dead letters and to `invalid`", undecodable),
];
