import { startBroker } from "@quadrant/testkit/brokers";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    readonly brokerUrl: string;
  }
}

/** One broker for all tests of a run: its URL is what they get by `inject("brokerUrl")`. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const broker = await startBroker("zeromq");
  project.provide("brokerUrl", broker.url);
  return () => broker[Symbol.asyncDispose]();
}
