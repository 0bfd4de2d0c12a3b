import { expect, test } from "vitest";
import { historyDrivers } from "./campaigns/histories.ts";
import { runRaces } from "./campaigns/races.ts";

/** The short form of `npm run campaign:races`. */
test.each(historyDrivers)(
  "a take that gives up while its tuple comes has it or leaves it there: %s",
  async (driver) => {
    const report = await runRaces({ driver, races: 2_000, seed: 8 });
    expect(report).toMatchObject({ races: 2_000, both: 0, neither: 0 });
    expect(report.taken).toBeGreaterThan(0);
    expect(report.aborted + report.timedOut).toBeGreaterThan(0);
  },
);
