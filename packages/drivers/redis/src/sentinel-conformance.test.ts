import { startBroker } from "@quadrant/testkit/brokers";
import { describeDriver, type Environment } from "@quadrant/testkit/suite";
import { unmetClauses } from "./unmet-clauses.ts";

async function openSentinels(): Promise<Environment> {
  const broker = await startBroker("redis", { cluster: true, durable: "always" });
  const { url, options, version } = broker;
  return { url, options, version, close: async () => broker[Symbol.asyncDispose]() };
}

describeDriver("redis+sentinel:", openSentinels, {
  scale: 0.05,
  exemptions: unmetClauses,
  noBroker: "a failover loses what the replica did not have yet: see failover.test.ts",
});
