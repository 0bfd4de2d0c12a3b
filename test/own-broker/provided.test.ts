import { connect } from "@quadrant/bus";
import { expect, inject, test } from "vitest";
import { confirmOrders, type Order } from "./orders.ts";

test("an order is confirmed to its customer", async () => {
  await using bus = await connect(inject("brokerUrl"));
  await using _service = await confirmOrders(bus);
  const confirmed = await bus.subscribe<number>("confirmed.ann");
  const orders = await bus.mailbox<Order>("orders");
  await orders.send({ id: 7, customer: "ann" });
  for await (const { data } of confirmed) {
    expect(data).toBe(7);
    break;
  }
});
