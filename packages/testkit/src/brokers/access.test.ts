import { readFileSync } from "node:fs";
import { jetstreamManager } from "@nats-io/jetstream";
import {
  type ConnectionOptions,
  connect as connectNats,
  credsAuthenticator,
  nkeyAuthenticator,
} from "@nats-io/transport-node";
import { connect } from "@quadrant/bus";
import { generateKeyPair } from "@quadrant/zeromq";
import { Redis } from "ioredis";
import { describe, expect, it } from "vitest";
import type { StartedBroker } from "./broker.ts";
import { startBroker } from "./start.ts";

function natsOptions({ members, options }: StartedBroker): ConnectionOptions {
  const { auth, tls } = options;
  const { ca = "", cert, key } = tls ?? {};
  return {
    servers: members.map(({ address }) => address),
    reconnect: false,
    ...(tls && { tls: cert === undefined || key === undefined ? { ca } : { ca, cert, key } }),
    ...(auth && "user" in auth && { user: auth.user, pass: auth.password }),
    ...(auth && "token" in auth && { token: auth.token }),
    ...(auth && "credsFile" in auth && { authenticator: credsAuthenticator(readFileSync(auth.credsFile)) }),
    ...(auth && "nkeySeed" in auth && { authenticator: nkeyAuthenticator(new TextEncoder().encode(auth.nkeySeed)) }),
  };
}

function redisClient({ url, options }: StartedBroker, other: object = {}): Redis {
  const { auth, tls } = options;
  const given: object = {
    port: Number(new URL(url).port),
    host: "127.0.0.1",
    retryStrategy: () => undefined,
    ...(tls && { tls }),
    ...(auth && "user" in auth && { username: auth.user, password: auth.password }),
    ...other,
  };
  const client = new Redis(given);
  client.on("error", () => undefined);
  return client;
}

describe("NATS", () => {
  it.each(["password", "token", "nkey", "creds"] as const)("asks for the %s that it was started with", async (auth) => {
    await using broker = await startBroker("nats", { auth });
    const client = await connectNats(natsOptions(broker));
    await client.flush();
    await client.close();
    const stranger = connectNats({ servers: broker.url, reconnect: false });
    await expect(stranger).rejects.toThrow(/authorization/i);
  });

  it("refuses what the user may not do", async () => {
    const permissions = '{ publish: { deny: ["secret.>"] } }';
    await using broker = await startBroker("nats", { auth: "password", permissions });
    const client = await connectNats(natsOptions(broker));
    const status = client.status()[Symbol.asyncIterator]();
    client.publish("open", "x");
    client.publish("secret.plan", "x");
    const { value } = await status.next();
    expect(value).toMatchObject({ type: "error", error: { operation: "publish", subject: "secret.plan" } });
    await client.close();
  });

  it("shows a certificate of the authority in `options`, and no other knows it", async () => {
    await using broker = await startBroker("nats", { tls: true });
    expect(broker.url).toMatch(/^tls:/);
    const client = await connectNats(natsOptions(broker));
    await client.flush();
    await client.close();
    await expect(connectNats({ ...natsOptions(broker), tls: {} })).rejects.toThrow(/certificate/i);
  });

  it("asks clients for their certificate", async () => {
    await using broker = await startBroker("nats", { tls: "mutual" });
    const client = await connectNats(natsOptions(broker));
    await client.flush();
    await client.close();
    const { ca = "" } = broker.options.tls!;
    await expect(connectNats({ ...natsOptions(broker), tls: { ca } })).rejects.toThrow();
  });

  it("keeps nothing where it is not durable: it has no JetStream", async () => {
    await using broker = await startBroker("nats", { durable: false });
    const client = await connectNats(natsOptions(broker));
    await expect(jetstreamManager(client).then((manager) => manager.getAccountInfo())).rejects.toThrow(/jetstream/i);
    await client.close();
  });
});

describe("Redis", () => {
  it("asks for the user that it was started with, over TLS", async () => {
    await using broker = await startBroker("redis", { auth: "password", tls: true });
    expect(broker.url).toMatch(/^rediss:/);
    const client = redisClient(broker);
    expect(await client.ping()).toBe("PONG");
    client.disconnect();
    const stranger = redisClient(broker, { username: "default", password: "guessed" });
    await expect(stranger.ping()).rejects.toThrow();
    stranger.disconnect();
  });

  it("refuses what the user may not do", async () => {
    const permissions = "~open:* &* +@all -publish";
    await using broker = await startBroker("redis", { auth: "password", permissions });
    const client = redisClient(broker);
    await client.set("open:a", "x");
    await expect(client.set("secret", "x")).rejects.toThrow("NOPERM");
    await expect(client.publish("a", "x")).rejects.toThrow("NOPERM");
    client.disconnect();
  });

  it("asks clients for their certificate", async () => {
    await using broker = await startBroker("redis", { tls: "mutual" });
    const client = redisClient(broker);
    expect(await client.ping()).toBe("PONG");
    client.disconnect();
    const { ca = "" } = broker.options.tls!;
    const stranger = redisClient(broker, { tls: { ca } });
    await expect(stranger.ping()).rejects.toThrow();
    stranger.disconnect();
  });

  it("writes nothing to a disk where it is not durable", async () => {
    await using broker = await startBroker("redis", { durable: false });
    const client = redisClient(broker);
    expect(await client.config("GET", "appendonly")).toEqual(["appendonly", "no"]);
    client.disconnect();
  });
});

describe("a hub", () => {
  it("takes only the client whose keys it was started with", async () => {
    await using hub = await startBroker("zeromq", { auth: "curve" });
    await using bus = await connect(hub.url, hub.options);
    await bus.publish("any", 1);
    const { auth } = hub.options as { auth: { curve: { serverKey: string } } };
    const stranger = { curve: { ...generateKeyPair(), serverKey: auth.curve.serverKey } };
    await expect(connect(hub.url, { auth: stranger, timeoutMs: 5_000 })).rejects.toMatchObject({ code: "denied" });
  });

  it("refuses what the client may not do", async () => {
    await using hub = await startBroker("zeromq", { auth: "curve", permissions: '{ "mailboxes": ["open.*"] }' });
    await using bus = await connect(hub.url, hub.options);
    await (await bus.mailbox("open.a")).send(1);
    await expect(bus.mailbox("secret")).rejects.toMatchObject({ code: "denied" });
  });
});

it("what a kind of broker does not have is refused with the reason", async () => {
  await expect(startBroker("redis", { auth: "nkey" })).rejects.toThrow("Redis has no auth: nkey");
  await expect(startBroker("nats", { cluster: "sharded" })).rejects.toThrow("no sharded cluster");
  await expect(startBroker("nats", { permissions: "{}" })).rejects.toThrow("permissions need auth");
  await expect(startBroker("nats", { auth: "token", permissions: "{}" })).rejects.toThrow("no permissions");
  await expect(startBroker("zeromq", { tls: true })).rejects.toThrow("zeromq has no tls");
  await expect(startBroker("zeromq", { cluster: true })).rejects.toThrow("zeromq has no cluster");
  await expect(startBroker("zeromq", { auth: "password" })).rejects.toThrow("zeromq has no auth: password");
  await expect(startBroker("zeromq", { permissions: "{}" })).rejects.toThrow("permissions need auth");
  await expect(startBroker("nats", { auth: "curve" })).rejects.toThrow("NATS has no auth: curve");
});
