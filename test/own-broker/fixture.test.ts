import { connect } from "@quadrant/bus";
import { startBroker } from "@quadrant/testkit/brokers";
import { test as base, expect } from "vitest";
import { confirmOrders, type Order } from "./orders.ts";

const test = base
  // biome-ignore lint/correctness/noEmptyPattern: Vitest reads from the pattern what a fixture needs; this one needs nothing.
  .extend("broker", { scope: "file" }, async ({}, { onCleanup }) => {
    const broker = await startBroker("zeromq", { durable: true });
    onCleanup(() => broker[Symbol.asyncDispose]());
    return broker;
  })
  .extend("bus", async ({ broker }, { onCleanup }) => {
    const bus = await connect(broker.url, broker.options);
    onCleanup(() => bus.close());
    return bus;
  });

test("an order is confirmed although the broker was killed before it was looked at", async ({ broker, bus }) => {
  const confirmed = await bus.subscribe<number>("confirmed.bob");
  const orders = await bus.mailbox<Order>("orders");
  await orders.send({ id: 8, customer: "bob" });
  await broker.kill();
  await broker.restart();
  await using _service = await confirmOrders(bus);
  for await (const { data } of confirmed) {
    expect(data).toBe(8);
    break;
  }
});
