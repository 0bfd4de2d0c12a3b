/** What is sent over NATS without Quadrant: @nats-io as its documentation uses it. */
import { AckPolicy, type JetStreamClient, jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import type { Errand } from "../caller.ts";
import type { OpenInlet } from "../consumer.ts";
import { indexOf, payloadMaker } from "../payload.ts";
import type { Outlet } from "../producer.ts";

const subject = "raw.orders";
const service = "raw.echo";
const stream = "RAW";
const worker = "worker";
/** What a consumer may hold at once. */
const batch = 1_000;
const waitMs = 30_000;

function dial(url: string): Promise<NatsConnection> {
  return connect({ servers: url });
}

/** A consumer that cannot go on must not look like a slow one. */
function fail(error: unknown): void {
  setImmediate(() => {
    throw error;
  });
}

/** Publishes without waiting: the client gathers what is published in one turn by itself. */
export async function natsPublishing(url: string): Promise<Outlet> {
  const connection = await dial(url);
  const accepted = Promise.resolve();
  return {
    put: (payload) => {
      connection.publish(subject, JSON.stringify(payload));
      return accepted;
    },
    close: () => connection.close(),
  };
}

export function natsSubscribing(url: string): OpenInlet {
  return async (consumer) => {
    const connection = await dial(url);
    connection.subscribe(subject, {
      callback: (error, message) => {
        if (error !== null) fail(error);
        else if (consumer.take(message.json())) consumer.settle();
      },
    });
    await connection.flush();
    return { close: () => connection.close() };
  };
}

async function openStream(connection: NatsConnection): Promise<JetStreamClient> {
  const manager = await jetstreamManager(connection);
  await manager.streams.add({ name: stream, subjects: [subject] });
  return jetstream(connection);
}

/** `js.publish`, each acknowledged by the server. */
export async function natsStoring(url: string): Promise<Outlet> {
  const connection = await dial(url);
  const client = await openStream(connection);
  return {
    put: (payload) => client.publish(subject, JSON.stringify(payload)),
    close: () => connection.close(),
  };
}

/** `consume`, and an acknowledgement for each message, sent and not confirmed. */
export function natsConsuming(url: string): OpenInlet {
  return async (consumer) => {
    const connection = await dial(url);
    const client = await openStream(connection);
    const manager = await jetstreamManager(connection);
    await manager.consumers.add(stream, { durable_name: worker, ack_policy: AckPolicy.Explicit });
    const messages = await (await client.consumers.get(stream, worker)).consume({ max_messages: batch });
    const reading = (async () => {
      for await (const message of messages) {
        const isNew = consumer.take(message.json());
        message.ack();
        if (isNew) consumer.settle();
      }
    })();
    reading.catch(fail);
    return {
      close: async () => {
        await messages.close();
        await connection.close();
      },
    };
  };
}

export async function natsServing(url: string): Promise<void> {
  const connection = await dial(url);
  connection.subscribe(service, {
    callback: (error, message) => {
      if (error !== null) fail(error);
      else message.respond(JSON.stringify(message.json()));
    },
  });
  await connection.flush();
}

export async function natsRequests(url: string, bytes: number): Promise<Errand> {
  const connection = await dial(url);
  const make = payloadMaker(bytes);
  return {
    operations: 1,
    run: async (index) => {
      const answer = await connection.request(service, JSON.stringify(make(index)), { timeout: waitMs });
      if (indexOf(answer.json()) !== index) throw new Error("an answer to another request");
    },
    close: () => connection.close(),
  };
}

/** One append to a stream, acknowledged. */
export async function natsAppends(url: string, bytes: number): Promise<Errand> {
  const outlet = await natsStoring(url);
  const make = payloadMaker(bytes);
  return { operations: 1, run: (index) => outlet.put(make(index)), close: () => outlet.close() };
}
