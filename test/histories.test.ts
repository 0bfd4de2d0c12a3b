import { expect, test } from "vitest";
import { historyDrivers, runHistories } from "./campaigns/histories.ts";

/** The short form of `npm run campaign:histories`. */
test.each(historyDrivers)(
  "recorded histories of clients that are killed are linearizable, and nothing is lost: %s",
  { timeout: 180_000 },
  async (driver) => {
    const report = await runHistories({ driver, histories: 2, seed: 8, runMs: 500 });
    expect(report.violations.map(({ rule, message }) => `${rule}: ${message}`)).toEqual([]);
    expect(report.clientKills).toBeGreaterThan(0);
    expect(report.counts.put).toBeGreaterThan(50);
    expect(report.counts.taken).toBeGreaterThan(10);
  },
);
