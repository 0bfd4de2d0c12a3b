import { startBroker } from "@quadrant/testkit/brokers";
import { describeDriver, type Environment } from "@quadrant/testkit/suite";

async function openHub(): Promise<Environment> {
  const broker = await startBroker("zeromq", { durable: true });
  return { url: broker.url, broker, close: async () => await broker[Symbol.asyncDispose]() };
}

describeDriver("zmq: with a durable hub", openHub, { scale: 0.1 });
