import { expect, it } from "vitest";
import { runTakeover, successors } from "./campaigns/takeover.ts";

/** The short form of `npm run campaign:takeover`. */
it.each(successors)(
  "a tuple space on NATS whose owner is killed goes on with another owner, nothing lost and nothing twice: %s",
  { timeout: 120_000 },
  async (successor) => {
    const report = await runTakeover(10_000, successor);
    expect(report).toMatchObject({ lost: 0, twice: 0, invented: 0 });
    expect(report.put).toBeGreaterThan(100);
    expect(report.taken).toBeGreaterThan(100);
  },
);
