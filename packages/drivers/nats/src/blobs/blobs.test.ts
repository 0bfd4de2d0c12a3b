import { createHash, randomBytes } from "node:crypto";
import { type BlobStore, type Bus, connect } from "@quadrant/bus";
import { type StartedBroker, startBroker } from "@quadrant/testkit/brokers";
import { connect as connectPlain, type JetStreamManager, type NatsConnection, type ObjectStore } from "nats";
import { afterAll, beforeAll, expect, it, vi } from "vitest";

let broker: StartedBroker;
let bus: Bus;
let plain: NatsConnection;
let manager: JetStreamManager;
let named = 0;

beforeAll(async () => {
  broker = await startBroker("nats");
  bus = await connect(broker.url, broker.options);
  plain = await connectPlain({ servers: new URL(broker.url).host });
  manager = await plain.jetstreamManager();
});

afterAll(async () => {
  await plain?.close();
  await bus?.close({ drainMs: 500 });
  await broker?.[Symbol.asyncDispose]();
});

interface Pair {
  readonly name: string;
  readonly ours: BlobStore;
  readonly theirs: ObjectStore;
}

async function openPair(): Promise<Pair> {
  const name = `interop_${named++}`;
  return { name, ours: await bus.blobs(name), theirs: await plain.jetstream().views.os(name) };
}

async function bytesOf(store: BlobStore, name: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of (await store.get(name))!) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function chunksOf(store: string): Promise<number> {
  const info = await manager.streams.info(`OBJ_${store}`, { subjects_filter: `$O.${store}.C.>` });
  return Object.keys(info.state.subjects ?? {}).length;
}

const sizes = [0, 1, 131_072, 1_000_000];

it("another client of NATS reads what was put, its sum checked by that client", async () => {
  const { ours, theirs } = await openPair();
  for (const size of sizes) {
    const content = randomBytes(size);
    await ours.put(`a/b c ${size}`, content);
    const bytes = await theirs.getBlob(`a/b c ${size}`);
    expect(Buffer.compare(bytes!, content)).toBe(0);
    const info = await theirs.info(`a/b c ${size}`);
    expect(info).toMatchObject({ size, chunks: Math.ceil(size / 131_072), deleted: false });
    const digest = createHash("sha256").update(content).digest("base64url");
    expect(info?.digest.replace(/=+$/, "")).toBe(`SHA-256=${digest}`);
  }
  expect((await theirs.list()).map((each) => each.name).sort()).toEqual(sizes.map((size) => `a/b c ${size}`).sort());
});

it("what another client of NATS put is read, listed and deleted here", async () => {
  const { name, ours, theirs } = await openPair();
  for (const size of sizes) {
    const content = randomBytes(size);
    await theirs.putBlob({ name: `x/${size}`, options: { max_chunk_size: 50_000 } }, content);
    expect(Buffer.compare(await bytesOf(ours, `x/${size}`), content)).toBe(0);
  }
  expect(await ours.list("x/")).toEqual(
    sizes.map((bytes) => ({ name: `x/${bytes}`, bytes })).sort((a, b) => (a.name < b.name ? -1 : 1)),
  );
  expect(await ours.delete("x/1000000")).toBe(true);
  expect((await theirs.info("x/1000000"))?.deleted).toBe(true);
  await theirs.delete("x/131072");
  expect(await ours.get("x/131072")).toBeUndefined();
  expect(await ours.delete("x/131072")).toBe(false);
  // What was deleted or replaced leaves no chunks behind.
  await theirs.putBlob({ name: "x/1" }, randomBytes(10));
  await ours.put("x/1", randomBytes(300_000));
  await ours.put("x/0", randomBytes(0));
  expect(await chunksOf(name)).toBe(1);
  expect(await bus.list("blobs")).toContain(name);
});

it("two clients that put between each other's chunks are read whole", async () => {
  const { ours, theirs } = await openPair();
  const contents = [0, 1, 2].map(() => randomBytes(2_000_000));
  await Promise.all([
    ours.put("one", contents[0]!),
    ours.put("two", contents[1]!),
    theirs.putBlob({ name: "three" }, contents[2]!),
  ]);
  for (const [at, name] of ["one", "two", "three"].entries()) {
    expect(Buffer.compare(await bytesOf(ours, name), contents[at]!)).toBe(0);
  }
});

it("a link of another client is unsupported, and not listed", async () => {
  const { ours, theirs } = await openPair();
  const info = await theirs.putBlob({ name: "target" }, randomBytes(10));
  await theirs.link("link", info);
  await expect(ours.get("link")).rejects.toMatchObject({ code: "unsupported" });
  expect(await ours.list()).toEqual([{ name: "target", bytes: 10 }]);
});

it("a blob whose chunk is missing, or another, fails as damaged", async () => {
  const { name, ours } = await openPair();
  for (const blob of ["missing", "altered"]) await ours.put(blob, randomBytes(400_000));
  const subjects = await manager.streams.info(`OBJ_${name}`, { subjects_filter: `$O.${name}.C.>` });
  const [missing, altered] = Object.keys(subjects.state.subjects!);
  const second = await manager.streams.getMessage(`OBJ_${name}`, { last_by_subj: missing! });
  await manager.streams.deleteMessage(`OBJ_${name}`, second.seq);
  const last = await manager.streams.getMessage(`OBJ_${name}`, { last_by_subj: altered! });
  await manager.streams.deleteMessage(`OBJ_${name}`, last.seq);
  await plain.jetstream().publish(
    altered!,
    last.data.map((byte) => byte ^ 1),
  );
  for (const blob of ["missing", "altered"]) await expect(bytesOf(ours, blob)).rejects.toMatchObject({ code: "codec" });
});

it("chunks of an upload whose client is gone are removed when the store is opened ten minutes later, others not", async () => {
  const { name, ours, theirs } = await openPair();
  const js = plain.jetstream();
  await ours.put("put", randomBytes(10));
  const { nuid } = (await theirs.info("put"))!;
  const ago = (minutes: number): number => Date.now() - minutes * 60_000;
  const uploads = [
    { nuid: "interrupted", name: "never", at: ago(11) },
    { nuid: "recent", name: "underway", at: ago(9) },
    { nuid, name: "put", at: ago(11) },
  ];
  for (const upload of uploads) {
    if (upload.nuid !== nuid) await js.publish(`$O.${name}.C.${upload.nuid}`, randomBytes(10));
    await js.publish(`_quadrant.upload.${name}.${upload.nuid}`, JSON.stringify(upload));
  }
  // A connection looks once a minute.
  const other = await connect(broker.url, broker.options);
  await other.blobs(name);
  const markers = async (): Promise<number> => {
    const info = await manager.streams.info("QUADRANT_UPLOADS", { subjects_filter: `_quadrant.upload.${name}.*` });
    return Object.keys(info.state.subjects ?? {}).length;
  };
  await vi.waitUntil(async () => (await markers()) === 1, { timeout: 20_000, interval: 20 });
  expect(await chunksOf(name)).toBe(2);
  expect((await bytesOf(ours, "put")).length).toBe(10);
  await other.close();
});

it("what a put leaves behind is its chunks and nothing else", async () => {
  const { name, ours } = await openPair();
  await ours.put("blob", randomBytes(10));
  const failing = async function* (): AsyncGenerator<Uint8Array> {
    yield randomBytes(200_000);
    throw new Error("no more");
  };
  await expect(ours.put("blob", failing())).rejects.toMatchObject({ code: "invalid" });
  expect(await chunksOf(name)).toBe(1);
  const { state } = await manager.streams.info("QUADRANT_UPLOADS", { subjects_filter: `_quadrant.upload.${name}.*` });
  expect(state.subjects ?? {}).toEqual({});
});

it("a store that its maker has bounded is overflow beyond, and keeps what it has", async () => {
  const name = `interop_${named++}`;
  await plain.jetstream().views.os(name, { max_bytes: 400_000 });
  const store = await bus.blobs(name);
  await store.put("blob", randomBytes(150_000));
  await expect(store.put("blob", randomBytes(600_000))).rejects.toMatchObject({ code: "overflow" });
  expect((await bytesOf(store, "blob")).length).toBe(150_000);
  await store.put("blob", randomBytes(160_000));
});

it("what the user may not publish is denied", async () => {
  const permissions = '{ publish: { allow: ["$JS.>", "_quadrant.>", "$O.mine.>"] }, subscribe: ">" }';
  await using restricted = await startBroker("nats", { auth: "password", permissions });
  const other = await connect(restricted.url, restricted.options);
  await (await other.blobs("mine")).put("a", randomBytes(10));
  await expect((await other.blobs("theirs")).put("a", randomBytes(10))).rejects.toMatchObject({ code: "denied" });
  await other.close({ drainMs: 100 });
});
