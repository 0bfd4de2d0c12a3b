/** The faults that happen to brokers, shown on real ones. */
import { existsSync } from "node:fs";
import { connect as connectTcp } from "node:net";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect as connectNats } from "@nats-io/transport-node";
import { connect } from "@quadrant/bus";
import { Redis } from "ioredis";
import { describe, expect, it, vi } from "vitest";
import { startBroker } from "../brokers/start.ts";
import { faultProxy } from "./proxy.ts";
import { smallDisk } from "./small-disk.ts";

const until = <T>(what: () => T | Promise<T>): Promise<T> => vi.waitFor(what, { timeout: 30_000, interval: 10 });

it("bytes to a NATS server that are duplicated store a message twice, unless it has an id", async () => {
  await using broker = await startBroker("nats");
  await using proxy = await faultProxy(broker.url);
  const client = await connectNats({ servers: proxy.url });
  const manager = await jetstreamManager(client);
  await manager.streams.add({ name: "S", subjects: ["s.*"] });
  const stored = async (): Promise<number> => (await manager.streams.info("S")).state.messages;
  proxy.up.duplicate(1);
  for (let at = 0; at < 5; at += 1) await jetstream(client).publish("s.plain");
  proxy.up.heal();
  expect(await stored()).toBe(10);
  proxy.up.duplicate(1);
  for (let at = 0; at < 5; at += 1) await jetstream(client).publish("s.named", "", { msgID: `m${at}` });
  proxy.up.heal();
  expect(await stored()).toBe(15);
  await client.close();
});

it("a Redis command whose reply is silenced was carried out all the same", async () => {
  await using broker = await startBroker("redis");
  await using proxy = await faultProxy(broker.url);
  const near = new Redis(proxy.url, { retryStrategy: () => null, commandTimeout: 500 });
  near.on("error", () => undefined);
  await near.set("k", "before");
  proxy.down.silence();
  await expect(near.set("k", "after")).rejects.toThrow("Command timed out");
  const far = new Redis(broker.url);
  expect(await far.get("k")).toBe("after");
  near.disconnect();
  far.disconnect();
});

it("a hub behind the proxy is lost and found again", async () => {
  await using hub = await startBroker("zeromq");
  await using proxy = await faultProxy(hub.url);
  const bus = await connect(proxy.url);
  const states: string[] = [];
  const watching = (async () => {
    for await (const status of bus.status()) states.push(status.kind);
  })();
  const jobs = await bus.mailbox("jobs");
  await jobs.send("before");
  await proxy.cut("rst");
  await until(() => expect(states).toContain("disconnected"));
  await proxy.heal();
  await until(() => expect(states).toContain("reconnected"));
  await jobs.send("after");
  await bus.close();
  await watching;
});

it.each(["nats", "redis"] as const)("%s that stands still answers nobody until it goes on", async (kind) => {
  await using broker = await startBroker(kind);
  const heard: string[] = [];
  await using proxy = await faultProxy(broker.url);
  const socket = connectTcp(Number(new URL(proxy.url).port), "127.0.0.1");
  socket.on("data", (bytes) => heard.push(String(bytes)));
  const ask = kind === "nats" ? 'CONNECT {"verbose":false}\r\nPING\r\n' : "PING\r\n";
  socket.write(ask);
  await until(() => expect(heard.join("")).toContain("PONG"));
  await broker.pause();
  heard.length = 0;
  socket.write("PING\r\n");
  // That nothing comes cannot be waited for: another broker of the same machine answers meanwhile.
  await using other = await startBroker(kind, { via: broker.via });
  expect(other.url).not.toBe(broker.url);
  expect(heard).toEqual([]);
  await broker.resume();
  await until(() => expect(heard.join("")).toContain("PONG"));
  socket.destroy();
});

const root = process.platform === "linux" && process.getuid?.() === 0;

describe("a small disk", () => {
  if (!root) {
    it("is not to be had here, and says why", async () => {
      await expect(smallDisk(4 << 20)).rejects.toMatchObject({ code: "unsupported" });
    });
    return;
  }

  it("is no disk without a size", async () => {
    await expect(smallDisk(1)).rejects.toMatchObject({ code: "invalid" });
  });

  it("makes NATS refuse what it cannot store, when it is full", async () => {
    await using disk = await smallDisk(16 << 20);
    await using broker = await startBroker("nats", { data: disk.folder });
    const client = await connectNats({ servers: broker.url });
    const manager = await jetstreamManager(client);
    await manager.streams.add({ name: "S", subjects: ["s"] });
    await jetstream(client).publish("s", new Uint8Array(1_000));
    await disk.fill();
    await expect(async () => {
      for (let at = 0; at < 20; at += 1)
        await jetstream(client).publish("s", new Uint8Array(100_000), { timeout: 2_000 });
    }).rejects.toThrow();
    await client.close();
  });

  it("makes Redis refuse writes when it is full, and take them again when there is room", async () => {
    await using disk = await smallDisk(8 << 20);
    await using broker = await startBroker("redis", { data: disk.folder });
    const client = new Redis(broker.url);
    await client.set("k", "v");
    await disk.fill();
    const refused = async (): Promise<string> => {
      const why = await client.set("k", "x".repeat(10_000)).catch((error: Error) => error.message);
      if (why === "OK") throw new Error("Redis has not noticed yet");
      return why;
    };
    expect(await until(refused)).toMatch(/MISCONF.*No space left on device/);
    await disk.free();
    await until(() => client.set("k", "again"));
    client.disconnect();
  });

  it("is gone with what was on it", async () => {
    const disk = await smallDisk(1 << 20);
    await disk.fill();
    await disk[Symbol.asyncDispose]();
    expect(existsSync(disk.folder)).toBe(false);
  });
});
