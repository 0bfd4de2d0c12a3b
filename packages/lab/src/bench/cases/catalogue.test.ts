/** Every benchmark runs, in miniature: what it finds has the right shape. How quick anything was is not asked. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { percentileUs } from "../latency.ts";
import { run } from "../run.ts";
import { installPeers } from "../ways/peers.ts";
import { catalogue } from "./catalogue.ts";

const scale = { warmUpMs: 20, measuredMs: 60, divisor: 1_000 };
const progress = { measuring: () => undefined, measured: () => undefined };

describe.each(catalogue)("$name", (each) => {
  it("runs, and loses nothing", { timeout: 240_000 }, async () => {
    const result = await run({ cases: [each], rounds: 1, quick: true, scale, command: "", progress });
    for (const { name: group, unit, variants } of result.cases[0]!.groups) {
      expect(unit).not.toBe("");
      for (const { name, rounds, unavailable, lost, value, ratio } of variants) {
        const where = `${group}: ${name}`;
        expect(unavailable, where).toBeUndefined();
        expect(lost, where).toBe(0);
        expect(value!.median, where).toBeGreaterThan(0);
        if (ratio !== undefined) expect(ratio.median, where).toBeGreaterThan(0);
        for (const { latency } of rounds) {
          if (latency !== undefined) expect(percentileUs(latency, 50), where).toBeGreaterThan(0);
        }
      }
    }
  });
});

it("the peers' package keeps to the types", { timeout: 120_000 }, async () => {
  await installPeers();
  const tsc = fileURLToPath(import.meta.resolve("typescript/package.json")).replace("package.json", "bin/tsc");
  const peers = fileURLToPath(new URL("../../../../../.peers", import.meta.url));
  await promisify(execFile)(process.execPath, [tsc, "-p", peers]);
});

it("every group has a baseline, names are unique, and bars say what they are of", () => {
  for (const each of catalogue) {
    const groups = each.groups({ ...scale, divisor: 1 });
    expect(new Set(groups.map(({ name }) => name)).size).toBe(groups.length);
    for (const { variants } of groups) {
      expect(new Set(variants.map(({ name }) => name)).size).toBe(variants.length);
      expect(variants[0]!.bars?.some(({ of }) => of === "ratio") ?? false).toBe(false);
      for (const bar of variants.flatMap(({ bars = [] }) => bars)) {
        expect(bar.atLeast ?? bar.atMost).toBeGreaterThan(0);
      }
    }
  }
});
