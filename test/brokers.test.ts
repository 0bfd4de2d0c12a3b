import { expect, it } from "vitest";
import { runBroker } from "./campaigns/brokers.ts";

const brokers = ["redis", "nats", "zeromq"] as const;

/** The short form of `npm run campaign:brokers`. */
it.each(brokers.flatMap((broker) => [[broker, "letters"] as const, [broker, "entries"] as const]))(
  "nothing acknowledged is lost while %s is killed, stopped and cut off: %s",
  async (broker, kind) => {
    const report = await runBroker({ broker, kind, wanted: 3_000, cuts: 3, stopMs: 500 });
    expect(report).toMatchObject({ lost: 0, altered: 0, resurrected: 0, flaws: [] });
    expect(report.acknowledged).toBeGreaterThanOrEqual(3_000);
    expect(report.reconnected).toBeGreaterThanOrEqual(1);
  },
);
