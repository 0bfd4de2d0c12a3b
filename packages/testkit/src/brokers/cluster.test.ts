import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect as connectNats } from "@nats-io/transport-node";
import { Cluster, Redis } from "ioredis";
import { expect, it, vi } from "vitest";
import { startBroker } from "./start.ts";

const soon = { timeout: 50_000, interval: 50 };

it("three NATS servers replicate a stream, lose one of them and nothing else, and go on after a restart", async () => {
  await using broker = await startBroker("nats", { cluster: true });
  expect(broker.members.map(({ role }) => role)).toEqual(["server", "server", "server"]);
  const servers = broker.url.slice("nats://".length).split(",");
  const client = await connectNats({ servers, reconnectTimeWait: 50, maxReconnectAttempts: -1 });
  const manager = await jetstreamManager(client);
  await vi.waitFor(() => manager.streams.add({ name: "S", subjects: ["s"], num_replicas: 3 }), soon);
  await vi.waitFor(() => jetstream(client).publish("s", "one", { msgID: "one" }), soon);
  await broker.members[0]!.kill();
  const published = vi.waitFor(() => jetstream(client).publish("s", "two", { msgID: "two" }), soon);
  expect((await published).seq).toBe(2);
  await broker.restart();
  // Whoever leads may have to catch up first.
  await vi.waitFor(async () => expect((await manager.streams.info("S")).state.messages).toBe(2), soon);
  await vi.waitFor(() => manager.streams.add({ name: "T", subjects: ["t"], num_replicas: 3 }), soon);
  await client.close();
}, 240_000);

it("a Redis replica becomes the primary when the primary is gone, says the Sentinel", async () => {
  await using broker = await startBroker("redis", { cluster: true });
  expect(broker.members.map(({ role }) => role)).toEqual(["primary", "replica", "sentinel", "sentinel", "sentinel"]);
  const [, hosts = "", name = ""] = /^redis\+sentinel:\/\/([^/]*)\/(.*)$/.exec(broker.url) ?? [];
  const sentinels = hosts.split(",").map((host) => ({ host: host.split(":")[0]!, port: Number(host.split(":")[1]) }));
  const client = new Redis({ sentinels, name, sentinelRetryStrategy: () => 50, maxRetriesPerRequest: null });
  client.on("error", () => undefined);
  await client.set("k", "1");
  await client.wait(1, 5_000);
  const [primary, replica] = broker.members;
  await primary!.kill();
  expect(await client.get("k")).toBe("1");
  const sentinel = new Redis(sentinels[0]!);
  const [, port] = (await sentinel.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", name)) as [string, string];
  expect(`127.0.0.1:${port}`).toBe(replica!.address);
  sentinel.disconnect();
  client.disconnect();
});

it("a Redis Cluster shares its keys among three primaries, before and after it forgot them", async () => {
  await using broker = await startBroker("redis", { cluster: "sharded" });
  const nodes = broker.members.map(({ address }) => ({ host: "127.0.0.1", port: Number(address.split(":")[1]) }));
  const client = new Cluster(nodes, { clusterRetryStrategy: () => 50 });
  const keys = Array.from({ length: 60 }, (_, at) => `k${at}`);
  await Promise.all(keys.map((key) => client.set(key, key)));
  const sizes = await Promise.all(client.nodes("master").map((node) => node.dbsize()));
  expect(sizes).toHaveLength(3);
  expect(Math.min(...sizes)).toBeGreaterThan(0);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(60);
  client.disconnect();
  await broker.restart({ wipe: true });
  const after = new Cluster(nodes, { clusterRetryStrategy: () => 50 });
  expect(await after.get("k1")).toBeNull();
  after.disconnect();
});
