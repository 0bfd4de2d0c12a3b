import type { Bus, Worker } from "@quadrant/bus";

export interface Order {
  readonly id: number;
  readonly customer: string;
}

/** The service under test: confirms each order that is sent to it. */
export async function confirmOrders(bus: Bus): Promise<Worker> {
  const orders = await bus.mailbox<Order>("orders");
  return orders.process(({ data }) => bus.publish(`confirmed.${data.customer}`, data.id));
}
