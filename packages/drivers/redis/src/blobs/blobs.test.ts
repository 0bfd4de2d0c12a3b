import { randomBytes } from "node:crypto";
import { type BlobStore, type Bus, connect } from "@quadrant/bus";
import { type StartedBroker, startBroker } from "@quadrant/testkit/brokers";
import { Redis } from "ioredis";
import { afterAll, beforeAll, expect, test } from "vitest";

let broker: StartedBroker;
let redis: Redis;
let bus: Bus;
let named = 0;

beforeAll(async () => {
  broker = await startBroker("redis");
  redis = new Redis(Number(new URL(broker.url).port));
  bus = await connect(broker.url, { requestTimeoutMs: 20_000 });
});
afterAll(async () => {
  await bus?.close({ drainMs: 100 });
  redis?.disconnect();
  await broker?.[Symbol.asyncDispose]();
});

const newName = (): string => `store${named++}`;
const versions = (store: string): Promise<string[]> => redis.keys(`q:b:{${store}}:c:*`);

async function bytesIn(blobs: BlobStore, name: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of (await blobs.get(name))!) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const bytesOf = async (store: string, name: string): Promise<Buffer> => bytesIn(await bus.blobs(store), name);

interface Upload {
  /** The key of its chunks. */
  readonly key: string;
  readonly putting: Promise<unknown>;
  finish(): void;
}

/** A put that has sent some chunks and goes on when it is told to. */
async function begun(store: string, name: string): Promise<Upload> {
  const blobs = await bus.blobs(store);
  const before = new Set(await versions(store));
  const finish = Promise.withResolvers<void>();
  async function* halting(): AsyncGenerator<Uint8Array> {
    yield randomBytes(300_000);
    await finish.promise;
    yield randomBytes(300_000);
  }
  const putting = blobs.put(name, halting());
  putting.catch(() => undefined);
  for (;;) {
    const key = (await versions(store)).find((each) => !before.has(each));
    if (key !== undefined && (await redis.hlen(key)) === 2) return { key, putting, finish: finish.resolve };
  }
}

test("chunks expire until they are committed, and stay from then on; what they replace goes", async () => {
  const store = newName();
  await (await bus.blobs(store)).put("a", randomBytes(200_000));
  const [old] = await versions(store);
  const upload = await begun(store, "a");
  const ms = await redis.pttl(upload.key);
  expect(ms).toBeGreaterThan(0);
  expect(ms).toBeLessThanOrEqual(60_000);
  expect(await redis.pttl(old!)).toBe(-1);
  upload.finish();
  await upload.putting;
  expect(await versions(store)).toEqual([upload.key]);
  expect(await redis.pttl(upload.key)).toBe(-1);
  expect((await bytesOf(store, "a")).length).toBe(600_000);
});

test("an upload whose chunks have expired is not committed, and what was there before stays", async () => {
  const store = newName();
  await (await bus.blobs(store)).put("a", randomBytes(10));
  const upload = await begun(store, "a");
  await redis.pexpire(upload.key, 0);
  upload.finish();
  await expect(upload.putting).rejects.toMatchObject({ code: "unavailable" });
  expect(await versions(store)).toHaveLength(1);
  expect((await bytesOf(store, "a")).length).toBe(10);
});

test("a put that fails takes its chunks with it, and so does a store that is destroyed", async () => {
  const store = newName();
  const blobs = await bus.blobs(store);
  async function* failing(): AsyncGenerator<Uint8Array> {
    yield randomBytes(300_000);
    throw new Error("no more");
  }
  await expect(blobs.put("a", failing())).rejects.toMatchObject({ code: "invalid" });
  expect(await versions(store)).toEqual([]);
  // More than one script removes.
  for (let at = 0; at < 1_100; at += 100) {
    await Promise.all(Array.from({ length: 100 }, (_, n) => blobs.put(`n${at + n}`, randomBytes(5))));
  }
  expect(await blobs.list()).toHaveLength(1_100);
  await blobs.destroy();
  // But for what was answered last, for two minutes.
  const left = (await redis.keys(`q:b:{${store}}:*`)).filter((key) => !key.includes(":r:"));
  expect(left).toEqual([`q:b:{${store}}:gone`]);
});

test("a blob of which a chunk is missing, or another, fails as damaged", async () => {
  const store = newName();
  await (await bus.blobs(store)).put("a", randomBytes(300_000));
  const [key] = await versions(store);
  const chunk = (await redis.hgetBuffer(key!, "1"))!;
  await redis.hset(key!, "1", Buffer.from(chunk.map((byte) => byte ^ 1)));
  await expect(bytesOf(store, "a")).rejects.toMatchObject({ code: "codec" });
  await redis.hdel(key!, "1");
  await expect(bytesOf(store, "a")).rejects.toMatchObject({ code: "codec" });
});

test("all keys of a store have one hash tag, whatever its name", async () => {
  for (const store of ["{a}b", "a{b", "%7b"]) {
    await (await bus.blobs(store)).put("{x}", randomBytes(10));
    expect((await bytesOf(store, "{x}")).length).toBe(10);
    await (await bus.blobs(store)).destroy();
  }
  const keys = (await redis.keys("q:b:*")).filter((key) => key.endsWith(":gone"));
  expect(keys).toEqual(expect.arrayContaining(["q:b:{%7ba%7db}:gone", "q:b:{a%7bb}:gone", "q:b:{%257b}:gone"]));
});

test("a full server refuses a put with overflow, keeps what was there, and still deletes", async () => {
  const store = newName();
  const blobs = await bus.blobs(store);
  await blobs.put("a", randomBytes(200_000));
  await redis.config("SET", "maxmemory", "1");
  try {
    await expect(blobs.put("a", randomBytes(200_000))).rejects.toMatchObject({ code: "overflow", retryable: true });
    expect((await bytesIn(blobs, "a")).length).toBe(200_000);
    expect(await versions(store)).toHaveLength(1);
    expect(await blobs.delete("a")).toBe(true);
  } finally {
    await redis.config("SET", "maxmemory", "0");
  }
  expect(await versions(store)).toEqual([]);
});

test("a store that the user may not have is denied", async () => {
  await using restricted = await startBroker("redis", {
    auth: "password",
    permissions: "resetkeys ~q:{q}* ~q:b:{mine* &* +@all",
  });
  const other = await connect(restricted.url, restricted.options);
  await (await other.blobs("mine")).put("a", randomBytes(10));
  await expect(other.blobs("theirs")).rejects.toMatchObject({ code: "denied" });
  await other.close({ drainMs: 100 });
});
