import { expect, test } from "vitest";
import { runFramesToClient } from "./campaigns/frames-to-client.ts";
import { runFramesToHub } from "./campaigns/frames-to-hub.ts";

// The short form of `npm run fuzz:wire`.
const frames = 20_000;
const seed = 20_260_801;
const growthBytes = 512 * 1024 * 1024;

test("mutated frames end no hub: good messages between them are delivered, memory is bounded, all is counted", async () => {
  const report = await runFramesToHub({ frames, seed });
  expect(report).toMatchObject({ frames, crashed: false, delivered: report.good });
  expect(report.good).toBeGreaterThan(3);
  expect(report.mostBytes - report.firstBytes).toBeLessThan(growthBytes);
  const { dropped } = report.counters as { dropped: Readonly<Record<string, number>> };
  for (const kind of ["notPackets", "manyParts", "records", "gaps", "repeated", "strays"]) {
    expect(dropped[kind], kind).toBeGreaterThan(0);
  }
}, 300_000);

test("nor a client: good messages between them arrive, memory is bounded, what is malformed is counted", async () => {
  const report = await runFramesToClient({ frames, seed });
  expect(report).toMatchObject({ frames, crashed: false, delivered: report.good });
  expect(report.good).toBeGreaterThan(10);
  expect(report.mostBytes - report.firstBytes).toBeLessThan(growthBytes);
  expect((report.counters as { client: { malformed: number } }).client.malformed).toBeGreaterThan(0);
}, 300_000);
