import type { BusStatus, Message, Subscription } from "@quadrant/contract";
import { expect } from "vitest";
import { type Clause, clause } from "./clause.ts";
import { collect, next } from "./collected.ts";
import { eventually, guard } from "./guard.ts";
import { range } from "./range.ts";
import { rejection } from "./rejection.ts";
import type { Scene } from "./scene.ts";

type Overflow = "drop-oldest" | "drop-newest" | "error";

interface Flooded {
  readonly subject: string;
  readonly subscription: Subscription<Message<number>>;
}

/** A subscription with room for 8 that nobody reads, and 100 messages for it. */
async function flood(scene: Scene, overflow: Overflow | undefined): Promise<Flooded> {
  const subject = scene.name();
  const subscription = scene.own(await scene.bus.subscribe<number>(subject, { buffer: 8, overflow }));
  for (let n = 0; n < 100; n++) await scene.other.publish(subject, n);
  await scene.other.flush();
  if (overflow !== "error") await eventually("92 drops", () => subscription.dropped >= 92);
  return { subject, subscription };
}

async function take(subscription: Subscription<Message<number>>, count: number): Promise<number[]> {
  const iterator = subscription[Symbol.asyncIterator]();
  const data: number[] = [];
  while (data.length < count) data.push((await next(iterator)).data);
  return data;
}

async function dropsOldest(scene: Scene): Promise<void> {
  for (const overflow of ["drop-oldest", undefined] as const) {
    const { subscription } = await flood(scene, overflow);
    expect(await take(subscription, 8)).toEqual([92, 93, 94, 95, 96, 97, 98, 99]);
    expect(subscription.dropped).toBe(92);
  }
}

async function dropsNewest(scene: Scene): Promise<void> {
  const { subject, subscription } = await flood(scene, "drop-newest");
  const iterator = subscription[Symbol.asyncIterator]();
  for (let n = 0; n < 8; n++) expect((await next(iterator)).data).toBe(n);
  expect(subscription.dropped).toBe(92);
  await scene.other.publish(subject, 100);
  expect((await next(iterator)).data).toBe(100);
}

async function endsInError(scene: Scene): Promise<void> {
  const { subject, subscription } = await flood(scene, "error");
  const witness = scene.own(await scene.bus.subscribe<number>(subject));
  await scene.other.publish(subject, 100);
  expect((await next(witness[Symbol.asyncIterator]())).data).toBe(100);
  const messages = collect(subscription);
  await rejection(messages.ended, "overflow");
  expect(messages.items.map((message) => message.data)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
}

async function isolated(scene: Scene): Promise<void> {
  const subject = scene.name();
  const slow = scene.own(await scene.bus.subscribe<number>(subject, { buffer: 16 }));
  const fast = scene.own(await scene.other.subscribe<number>(subject, { buffer: 8_192 }));
  const received = collect(fast);
  const publisher = await scene.connect();
  for (let n = 0; n < 2_000; n++) await publisher.publish(subject, n);
  await received.atLeast(2_000);
  expect(fast.dropped).toBe(0);
  expect(received.items.map((message) => message.data)).toEqual(range(2_000));
  await eventually("all that the slow one lost", () => slow.dropped >= 1_984);
  expect(await take(slow, 16)).toEqual(range(16).map((n) => 1_984 + n));
}

async function accounts(scene: Scene): Promise<void> {
  const subject = scene.name();
  const subscription = scene.own(await scene.bus.subscribe<number>(subject, { buffer: 32 }));
  let delivered = 0;
  const reading = (async () => {
    for await (const message of subscription) {
      delivered++;
      if (message.data === -1) break;
      // Slower than the publisher: a turn of the loop for each message.
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  const count = 5_000;
  await Promise.all(range(count).map((n) => scene.other.publish(subject, n)));
  await scene.other.publish(subject, -1);
  await guard(reading, "the marker");
  expect(delivered + subscription.dropped).toBe(count + 1);
}

async function reported(scene: Scene): Promise<void> {
  const bus = await scene.connect();
  const statuses = collect<BusStatus>(bus.status());
  const subject = scene.name();
  const subscription = scene.own(await bus.subscribe(subject, { buffer: 1 }));
  for (let n = 0; n < 20; n++) await scene.other.publish(subject, n);
  await statuses.until("slow-consumer", (items) => items.some((status) => status.kind === "slow-consumer"));
  await eventually("19 drops", () => subscription.dropped === 19);
}

export const pubsubOverflowClauses: readonly Clause[] = [
  clause("overflow/drop-oldest", "by default a full buffer loses its oldest, counted", dropsOldest),
  clause("overflow/drop-newest", "drop-newest keeps the first and counts the rest", dropsNewest),
  clause("overflow/error", "error ends the subscription with overflow, after what it held", endsInError),
  clause("overflow/isolation", "a subscriber that does not read costs the others nothing", isolated),
  clause("overflow/accounting", "published is delivered plus dropped", accounts),
  clause("overflow/status", "drops are reported as slow-consumer", reported),
];
