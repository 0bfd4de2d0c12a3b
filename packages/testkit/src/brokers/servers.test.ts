import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect as connectNats, type NatsConnection } from "@nats-io/transport-node";
import { Redis } from "ioredis";
import { describe, expect, it } from "vitest";
import type { StartedBroker } from "./broker.ts";
import { startBroker } from "./start.ts";

function natsClient(broker: StartedBroker): Promise<NatsConnection> {
  return connectNats({ servers: broker.members.map(({ address }) => address), reconnectTimeWait: 20 });
}

describe("a NATS server", () => {
  it("keeps what JetStream acknowledged when it is killed, unless it is wiped", async () => {
    await using broker = await startBroker("nats");
    expect(broker.version).toMatch(/^2\./);
    const { url } = broker;
    const before = await natsClient(broker);
    await (await jetstreamManager(before)).streams.add({ name: "S", subjects: ["s"] });
    await jetstream(before).publish("s", "kept");
    await broker.kill();
    await before.close();
    expect(broker.pid).toBeUndefined();
    await broker.restart();
    expect(broker.url).toBe(url);
    const after = await natsClient(broker);
    const stream = await (await jetstreamManager(after)).streams.info("S");
    expect(stream.state.messages).toBe(1);
    await broker.restart({ wipe: true });
    await after.close();
    const fresh = await natsClient(broker);
    await expect((await jetstreamManager(fresh)).streams.info("S")).rejects.toThrow("stream not found");
    await fresh.close();
  });
});

describe("a Redis server", () => {
  it("keeps what it wrote to its append-only file, unless it is wiped", async () => {
    await using broker = await startBroker("redis");
    const client = new Redis(broker.url, { maxRetriesPerRequest: null });
    client.on("error", () => undefined);
    await client.set("k", "kept");
    await client.bgrewriteaof();
    expect(await client.config("GET", "appendonly")).toEqual(["appendonly", "yes"]);
    expect(await client.config("GET", "maxmemory-policy")).toEqual(["maxmemory-policy", "noeviction"]);
    await broker.restart();
    expect(await client.get("k")).toBe("kept");
    await broker.restart({ wipe: true });
    expect(await client.get("k")).toBeNull();
    client.disconnect();
  });
});
