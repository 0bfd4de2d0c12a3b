import { startBroker } from "@quadrant/testkit/brokers";
import { describeDriver, type Environment } from "@quadrant/testkit/suite";

async function openServer(): Promise<Environment> {
  const broker = await startBroker("nats");
  const { url, options, version } = broker;
  return { url, options, version, broker, close: () => broker[Symbol.asyncDispose]() };
}

describeDriver("nats:", openServer, { scale: 0.1 });
