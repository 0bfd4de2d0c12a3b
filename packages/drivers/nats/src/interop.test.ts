import { type Bus, BusError, bytes, connect } from "@quadrant/bus";
import { type StartedBroker, startBroker } from "@quadrant/testkit/brokers";
import { AckPolicy, connect as connectPlain, DeliverPolicy, headers, type NatsConnection, StringCodec } from "nats";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const text = StringCodec();
let broker: StartedBroker;
let bus: Bus;
let plain: NatsConnection;
let named = 0;

const name = (): string => `interop${named++}`;

beforeAll(async () => {
  broker = await startBroker("nats");
  bus = await connect(broker.url, broker.options);
  plain = await connectPlain({ servers: new URL(broker.url).host });
});

afterAll(async () => {
  await plain?.close();
  await bus?.close({ drainMs: 500 });
  await broker?.[Symbol.asyncDispose]();
});

describe("another NATS client", () => {
  it("gets what is published as an ordinary message", async () => {
    const subject = `${name()}.a`;
    const subscription = plain.subscribe(subject, { max: 1 });
    await plain.flush();
    await bus.publish(subject, { n: 1 }, { headers: { "x-kind": "test" } });
    for await (const message of subscription) {
      expect(message.subject).toBe(subject);
      expect(message.json()).toEqual({ n: 1 });
      expect(message.headers?.get("x-kind")).toBe("test");
      expect(message.headers?.get("Content-Type")).toBe("application/json");
    }
  });

  it("publishes what is received, with headers and without", async () => {
    const subject = name();
    const iterator = (await bus.subscribe(subject))[Symbol.asyncIterator]();
    plain.publish(subject, text.encode('{"n":1}'));
    const map = headers();
    map.set("x-kind", "test");
    plain.publish(subject, text.encode("2"), { headers: map });
    expect((await iterator.next()).value).toMatchObject({ subject, data: { n: 1 }, headers: {} });
    expect((await iterator.next()).value).toMatchObject({ data: 2, headers: { "x-kind": "test" } });
    await iterator.return?.();
  });

  it("publishes bytes that are no JSON", async () => {
    const subject = name();
    const raw = await connect(broker.url, { ...broker.options, codec: bytes });
    const iterator = (await raw.subscribe(subject))[Symbol.asyncIterator]();
    plain.publish(subject, new Uint8Array([0, 255]));
    expect((await iterator.next()).value?.data).toEqual(new Uint8Array([0, 255]));
    await raw.close();
  });

  it("shares a queue group with subscribers here", async () => {
    const subject = name();
    const own: number[] = [];
    const theirs: number[] = [];
    const subscription = await bus.subscribe<number>(subject, { group: "g" });
    const loop = (async () => {
      for await (const message of subscription) own.push(message.data);
    })();
    plain.subscribe(subject, { queue: "g", callback: (_, message) => theirs.push(message.json()) });
    await plain.flush();
    for (let n = 0; n < 200; n++) await bus.publish(subject, n);
    await expect.poll(() => own.length + theirs.length, { timeout: 10_000 }).toBe(200);
    expect(theirs.length).toBeGreaterThan(0);
    expect(own.length).toBeGreaterThan(0);
    await subscription[Symbol.asyncDispose]();
    await loop;
  });

  it("is not shown to a subscription of everything what is between clients and servers alone", async () => {
    const subject = name();
    const subscription = await bus.subscribe<string>(">");
    const box = await bus.mailbox(name());
    await box.send(1);
    await bus.publish(subject, "marker");
    for await (const message of subscription) {
      expect(message.subject).not.toMatch(/^(_|\$)/);
      if (message.data === "marker") break;
    }
  });
});

describe("a service", () => {
  it("is found and called by other NATS clients", async () => {
    const address = name();
    const service = {
      add: (a: number, b: number) => a + b,
      fail: () => {
        throw new RangeError("no good");
      },
    };
    const server = await bus.serve(address, service, { version: "1.2.3" });
    const [info] = await collectAll(await plain.services.client().info(address));
    expect(info).toMatchObject({ name: address, id: server.instance, version: "1.2.3" });
    const endpoint = info!.endpoints?.find((each) => each.name === "add");
    const answer = await plain.request(endpoint!.subject, text.encode("[1,2]"), { timeout: 5_000 });
    expect(answer.json()).toBe(3);
    const failing = info!.endpoints?.find((each) => each.name === "fail");
    const failure = await plain.request(failing!.subject, text.encode("[]"), { timeout: 5_000 });
    expect(failure.headers?.get("Nats-Service-Error-Code")).toBe("500");
    const [ping] = await collectAll(await plain.services.client().ping(address));
    expect(ping).toMatchObject({ id: server.instance });
    const [stats] = await collectAll(await plain.services.client().stats(address));
    expect(stats!.endpoints?.reduce((sum, each) => sum + each.num_requests, 0)).toBe(2);
    await server[Symbol.asyncDispose]();
  });

  it("of another NATS client is in the directory", async () => {
    const service = await plain.services.add({ name: name(), version: "2.0.0" });
    service.addEndpoint("ping", { handler: (_, message) => message.respond(text.encode("1")) });
    await plain.flush();
    const found = (await bus.services()).find((each) => each.address === service.info().name);
    expect(found).toMatchObject({ version: "2.0.0", methods: ["ping"], instance: service.info().id });
    await service.stop();
  });

  it("of another NATS client is called by its subject", async () => {
    const address = name();
    plain.subscribe(`_quadrant.call.${address}.double`, {
      callback: (_, message) => message.respond(text.encode(String(2 * message.json<number[]>()[0]!))),
    });
    plain.subscribe(`_quadrant.call.${address}.refuse`, {
      callback: (_, message) => {
        const map = headers();
        map.set("Nats-Service-Error", "not today");
        map.set("Nats-Service-Error-Code", "409");
        message.respond(new Uint8Array(0), { headers: map });
      },
    });
    await plain.flush();
    const stub = bus.client<{ double(n: number): number; refuse(): number }>(address);
    expect(await stub.double(4)).toBe(8);
    const error = await stub.refuse().then(
      () => undefined,
      (cause: unknown) => cause,
    );
    expect(error).toBeInstanceOf(BusError);
    expect(error).toMatchObject({ code: "remote", remote: { message: "not today", code: "409" } });
  });
});

describe("a log", () => {
  it("is a stream that other NATS clients read and write", async () => {
    const log = await bus.log<number>(name());
    await log.append("a.b", 1, { headers: { "x-kind": "test" }, id: "first" });
    const js = plain.jetstream();
    const ack = await js.publish(`_quadrant.log.${log.name}.a.c`, text.encode("2"), { msgID: "second" });
    expect(ack.stream).toBe(`QUADRANT_LOG_${log.name}`);
    const entries = [];
    for await (const entry of log.read({ to: "end" })) entries.push([entry.seq, entry.subject, entry.data, entry.id]);
    expect(entries).toEqual([
      [1, "a.b", 1, "first"],
      [2, "a.c", 2, "second"],
    ]);
    expect(await log.append("a.c", 2, { id: "second" })).toEqual({ seq: 2, duplicate: true });
    const manager = await plain.jetstreamManager();
    await manager.consumers.add(ack.stream, {
      durable_name: "plain",
      ack_policy: AckPolicy.Explicit,
      deliver_policy: DeliverPolicy.All,
    });
    const consumer = await js.consumers.get(ack.stream, "plain");
    const first = await consumer.next();
    expect(first?.json()).toBe(1);
    expect(first?.headers?.get("x-kind")).toBe("test");
    await first?.ackAck();
  });
});

describe("a mailbox", () => {
  it("takes letters of other NATS clients, which are known by their sequence", async () => {
    const box = await bus.mailbox<{ n: number }>(name());
    await plain.jetstream().publish(`_quadrant.mail.${box.address}.n`, text.encode('{"n":1}'));
    for await (const letter of await box.receive()) {
      expect(letter).toMatchObject({ data: { n: 1 }, attempt: 1 });
      expect(letter.id).toMatch(/^seq-\d+$/);
      await letter.ack();
      break;
    }
  });
});

async function collectAll<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
}
