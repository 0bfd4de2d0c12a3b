import { connect } from "@quadrant/bus";
import { startBroker } from "@quadrant/testkit/brokers";
import { Redis } from "ioredis";
import { expect, test } from "vitest";
import { spaceKey } from "./names.ts";
import type { Script } from "./scripts/script.ts";
import { tickSpace, tuplesArrived } from "./scripts/space-leases.ts";
import { answerTakers } from "./scripts/spaces.ts";

test("what a taker that is gone for long never said to have got comes back to its place; what it got does not", async () => {
  await using broker = await startBroker("redis");
  const bus = await connect(broker.url);
  const redis = new Redis(Number(new URL(broker.url).port));
  const key = spaceKey("hands");
  const call = (script: Script, ...values: (string | number)[]): Promise<unknown> =>
    redis.call("FCALL", `${script.library.hash}_${script.name}`, 1, key, ...values);
  const space = await bus.space("hands");
  for (const n of [1, 2, 3]) await space.out(["t", n]);
  // A client that nobody hears: place, number, not again; what it takes, not waiting, under which name.
  const take = (place: number, serial: number, again: string): Promise<unknown> =>
    call(answerTakers, `Sgone:${place}`, serial, again, "in", "A2:2:st2:kn", "0", `Sgone.${place}`, 0, "0");
  const [first] = [await take(0, 1, "0"), await take(1, 2, "0")];
  expect(await space.rdAll(["t", Number])).toEqual([["t", 3]]);
  // Asked again it is the same.
  expect(await take(0, 1, "1")).toEqual(first);
  await call(tuplesArrived, "Sgone:1", 2);
  await call(tickSpace, "1");
  expect(await space.count(["t", Number])).toBe(1);
  await redis.hset(`${key}:hg`, "Sgone", Date.now() - 60_000);
  await call(tickSpace, "1");
  expect(await space.rdAll(["t", Number])).toEqual([
    ["t", 1],
    ["t", 3],
  ]);
  redis.disconnect();
  await bus.close();
});
