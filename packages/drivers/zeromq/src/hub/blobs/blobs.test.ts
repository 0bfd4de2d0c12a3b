import { createHash } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BlobUpload, blobChunkBytes, blobWindow, type Driver } from "@quadrant/contract";
import { BlobTable, MemoryMedium } from "@quadrant/engine";
import { afterEach, describe, expect, test, vi } from "vitest";
import { generateKeyPair } from "../../curve-key.ts";
import { type HubOptions, open, startHub } from "../../index.ts";
import { maxUploads } from "../limits.ts";
import { SessionBlobs } from "./session-blobs.ts";

const options = {
  name: "test",
  timeoutMs: 10_000,
  requestTimeoutMs: 20_000,
  maxPayloadBytes: 8 << 20,
  outboxBytes: 64 << 20,
};
const chunk = (): Uint8Array => new Uint8Array(blobChunkBytes);
const emptySum = createHash("sha256").digest("hex");

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function hub(hubOptions: HubOptions = {}): Promise<string> {
  const started = await startHub(hubOptions);
  cleanups.push(() => started[Symbol.asyncDispose]());
  return started.url;
}

async function client(url: string, more: object = {}): Promise<Driver> {
  const driver = await open(new URL(url), { ...options, ...more });
  cleanups.push(() => driver.close(0));
  return driver;
}

interface Told {
  readonly blobs: { readonly blobBytes: number };
  readonly clients: readonly { readonly uploads: number }[];
}

async function told(driver: Driver): Promise<Told> {
  return ((await driver.describe()) as unknown as { hub: Told }).hub;
}

async function begun(driver: Driver, store: string): Promise<BlobUpload> {
  const upload = await driver.blobs!.upload(store, "a");
  await upload.write(chunk());
  return upload;
}

describe("what a client uploads", () => {
  test("is gone with the client, and its room is given back", async () => {
    const url = await hub();
    const [steady, leaving] = [await client(url), await client(url)];
    await begun(leaving, "s");
    expect((await told(steady)).blobs.blobBytes).toBeGreaterThan(blobChunkBytes);
    await leaving.close(5_000);
    await vi.waitUntil(async () => (await told(steady)).blobs.blobBytes === 0, { timeout: 20_000, interval: 20 });
    expect(await steady.blobs!.list("s", "", undefined)).toEqual({ blobs: [], next: undefined });
  });

  test("leaves no file behind, neither given up nor when the hub ends", async () => {
    const data = await mkdtemp(join(tmpdir(), "quadrant-hub-blobs-"));
    cleanups.push(() => rm(data, { recursive: true, force: true }));
    const drafts = async (): Promise<number> =>
      (await readdir(join(data, "blobs"), { recursive: true })).filter((each) => each.includes("draft-")).length;
    const started = await startHub({ data });
    const driver = await client(started.url);
    const [given, kept] = [await begun(driver, "s"), await begun(driver, "s")];
    expect(await drafts()).toBe(2);
    await given.abandon();
    expect(await drafts()).toBe(1);
    await started[Symbol.asyncDispose]();
    expect(await drafts()).toBe(0);
    await driver.close(0);
    await kept.abandon();
  });

  test(`is at most ${maxUploads} blobs at once`, async () => {
    const driver = await client(await hub());
    const uploads = await Promise.all(Array.from({ length: maxUploads }, (_, n) => driver.blobs!.upload("s", `n${n}`)));
    await expect(driver.blobs!.upload("s", "more")).rejects.toMatchObject({ code: "overflow" });
    await uploads[0]!.commit(emptySum);
    await driver.blobs!.upload("s", "more");
    expect((await told(driver)).clients).toMatchObject([{ uploads: maxUploads, overflows: 1 }]);
  });
});

describe("a session", () => {
  const sessionOf = (): SessionBlobs => new SessionBlobs(BlobTable.empty(new MemoryMedium("zeromq"), "zeromq"));

  test("refuses who sends more chunks than it has credit for, and forgets the upload", async () => {
    const session = sessionOf();
    await session.begin("s", "a", 1);
    const writes = Array.from({ length: blobWindow + 1 }, () => session.write("s", 1, chunk()));
    const outcomes = await Promise.allSettled(writes);
    expect(outcomes.at(-1)).toMatchObject({ status: "rejected", reason: { code: "overflow" } });
    await expect(session.commit("s", 1, emptySum)).rejects.toMatchObject({ code: "unavailable" });
    expect(session.size).toBe(0);
    expect(session.table.describe().blobBytes).toBe(0);
  });

  test("bounds what is on its way for it", async () => {
    const session = sessionOf();
    await session.begin("s", "a", 1);
    await session.write("s", 1, chunk());
    await session.commit("s", 1, emptySum);
    const { version } = (await session.table.find("s", "a"))!;
    const reads = await Promise.allSettled(Array.from({ length: 300 }, () => session.read("s", "a", version, 0)));
    expect(reads.filter(({ status }) => status === "fulfilled")).toHaveLength(256);
    expect(reads.at(-1)).toMatchObject({ reason: { code: "overflow" } });
    expect(await session.read("s", "a", version, 0)).toHaveLength(blobChunkBytes);
  });

  test("begins an upload that is asked for again once, and takes nothing for one of another store", async () => {
    const session = sessionOf();
    await Promise.all([session.begin("s", "a", 1), session.begin("s", "a", 1)]);
    expect(session.size).toBe(1);
    await expect(session.write("t", 1, chunk())).rejects.toMatchObject({ code: "unavailable" });
    await expect(session.write("s", 2, chunk())).rejects.toMatchObject({ code: "unavailable" });
  });
});

test("permissions: a store that is not among them is denied, for everything, and not listed", async () => {
  const [hubKeys, mine, free] = [generateKeyPair(), generateKeyPair(), generateKeyPair()];
  const clients = { [mine.publicKey]: { blobs: ["mine"] }, [free.publicKey]: {} };
  const url = await hub({ auth: { secretKey: hubKeys.secretKey, clients } });
  const auth = (keys: typeof mine): object => ({ auth: { curve: { serverKey: hubKeys.publicKey, ...keys } } });
  const [driver, other] = [await client(url, auth(mine)), await client(url, auth(free))];
  await (await driver.blobs!.upload("mine", "a")).commit(emptySum);
  await (await other.blobs!.upload("theirs", "a")).commit(emptySum);
  const denied = { code: "denied" };
  const blobs = driver.blobs!;
  await expect(blobs.open("theirs")).rejects.toMatchObject(denied);
  await expect(blobs.upload("theirs", "b")).rejects.toMatchObject(denied);
  await expect(blobs.download("theirs", "a")).rejects.toMatchObject(denied);
  await expect(blobs.delete("theirs", "a")).rejects.toMatchObject(denied);
  await expect(blobs.list("theirs", "", undefined)).rejects.toMatchObject(denied);
  await expect(blobs.destroy("theirs")).rejects.toMatchObject(denied);
  expect(await driver.list("blobs")).toEqual(["mine"]);
  expect(await other.list("blobs")).toEqual(["mine", "theirs"]);
  expect((await other.blobs!.list("theirs", "", undefined)).blobs).toEqual([{ name: "a", bytes: 0 }]);
});
