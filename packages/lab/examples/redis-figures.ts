/**
 * What this driver does in a second beside the plain use of ioredis, in one process, taking turns: `node examples/redis-figures.ts
 * [part]` on Node 24, with a Redis server that it starts. Ratios of neighbours mean something, single rates little.
 */

import type { Bus, Delivery } from "@quadrant/bus";
import { connect } from "@quadrant/bus";
import { startBroker } from "@quadrant/testkit/brokers";
import { Redis } from "ioredis";

const inFlight = 64;
const body = "x".repeat(128);

type Work = () => Promise<number>;

interface Variant {
  readonly name: string;
  /** Does some of it; returns how many operations it was. */
  readonly work: Work;
}

interface Part {
  readonly name: string;
  readonly rounds: number;
  readonly variants: readonly Variant[];
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;

async function measure({ name, rounds, variants }: Part): Promise<void> {
  for (const { work } of variants) await work();
  const rates = variants.map(() => [] as number[]);
  for (let round = 0; round < rounds; round++) {
    for (const [index, { work }] of variants.entries()) {
      const started = performance.now();
      const count = await work();
      rates[index]!.push((count * 1_000) / (performance.now() - started));
    }
  }
  console.log(name);
  for (const [index, variant] of variants.entries()) {
    const ratios = rates[index]!.map((rate, round) => rate / rates[0]![round]!);
    const rate = Math.round(median(rates[index]!));
    console.log(`  ${variant.name.padEnd(58)} ${String(rate).padStart(9)}/s  ${median(ratios).toFixed(2)}x`);
  }
}

/** So many at a time, until `count` are done. */
async function pooled(count: number, width: number, one: (n: number) => Promise<unknown>): Promise<number> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await one(next++);
  };
  await Promise.all(Array.from({ length: width }, worker));
  return count;
}

async function topics(port: number, bus: Bus, other: Bus): Promise<Part> {
  const [publisher, subscriber] = [new Redis(port), new Redis(port)];
  let heard = 0;
  let wake = (): void => undefined;
  const until = (count: number): Promise<void> =>
    new Promise((resolve) => {
      wake = () => {
        if (heard >= count) resolve();
      };
      wake();
    });
  await subscriber.subscribe("naive");
  subscriber.on("message", (_channel, text) => {
    JSON.parse(text);
    heard++;
    wake();
  });
  const messages = await other.subscribe("quadrant", { buffer: 1_000_000 });
  void (async () => {
    for await (const _ of messages) {
      heard++;
      wake();
    }
  })();
  const run = async (count: number, width: number, publish: () => Promise<unknown>): Promise<number> => {
    heard = 0;
    await pooled(count, width, publish);
    await until(count);
    return count;
  };
  const naive = (): Promise<unknown> => publisher.publish("naive", JSON.stringify({ body }));
  const ours = (): Promise<unknown> => bus.publish("quadrant", { body });
  return {
    name: "publish to one subscriber, 128 bytes",
    rounds: 7,
    variants: [
      { name: `ioredis publish, ${inFlight} in flight`, work: () => run(20_000, inFlight, naive) },
      { name: `bus.publish, ${inFlight} in flight`, work: () => run(20_000, inFlight, ours) },
      { name: "ioredis publish, one awaited", work: () => run(2_000, 1, naive) },
      { name: "bus.publish, one awaited (taken by the outbox)", work: () => run(2_000, 1, ours) },
      {
        name: "bus.publish and flush, one awaited",
        work: () => run(2_000, 1, () => ours().then(() => bus.flush())),
      },
    ],
  };
}

async function calls(port: number, bus: Bus, other: Bus): Promise<Part> {
  const [caller, answers, server, requests] = Array.from({ length: 4 }, () => new Redis(port));
  const open = new Map<number, (value: unknown) => void>();
  let next = 0;
  await requests!.subscribe("naive-requests");
  requests!.on("message", (_channel, text) => {
    const { id, value } = JSON.parse(text);
    void server!.publish("naive-answers", JSON.stringify({ id, value }));
  });
  await answers!.subscribe("naive-answers");
  answers!.on("message", (_channel, text) => {
    const { id, value } = JSON.parse(text);
    open.get(id)?.(value);
    open.delete(id);
  });
  const naive = (): Promise<unknown> =>
    new Promise((resolve) => {
      const id = next++;
      open.set(id, resolve);
      void caller!.publish("naive-requests", JSON.stringify({ id, value: body }));
    });
  const service = { echo: (value: string) => value };
  await other.serve("echo", service);
  const stub = bus.client<typeof service>("echo");
  return {
    name: "call and reply, 128 bytes",
    rounds: 7,
    variants: [
      { name: `ioredis PUBLISH both ways, ${inFlight} in flight`, work: () => pooled(10_000, inFlight, naive) },
      { name: `stub, ${inFlight} in flight`, work: () => pooled(10_000, inFlight, () => stub.echo(body)) },
      { name: "ioredis PUBLISH both ways, one", work: () => pooled(1_500, 1, naive) },
      { name: "stub, one", work: () => pooled(1_500, 1, () => stub.echo(body)) },
    ],
  };
}

async function streams(redis: Redis, count: number): Promise<number> {
  for (let sent = 0; sent < count; sent += 100) {
    const pipeline = redis.pipeline();
    for (let i = 0; i < 100; i++) pipeline.xadd("naive-box", "*", "b", body);
    await pipeline.exec();
  }
  for (let taken = 0; taken < count; ) {
    const reply = (await redis.xreadgroup("GROUP", "g", "c", "COUNT", 100, "STREAMS", "naive-box", ">")) as [
      string,
      [string, string[]][],
    ][];
    const ids = reply[0]![1].map(([id]) => id);
    await redis
      .pipeline()
      .xack("naive-box", "g", ...ids)
      .xdel("naive-box", ...ids)
      .exec();
    taken += ids.length;
  }
  return count;
}

async function box(bus: Bus, other: Bus, count: number): Promise<number> {
  const sender = await bus.mailbox<string>("box");
  const receiver = await (await other.mailbox<string>("box")).receive({ maxInFlight: 200 });
  const values = Array.from({ length: 100 }, () => body);
  const sending = (async () => {
    for (let sent = 0; sent < count; sent += 100) await sender.sendMany(values);
  })();
  let left = count;
  const acks: Promise<void>[] = [];
  for await (const letter of receiver as AsyncIterable<Delivery<string>>) {
    acks.push(letter.ack());
    if (--left === 0) break;
  }
  await Promise.all([sending, ...acks]);
  return count;
}

async function mailboxes(port: number, bus: Bus, other: Bus): Promise<Part> {
  const redis = new Redis(port);
  await redis.xgroup("CREATE", "naive-box", "g", "$", "MKSTREAM");
  const lone = await bus.mailbox<string>("lone");
  return {
    name: "send, receive, acknowledge, 128 bytes",
    rounds: 7,
    variants: [
      { name: "Streams by ioredis: pipeline 100, COUNT 100, XACK and XDEL", work: () => streams(redis, 10_000) },
      { name: "mailbox: sendMany 100, receive, ack", work: () => box(bus, other, 10_000) },
      { name: "XADD by ioredis, one awaited", work: () => pooled(2_000, 1, () => redis.xadd("lone", "*", "b", body)) },
      { name: "mailbox.send, one awaited", work: () => pooled(2_000, 1, () => lone.send(body)) },
      { name: `mailbox.send, ${inFlight} in flight`, work: () => pooled(10_000, inFlight, () => lone.send(body)) },
    ],
  };
}

async function spaces(_port: number, bus: Bus): Promise<Part> {
  const variants: Variant[] = [];
  for (const size of [1_000, 10_000, 100_000, 1_000_000]) {
    if (size > Number(process.env.TUPLES ?? 100_000)) break;
    const space = await bus.space(`space${size}`);
    await space.rdp(["t", 0, String]);
    for (let from = 0; from < size; from += 1_000) {
      await space.outMany(Array.from({ length: 1_000 }, (_, n) => ["t", from + n, "value"] as const));
    }
    let at = 0;
    const takes = async (width: number, count: number): Promise<number> => {
      const first = at;
      at = (at + count) % size;
      await pooled(count, width, (n) => space.in(["t", (first + n) % size, String]));
      const back = Array.from({ length: count }, (_, n) => ["t", (first + n) % size, "value"] as const);
      await space.outMany(back);
      return count;
    };
    variants.push({
      name: `in of ${size}, ${inFlight} in flight (and outMany of as many)`,
      work: () => takes(64, 1_000),
    });
  }
  return { name: "tuple space", rounds: 9, variants };
}

const parts = { topics, calls, mailboxes, spaces };

const broker = await startBroker("redis");
const port = Number(new URL(broker.url).port);
const [bus, other] = [await connect(broker.url, broker.options), await connect(broker.url, broker.options)];
for (const [name, part] of Object.entries(parts)) {
  if (process.argv[2] === undefined || process.argv[2] === name) await measure(await part(port, bus, other));
}
await broker[Symbol.asyncDispose]();
process.exit(0);
