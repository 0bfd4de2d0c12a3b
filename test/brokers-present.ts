import { installBrokers } from "@quadrant/testkit/brokers";
import { installChromium } from "./dashboard/chromium.ts";

/** Once before all tests of a run: on a machine that has no broker, or no browser, and can install them, they are installed. */
export default async function setup(): Promise<void> {
  await installBrokers(["nats", "redis"]);
  await installChromium();
}
