import { expect, it } from "vitest";
import { runFailover } from "./campaigns/failover.ts";

/** The short form of `npm run campaign:failover`. */
it("three servers of NATS lose nothing of what they acknowledged when the leader of its stream is killed under load", {
  timeout: 180_000,
}, async () => {
  const report = await runFailover({ broker: "nats", kept: "entries", wanted: 1_000, putters: 16 });
  expect(report).toMatchObject({ lost: 0, twice: 0, invented: 0 });
  expect(report.acknowledged).toBeGreaterThanOrEqual(1_000);
});

it("Redis under Sentinels loses at most what it acknowledged before the new primary was there, and makes nothing up", {
  timeout: 180_000,
}, async () => {
  const report = await runFailover({ broker: "redis", kept: "letters", wanted: 1_000, putters: 16 });
  expect(report).toMatchObject({ lostLate: 0, twice: 0, invented: 0 });
  expect(report.acknowledged).toBeGreaterThanOrEqual(1_000);
});
