/** Moleculer as its documentation uses it: events and actions over a transporter, NATS or Redis by the URL. */
import { ServiceBroker } from "moleculer";
import type { Errand } from "../../packages/lab/src/bench/caller.ts";
import type { OpenInlet } from "../../packages/lab/src/bench/consumer.ts";
import { indexOf, type Payload, payloadMaker } from "../../packages/lab/src/bench/payload.ts";
import type { Outlet } from "../../packages/lab/src/bench/producer.ts";

const waitMs = 30_000;
const event = "bench.order";

function brokerOf(url: string, nodeID: string): ServiceBroker {
  const { protocol, hostname, port } = new URL(url);
  const transporter =
    protocol === "redis:"
      ? ({ type: "Redis", options: { host: hostname, port: Number(port) } } as const)
      : ({ type: "NATS", options: { url } } as const);
  return new ServiceBroker({ nodeID, transporter, logger: false, requestTimeout: waitMs });
}

/** `emit`, which sends to one node of each service that listens: there is one. */
export async function emitting(url: string): Promise<Outlet & { joined(): Promise<unknown> }> {
  const broker = brokerOf(url, "producer");
  await broker.start();
  return {
    // Events go to the nodes that it knows: to nobody while the consumer has not made itself known.
    joined: () => broker.waitForServices("consumer", waitMs),
    put: (payload) => broker.emit(event, payload),
    close: () => broker.stop(),
  };
}

export function listening(url: string): OpenInlet {
  return async (consumer) => {
    const broker = brokerOf(url, "consumer");
    broker.createService({
      name: "consumer",
      events: {
        [event]: ({ params }: { params: Payload }) => {
          if (consumer.take(params)) consumer.settle();
        },
      },
    });
    await broker.start();
    return { close: () => broker.stop() };
  };
}

export async function serving(url: string): Promise<void> {
  const broker = brokerOf(url, "server");
  broker.createService({ name: "bench", actions: { echo: ({ params }: { params: Payload }) => params } });
  await broker.start();
}

export async function calls(url: string, bytes: number): Promise<Errand> {
  const broker = brokerOf(url, "caller");
  await broker.start();
  await broker.waitForServices("bench", waitMs);
  const make = payloadMaker(bytes);
  return {
    operations: 1,
    run: async (index) => {
      if (indexOf(await broker.call("bench.echo", make(index))) !== index) throw new Error("another's answer");
    },
    close: () => broker.stop(),
  };
}
