import { between, connect } from "@quadrant/bus";
import { startBroker } from "@quadrant/testkit/brokers";
import { Redis } from "ioredis";
import { expect, test } from "vitest";

async function fcallsOf(redis: Redis): Promise<number> {
  return Number(/cmdstat_fcall:calls=(\d+)/.exec(await redis.info("commandstats"))?.[1] ?? 0);
}

test("takers of one turn are answered by one function, each with its own, in the order of the space", async () => {
  await using broker = await startBroker("redis");
  const bus = await connect(broker.url);
  const redis = new Redis(broker.url);
  const space = await bus.space("turn");
  await space.outMany(Array.from({ length: 20 }, (_, n) => ["t", n]));
  await space.rdp(["t", Number]);
  await redis.config("RESETSTAT");
  const oldest = Array.from({ length: 16 }, () => space.in(["t", Number]));
  const others = [space.in(["t", 18]), space.in(["u"], { timeoutMs: 60_000 }), space.in(["t", Number])];
  expect((await Promise.all(oldest)).map(([, n]) => n)).toEqual(Array.from({ length: 16 }, (_, n) => n));
  expect(await others[0]).toEqual(["t", 18]);
  expect(await others[2]).toEqual(["t", 16]);
  // Two, and what may be told of arrivals meanwhile.
  expect(await fcallsOf(redis)).toBeLessThan(10);
  await space.out(["u"]);
  expect(await others[1]).toEqual(["u"]);
  expect(await space.rdAll(["t", Number])).toEqual([
    ["t", 17],
    ["t", 19],
  ]);
  redis.disconnect();
  await bus.close();
});

test("takers that make the server look at much are answered by several functions", async () => {
  await using broker = await startBroker("redis");
  const bus = await connect(broker.url);
  const redis = new Redis(broker.url);
  const space = await bus.space("much");
  const tuples = Array.from({ length: 2_600 }, (_, n) => ["t", n]);
  await space.outMany(tuples.slice(0, 1_300));
  await space.outMany(tuples.slice(1_300));
  await space.rdp(["t", Number]);
  await redis.config("RESETSTAT");
  const wanted = [2_500, 2_501, 2_502, 2_503];
  const taken = await Promise.all(wanted.map((n) => space.in(["t", between(n, n)])));
  expect(taken.map(([, n]) => n)).toEqual(wanted);
  expect(await fcallsOf(redis)).toBeGreaterThanOrEqual(wanted.length);
  redis.disconnect();
  await bus.close();
});
