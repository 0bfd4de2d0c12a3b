import { describe, expect, it } from "vitest";
import { runDurability } from "./campaigns/durability.ts";
import { kinds } from "./campaigns/durability-record.ts";

const nothingWrong = { lost: 0, altered: 0, resurrected: 0, flaws: [] };

/** The short form of `npm run campaign:durability`. */
describe.each(["file", "hub"] as const)("what a %s has acknowledged", (keeper) => {
  it.each(kinds)("is there after SIGKILLs, and what was settled is not: %s", async (kind) => {
    const report = await runDurability({ kind, keeper, wanted: 1_500, kills: 3, seed: 42 });
    expect(report).toMatchObject(nothingWrong);
    expect(report.acknowledged).toBeGreaterThanOrEqual(1_500);
  });
});

const root = process.getuid?.() === 0;

describe("a disk that fills up", () => {
  if (!root) {
    it("is not to be had here: only root mounts one", () => expect(root).toBe(false));
    return;
  }
  it.each([
    ["file", "letters"],
    ["file", "entries"],
    ["hub", "tuples"],
  ] as const)(
    "refuses what it cannot hold, loses nothing, and goes on once there is room: %s, %s",
    async (keeper, kind) => {
      const report = await runDurability({ kind, keeper, wanted: 1_500, kills: 1, seed: 42, fillsUp: true });
      expect(report).toMatchObject(nothingWrong);
      expect(report.acknowledged).toBeGreaterThanOrEqual(1_500);
      expect(report.refused).toBeGreaterThan(200);
    },
  );
});
