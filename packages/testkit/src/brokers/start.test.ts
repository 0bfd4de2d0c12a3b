import { Redis } from "ioredis";
import { afterEach, expect, it, vi } from "vitest";
import { startBroker } from "./start.ts";

afterEach(() => vi.unstubAllEnvs());

it("a broker that runs already is taken by its URL, looked at, and left alone", async () => {
  await using broker = await startBroker("redis", { auth: "password" });
  const { auth } = broker.options as { auth: { user: string; password: string } };
  const url = broker.url.replace("//", `//${auth.user}:${auth.password}@`);
  vi.stubEnv("QUADRANT_BROKERS", "");
  vi.stubEnv("QUADRANT_REDIS_URL", url);
  const taken = await startBroker("redis");
  expect(taken).toMatchObject({ via: "url", url, version: broker.version, members: [], options: {} });
  await expect(async () => taken.kill()).rejects.toThrow("was not started here");
  await taken[Symbol.asyncDispose]();
  const client = new Redis(url);
  expect(await client.ping()).toBe("PONG");
  client.disconnect();
});

it("NATS is taken by its URL, too", async () => {
  await using broker = await startBroker("nats");
  vi.stubEnv("QUADRANT_BROKERS", "url");
  vi.stubEnv("QUADRANT_NATS_URL", `${broker.url},127.0.0.1:1`);
  await using taken = await startBroker("nats");
  expect(taken.version).toBe(broker.version);
});

it("what runs already is not taken where more is asked for than a URL can give", async () => {
  vi.stubEnv("QUADRANT_REDIS_URL", "redis://127.0.0.1:1");
  await expect(startBroker("redis", { via: "url", tls: true })).rejects.toThrow("tls cannot be asked for");
  await expect(startBroker("redis", { via: "url" })).rejects.toThrow(
    "nothing that is redis answers at QUADRANT_REDIS_URL",
  );
});

it("QUADRANT_BROKERS forces a way; where that is none, the error says what to do", async () => {
  vi.stubEnv("QUADRANT_BROKERS", "url");
  vi.stubEnv("QUADRANT_NATS_URL", "");
  await expect(startBroker("nats")).rejects.toThrow(
    /url: QUADRANT_NATS_URL is not set\. Set QUADRANT_NATS_URL, start a Docker engine, or install nats-server/,
  );
  vi.stubEnv("QUADRANT_BROKERS", "docker");
  vi.stubEnv("DOCKER_HOST", "unix:///nowhere/docker.sock");
  await expect(startBroker("redis")).rejects.toThrow("docker: no Docker engine answers");
  vi.stubEnv("QUADRANT_BROKERS", "podman");
  await expect(startBroker("redis")).rejects.toThrow("QUADRANT_BROKERS is url, docker or binary, not podman");
});

it("a hub is a process of its own, whatever is forced for the others", async () => {
  vi.stubEnv("QUADRANT_BROKERS", "docker");
  await using broker = await startBroker("zeromq");
  expect(broker).toMatchObject({ kind: "zeromq", via: "binary", version: expect.stringMatching(/^\d+\.\d+\.\d+$/) });
  expect(broker.members).toMatchObject([{ role: "server", address: new URL(broker.url).host, pid: broker.pid }]);
});

it("another version than the one that is here is not given for it", async () => {
  await expect(startBroker("zeromq", { version: "9" })).rejects.toThrow(/of version \S+, not 9/);
});
