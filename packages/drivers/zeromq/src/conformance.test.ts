import { startBroker } from "@quadrant/testkit/brokers";
import { describeDriver, type Environment } from "@quadrant/testkit/suite";

async function openHub(): Promise<Environment> {
  const broker = await startBroker("zeromq");
  return { url: broker.url, broker, close: () => broker.kill() };
}

describeDriver("zmq:", openHub, {
  scale: 0.1,
  notDurable: "this hub holds everything in memory",
});
