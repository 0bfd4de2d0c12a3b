import { startBroker } from "@quadrant/testkit/brokers";
import { describeDriver, type Environment } from "@quadrant/testkit/suite";
import { unmetClauses } from "./unmet-clauses.ts";

async function openRedis(): Promise<Environment> {
  const broker = await startBroker("redis", { durable: "always" });
  const { url, options, version } = broker;
  return { url, options, version, broker, close: async () => broker[Symbol.asyncDispose]() };
}

describeDriver("redis:", openRedis, { scale: 0.1, exemptions: unmetClauses });
