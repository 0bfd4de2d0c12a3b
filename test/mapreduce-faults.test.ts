import { describe, expect, it } from "vitest";
import { runOf, runWithFaults } from "./campaigns/mapreduce.ts";

/** The short form of `npm run campaign:mapreduce`: one run over each broker, each with another coupling, half of them over the bus. */
describe("a job while its roles and its broker are killed and stopped at random", () => {
  it.each([
    ["zeromq", 7],
    ["nats", 4],
    ["redis", 1],
  ] as const)("over %s, seed %d: the bytes of the reference", { timeout: 300_000 }, async (broker, seed) => {
    const report = await runWithFaults(runOf(broker, seed, 4));
    expect(report).toMatchObject({ outcome: "done", identical: true });
  });
});
