import { expect } from "vitest";
import { type Clause, clause } from "./clause.ts";
import { gather } from "./collected.ts";
import { eventually } from "./guard.ts";
import { range } from "./range.ts";
import { rejection } from "./rejection.ts";
import type { Scene } from "./scene.ts";

async function byMessages(scene: Scene): Promise<void> {
  const log = await scene.bus.log<number>(scene.name(), { maxMessages: 5 });
  for (const n of range(12)) await log.append("s", n);
  expect(await log.info()).toMatchObject({ first: 8, last: 12, count: 5 });
  const entries = await gather(log.read({ to: "end" }));
  expect(entries.map((entry) => entry.seq)).toEqual([8, 9, 10, 11, 12]);
}

async function byBytes(scene: Scene): Promise<void> {
  const log = await scene.bus.log<string>(scene.name(), { maxBytes: 10_000 });
  for (const n of range(30)) await log.append("s", `${n}`.padEnd(1_000, "x"));
  const info = await log.info();
  expect(info.last).toBe(30);
  expect(info.bytes).toBeLessThanOrEqual(10_000);
  expect(info.count).toBeGreaterThan(0);
  expect(info.count).toBeLessThan(12);
  const entries = await gather(log.read({ to: "end" }));
  expect(entries.map((entry) => entry.seq)).toEqual(range(info.count).map((n) => info.first + n));
}

async function byAge(scene: Scene): Promise<void> {
  const log = await scene.bus.log<string>(scene.name(), { maxAgeMs: 50 });
  await log.append("s", "old");
  await eventually("the entry to be gone", async () => (await log.info()).count === 0);
  const { seq } = await log.append("s", "young");
  expect(seq).toBe(2);
  expect(await gather(log.read({ from: { seq: 2 }, to: "end" }))).toHaveLength(1);
}

async function gap(scene: Scene): Promise<void> {
  const log = await scene.bus.log<number>(scene.name(), { maxMessages: 2 });
  for (const n of range(5)) await log.append("s", n);
  await rejection(gather(log.read({ from: { seq: 1 }, to: "end" })), "gap");
  const first = await gather(log.read({ from: "first", to: "end" }));
  expect(first.map((entry) => entry.data)).toEqual([3, 4]);
}

async function overtaken(scene: Scene): Promise<void> {
  const log = await scene.bus.log<number>(scene.name(), { maxMessages: 3 });
  const early = await log.subscribe({ durable: "d", from: "first" });
  await early[Symbol.asyncDispose]();
  for (const n of range(10)) await log.append("s", n);
  const received: number[] = [];
  for await (const delivery of await log.subscribe({ durable: "d" })) {
    received.push(delivery.data);
    await delivery.ack();
    if (delivery.data === 9) break;
  }
  expect(received).toEqual([7, 8, 9]);
}

async function options(scene: Scene): Promise<void> {
  const name = scene.name();
  const log = await scene.bus.log(name, { maxMessages: 5, maxAgeMs: 60_000 });
  await rejection(scene.other.log(name, { maxMessages: 6 }), "conflict");
  await scene.other.log(name, { maxMessages: 5 });
  await scene.other.log(name);
  for (const n of range(7)) await log.append("s", n);
  expect((await log.info()).count).toBe(5);
}

export const logRetentionClauses: readonly Clause[] = [
  clause("retention/messages", "maxMessages keeps the newest", byMessages),
  clause("retention/bytes", "maxBytes keeps the newest that fit", byBytes),
  clause("retention/age", "maxAgeMs lets go of what is older; sequences go on", byAge),
  clause("retention/gap", "reading from a sequence that is no longer held is a gap", gap),
  clause("retention/durable", "a durable that retention overtook goes on with what is held", overtaken),
  clause("retention/options", "options of a log that exists: left out they stay, different they conflict", options),
];
