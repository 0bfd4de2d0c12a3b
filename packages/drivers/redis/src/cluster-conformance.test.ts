import { startBroker } from "@quadrant/testkit/brokers";
import { describeDriver, type Environment } from "@quadrant/testkit/suite";
import { unmetClauses } from "./unmet-clauses.ts";

async function openCluster(): Promise<Environment> {
  const broker = await startBroker("redis", { cluster: "sharded", durable: "always" });
  const { url, options, version } = broker;
  return { url, options, version, broker, close: async () => broker[Symbol.asyncDispose]() };
}

describeDriver("redis+cluster:", openCluster, { scale: 0.05, exemptions: unmetClauses });
