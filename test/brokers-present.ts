import { installBrokers } from "@quadrant/testkit/brokers";

/** Once before all tests of a run: on a machine that has no broker and can install them, they are installed. */
export default function setup(): Promise<void> {
  return installBrokers(["nats", "redis"]);
}
