import { expect, it } from "vitest";
import { startBroker } from "./start.ts";

it("a broker tells the process that it runs in, another one after a restart, none when it is killed", async () => {
  const broker = await startBroker("zeromq");
  const { pid } = broker;
  expect(pid).toBeGreaterThan(0);
  await broker.restart();
  expect(broker.pid).toBeGreaterThan(0);
  expect(broker.pid).not.toBe(pid);
  await broker.kill();
  expect(broker.pid).toBeUndefined();
});
