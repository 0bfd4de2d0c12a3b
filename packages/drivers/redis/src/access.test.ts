import { connect } from "@quadrant/bus";
import type { Bus, BusError, BusStatus } from "@quadrant/contract";
import { type BrokerOptions, startBroker } from "@quadrant/testkit/brokers";
import { Redis } from "ioredis";
import { expect, test } from "vitest";

const portOf = (url: string): number => Number(new URL(url).port);

async function refusal(work: Promise<unknown>): Promise<BusError> {
  return work.then(
    () => expect.fail("it was not refused"),
    (error: BusError) => error,
  );
}

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1));

async function closing<T>(bus: Bus, use: (bus: Bus) => Promise<T>): Promise<T> {
  try {
    return await use(bus);
  } finally {
    await bus.close({ drainMs: 100 });
  }
}

/** Everything once over. */
async function works(bus: Bus): Promise<void> {
  const box = await bus.mailbox<string>("box");
  await box.send("letter");
  expect((await box.info()).waiting).toBe(1);
  const messages = (await bus.subscribe<number>("topic"))[Symbol.asyncIterator]();
  await bus.publish("topic", 1);
  expect((await messages.next()).value).toMatchObject({ data: 1 });
}

test("TLS: with the server's authority it connects, without it is denied", async () => {
  await using broker = await startBroker("redis", { tls: true });
  await closing(await connect(broker.url, broker.options), works);
  await using other = await startBroker("redis", { tls: true });
  for (const tls of [undefined, other.options.tls]) {
    const stranger = await refusal(connect(broker.url, { tls, timeoutMs: 10_000 }));
    expect(stranger).toMatchObject({ code: "denied", message: expect.stringContaining("tls.ca") });
  }
});

test("TLS: a certificate of the client's own is shown where the server asks for it", async () => {
  await using broker = await startBroker("redis", { tls: "mutual" });
  await closing(await connect(broker.url, broker.options), works);
  const { ca } = broker.options.tls!;
  const stranger = await refusal(connect(broker.url, { tls: { ca }, timeoutMs: 10_000 }));
  expect(stranger).toMatchObject({ code: "denied", message: expect.stringContaining("tls.cert") });
});

test("who shows no password, or a wrong one, is denied at once", async () => {
  await using broker = await startBroker("redis", { auth: "password" });
  await closing(await connect(broker.url, broker.options), works);
  for (const auth of [undefined, { user: "quadrant", password: "wrong" }, { token: "wrong" }]) {
    const error = await refusal(connect(broker.url, { auth, timeoutMs: 60_000 }));
    expect(error.code).toBe("denied");
    expect(error.message).not.toContain("wrong");
  }
});

async function restricted(rules: string, use: (bus: Bus) => Promise<void>): Promise<void> {
  const options: BrokerOptions = { auth: "password", permissions: rules };
  await using broker = await startBroker("redis", options);
  await closing(await connect(broker.url, broker.options), use);
}

test("a channel that the user may not have is denied: to subscribe to at once, to publish on from the second time", async () => {
  await restricted("~* resetchannels &q:i:* &q:t:open* +@all", async (bus) => {
    const denied: BusStatus[] = [];
    const watching = (async () => {
      for await (const status of bus.status()) if (status.kind === "denied") denied.push(status);
    })();
    expect((await refusal(bus.subscribe("secret.plan"))).code).toBe("denied");
    await works(bus).catch((error: BusError) => expect(error.code).toBe("denied"));
    const messages = (await bus.subscribe<number>("open.a"))[Symbol.asyncIterator]();
    await bus.publish("secret.plan", 1);
    await bus.publish("open.a", 2);
    expect((await messages.next()).value).toMatchObject({ data: 2 });
    while (!denied.some(({ detail }) => detail?.subject === "secret.plan")) await turn();
    expect((await refusal(bus.publish("secret.plan", 3))).code).toBe("denied");
    await bus.close();
    await watching;
    expect(denied.map(({ detail }) => detail)).toContainEqual({ operation: "publish", subject: "secret.plan" });
  });
});

test("a key that the user may not have is denied", async () => {
  await restricted("resetkeys ~q:{q}* ~q:m:{mine* &* +@all", async (bus) => {
    await (await bus.mailbox("mine")).send(1);
    for (const work of [bus.mailbox("theirs"), bus.space("tuples"), bus.log("entries")]) {
      expect((await refusal(work)).code).toBe("denied");
    }
  });
});

test("a server that keeps nothing says so, and is refused where work must be kept", async () => {
  await using broker = await startBroker("redis", { durable: false });
  await closing(await connect(broker.url), async (bus) => {
    expect(bus.support.durability).toMatchObject({ how: "refused", note: expect.stringContaining("appendonly yes") });
  });
  const error = await refusal(connect(`${broker.url}?require=durable`));
  expect(error.code).toBe("unsupported");
  expect(error.message).toContain("appendonly yes");
});

test("a server that drops keys under pressure is refused where work must be kept", async () => {
  await using broker = await startBroker("redis");
  await closing(await connect(`${broker.url}?require=durable`), works);
  const redis = new Redis(portOf(broker.url));
  await redis.config("SET", "maxmemory", "1gb");
  await redis.config("SET", "maxmemory-policy", "allkeys-lru");
  redis.disconnect();
  const error = await refusal(connect(`${broker.url}?require=durable`));
  expect(error.code).toBe("unsupported");
  expect(error.message).toContain("maxmemory-policy noeviction");
});

test("a full server refuses what takes room, and still gives away what it holds", async () => {
  await using broker = await startBroker("redis");
  const redis = new Redis(portOf(broker.url));
  await closing(await connect(broker.url), async (bus) => {
    const [box, space, log] = [await bus.mailbox<string>("box"), await bus.space("space"), await bus.log("log")];
    await box.send("letter");
    await space.out(["t"]);
    await redis.config("SET", "maxmemory", "1");
    for (const work of [box.send("more"), space.out(["more"]), log.append("s", 1)]) {
      expect(await refusal(work)).toMatchObject({ code: "overflow", retryable: true });
    }
    for await (const letter of await box.receive()) {
      await letter.ack();
      break;
    }
    expect(await space.inp(["t"])).toEqual(["t"]);
    await redis.config("SET", "maxmemory", "0");
    await box.send("again");
  });
  redis.disconnect();
});

test("functions that somebody has flushed are loaded again", async () => {
  await using broker = await startBroker("redis");
  const redis = new Redis(portOf(broker.url));
  await closing(await connect(broker.url), async (bus) => {
    const box = await bus.mailbox<number>("box");
    await box.send(1);
    await redis.call("FUNCTION", "FLUSH");
    await Promise.all([box.send(2), box.send(3), bus.publish("topic", 1)]);
    expect((await box.info()).waiting).toBe(3);
  });
  redis.disconnect();
});

test("what a URL cannot say is invalid", async () => {
  for (const url of [
    "redis://127.0.0.1:1/x",
    "redis://127.0.0.1:1?replicas=3",
    "redis://127.0.0.1:1?require=luck",
    "redis+sentinel://127.0.0.1:1",
    "redis+cluster://127.0.0.1:1/3",
    "redis://127.0.0.1:1,127.0.0.1:2",
  ]) {
    expect((await refusal(connect(url, { timeoutMs: 100 }))).code, url).toBe("invalid");
  }
});
