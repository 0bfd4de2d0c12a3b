import type { Driver, Leased, QueueLetter } from "@quadrant/contract";
import { type StartedBroker, startBroker } from "@quadrant/testkit/brokers";
import { Redis } from "ioredis";
import { afterAll, beforeAll, expect, test } from "vitest";
import { open } from "./driver.ts";
import { mailboxKey } from "./names.ts";

const options = {
  name: "packs",
  timeoutMs: 10_000,
  requestTimeoutMs: 10_000,
  maxPayloadBytes: 1_048_576,
  outboxBytes: 1_048_576,
};
const lasting = 60_000;

let broker: StartedBroker;
let driver: Driver;
let redis: Redis;

beforeAll(async () => {
  broker = await startBroker("redis");
  driver = await open(new URL(broker.url), options);
  redis = new Redis(broker.url);
});

afterAll(async () => {
  redis?.disconnect();
  await driver?.close(0);
  await broker?.[Symbol.asyncDispose]();
});

function letter(n: number, more: Partial<QueueLetter> = {}): QueueLetter {
  return { id: `id${n}`, dedupe: false, headers: {}, contentType: "t", body: Buffer.from(String(n)), ...more };
}

const letters = (count: number, from = 0): QueueLetter[] => Array.from({ length: count }, (_, n) => letter(from + n));
const bodies = (leased: readonly { readonly body: Uint8Array }[]): number[] =>
  leased.map(({ body }) => Number(Buffer.from(body).toString()));
const numbers = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, n) => from + n);

async function mailbox(address: string, capacity?: number) {
  const queues = driver.queues!;
  await queues.open(address, { leaseMs: lasting, maxAttempts: 3, capacity });
  return {
    send: (all: readonly QueueLetter[]) => queues.send(address, all),
    fetch: (max: number, leaseMs = lasting) => queues.fetch(address, { max, leaseMs }),
    settle: (kind: "ack" | "release", leased: readonly Leased[]) =>
      queues.settle(
        address,
        leased.map(({ token }) => ({ kind, token })),
      ),
    nak: (leased: readonly Leased[]) =>
      queues.settle(
        address,
        leased.map(({ token }) => ({ kind: "nak" as const, token, delayMs: 0 })),
      ),
    extend: (leased: readonly Leased[], leaseMs: number) =>
      queues.settle(
        address,
        leased.map(({ token }) => ({ kind: "extend" as const, token, leaseMs })),
      ),
    info: () => queues.info(address),
    peek: (limit: number) => queues.peek(address, limit),
    purge: () => queues.purge(address),
    /** What is kept of packs on the server: packs, packs that are lent, letters in them, letters of them that are lent. */
    kept: async () => {
      const key = mailboxKey(address);
      const [all, lent] = await redis.hmget(`${key}:o`, "pl", "ph");
      return [await redis.hlen(`${key}:p`), await redis.hlen(`${key}:g`), Number(all), Number(lent)];
    },
  };
}

const nothing = { waiting: 0, held: 0, delayed: 0, dead: 0 };
const inTime = (count: number): undefined[] => new Array(count).fill(undefined);

test("letters sent together are kept, lent and settled as one", async () => {
  const box = await mailbox("whole");
  await box.send(letters(50));
  expect(await box.kept()).toEqual([1, 0, 50, 0]);
  const leased = await box.fetch(100);
  expect(bodies(leased)).toEqual(numbers(0, 50));
  expect(await box.kept()).toEqual([1, 1, 50, 50]);
  expect(await box.info()).toEqual({ ...nothing, held: 50 });
  expect(await box.settle("ack", leased)).toEqual(inTime(50));
  expect(await box.kept()).toEqual([0, 0, 0, 0]);
  expect(await box.info()).toEqual(nothing);
  expect((await box.settle("ack", leased)).map((each) => each?.code)).toEqual(new Array(50).fill("stale"));
});

test("who wants fewer gets the first of them; the others stay in order, with what was sent by itself between", async () => {
  const box = await mailbox("cut");
  await box.send([...letters(7), letter(7, { ttlMs: lasting }), ...letters(7, 8)]);
  const got: number[] = [];
  while (got.length < 15) {
    const leased = await box.fetch(3);
    expect(leased.length).toBeLessThanOrEqual(3);
    got.push(...bodies(leased));
    await box.settle("ack", leased);
  }
  expect(got).toEqual(numbers(0, 15));
  expect(await box.kept()).toEqual([0, 0, 0, 0]);
  expect(await box.info()).toEqual(nothing);
});

test("letters of a pack are settled in any order, each in its own way", async () => {
  const box = await mailbox("ways");
  await box.send(letters(10));
  const leased = await box.fetch(10);
  await box.settle("ack", [leased[8]!, leased[1]!, leased[2]!]);
  await box.nak([leased[4]!]);
  await box.settle("release", [leased[6]!]);
  expect(await box.info()).toEqual({ ...nothing, waiting: 2, held: 5 });
  expect((await box.settle("ack", [leased[3]!, leased[4]!, leased[5]!, leased[1]!])).map((each) => each?.code)).toEqual(
    [undefined, "stale", undefined, "stale"],
  );
  const again = await box.fetch(10);
  expect(again.map(({ attempt }) => attempt)).toEqual([2, 1]);
  expect(bodies(again)).toEqual([4, 6]);
  await box.settle("ack", [...again, leased[0]!, leased[7]!, leased[9]!]);
  expect(await box.kept()).toEqual([0, 0, 0, 0]);
  expect(await box.info()).toEqual(nothing);
});

test("when the lease of a pack ends, what is held of it comes again, a letter at a time", async () => {
  const box = await mailbox("lapse");
  await box.send(letters(6));
  const leased = await box.fetch(6, 30);
  await box.settle("ack", [leased[2]!]);
  const again = await box.fetch(6);
  expect(bodies(again)).toEqual([0, 1, 3, 4, 5]);
  expect(again.every(({ attempt }) => attempt === 2)).toBe(true);
  const late = await box.settle("ack", [leased[0]!, leased[1]!, leased[5]!]);
  expect(late.map((each) => each?.code)).toEqual(["stale", "stale", "stale"]);
  expect(await box.settle("ack", again)).toEqual(inTime(5));
  expect(await box.info()).toEqual(nothing);
});

test("letters whose lease is extended keep it when that of the others in their pack ends", async () => {
  const box = await mailbox("extend");
  await box.send(letters(5));
  const leased = await box.fetch(5, 50);
  const [kept, lost] = [
    [leased[1]!, leased[2]!],
    [leased[0]!, leased[3]!, leased[4]!],
  ];
  expect(await box.extend(kept, lasting)).toEqual(inTime(2));
  const again = await box.fetch(5);
  expect(bodies(again)).toEqual([0, 3, 4]);
  expect(await box.settle("ack", kept)).toEqual(inTime(2));
  expect((await box.settle("ack", lost)).map((each) => each?.code)).toEqual(["stale", "stale", "stale"]);
  expect(await box.settle("ack", again)).toEqual(inTime(3));
  await box.send(letters(5, 10));
  const whole = await box.fetch(5, 50);
  expect(await box.extend(whole, lasting)).toEqual(inTime(5));
  expect(await box.kept()).toEqual([1, 1, 5, 5]);
  await box.settle("ack", whole);
  expect(await box.info()).toEqual(nothing);
});

test("a mailbox takes as many of them as there is room for", async () => {
  const box = await mailbox("room", 5);
  const outcomes = await box.send(letters(8));
  expect(outcomes.map((each) => ("error" in each ? each.error.code : "sent"))).toEqual([
    ...new Array(5).fill("sent"),
    ...new Array(3).fill("overflow"),
  ]);
  const leased = await box.fetch(10);
  expect(bodies(leased)).toEqual(numbers(0, 5));
  await box.settle("ack", leased);
});

test("packs can be looked into and purged, those that are lent excepted", async () => {
  const box = await mailbox("look");
  await box.send(letters(4));
  const leased = await box.fetch(4);
  await box.send(letters(4, 4));
  await box.settle("ack", [leased[0]!]);
  const seen = await box.peek(6);
  expect(bodies(seen)).toEqual([1, 2, 3, 4, 5, 6]);
  expect(seen.map(({ attempt }) => attempt)).toEqual([1, 1, 1, 0, 0, 0]);
  expect(await box.purge()).toBe(4);
  expect(await box.info()).toEqual({ ...nothing, held: 3 });
  await box.settle("ack", leased.slice(1));
  expect(await box.kept()).toEqual([0, 0, 0, 0]);
});

test("a delayed letter comes after what could be had before it was due", async () => {
  const box = await mailbox("due");
  await box.send([letter(0, { delayMs: 90 }), letter(1, { delayMs: 40 }), ...letters(3, 2)]);
  await expect.poll(async () => (await box.info()).delayed).toBe(0);
  expect(bodies(await box.fetch(10))).toEqual([2, 3, 4, 1, 0]);
});

test("what was put back comes before packs that were sent after it", async () => {
  const box = await mailbox("back");
  await box.send(letters(3));
  const leased = await box.fetch(3);
  await box.send(letters(5, 3));
  await box.nak([leased[2]!, leased[0]!]);
  await box.settle("ack", [leased[1]!]);
  expect(bodies(await box.fetch(4))).toEqual([0, 2, 3, 4]);
  expect(bodies(await box.fetch(4))).toEqual([5, 6, 7]);
});
