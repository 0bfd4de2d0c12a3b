import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { blobChunkBytes } from "@quadrant/contract";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BlobTable } from "./blob-table.ts";
import { FileMedium } from "./file-medium.ts";
import { MemoryMedium } from "./memory-medium.ts";

const sumOf = (content: Uint8Array): string => createHash("sha256").update(content).digest("hex");

async function put(table: BlobTable, store: string, name: string, content: Uint8Array): Promise<void> {
  const upload = await table.upload(store, name);
  for (let at = 0; at < content.length; at += blobChunkBytes) {
    await upload.write(content.subarray(at, at + blobChunkBytes));
  }
  await upload.commit(sumOf(content));
}

async function contentOf(table: BlobTable, store: string, name: string): Promise<Buffer> {
  const { bytes, version } = (await table.find(store, name))!;
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes; at += chunks.at(-1)!.length) chunks.push(await table.read(store, name, version, at));
  return Buffer.concat(chunks);
}

describe("in memory", () => {
  const limit = 1_000_000;
  const tableOf = (): BlobTable => BlobTable.empty(new MemoryMedium("memory", limit), "memory");
  const held = (table: BlobTable): number => table.describe().blobBytes!;

  it("beyond what all may take is overflow, what could never fit is too-large, and both give their room back", async () => {
    const table = tableOf();
    await put(table, "s", "first", randomBytes(600_000));
    const before = held(table);
    const second = await table.upload("s", "second");
    const chunk = (): Uint8Array => new Uint8Array(blobChunkBytes);
    for (let n = 0; n < 3; n++) await second.write(chunk());
    await expect(second.write(chunk())).rejects.toMatchObject({ code: "overflow" });
    await second.abandon();
    expect(held(table)).toBe(before);
    await table.delete("s", "first");
    expect(held(table)).toBe(0);
    const huge = await table.upload("s", "huge");
    for (let n = 0; n < 7; n++) await huge.write(chunk());
    await expect(huge.write(chunk())).rejects.toMatchObject({ code: "too-large" });
    await huge.abandon();
    await huge.abandon();
    expect(held(table)).toBe(0);
  });

  it("what is replaced, deleted, destroyed or closed is given back; a small part of a large buffer does not keep it", async () => {
    const table = tableOf();
    await put(table, "s", "a", randomBytes(300_000).subarray(0, 10));
    expect(held(table)).toBeLessThan(2_000);
    for (let n = 0; n < 5; n++) await put(table, "s", "a", randomBytes(300_000));
    expect(held(table)).toBeLessThan(302_000);
    await put(table, "t", "a", randomBytes(300_000));
    await table.destroy("t");
    await table.delete("s", "a");
    const upload = await table.upload("s", "b");
    await upload.write(new Uint8Array(blobChunkBytes));
    await table.close();
    expect(held(table)).toBe(0);
    await expect(upload.commit("")).rejects.toMatchObject({ code: "closed" });
    await expect(table.upload("s", "c")).rejects.toMatchObject({ code: "closed" });
    expect(await table.find("s", "b")).toBeUndefined();
  });

  it("chunks that are empty, too large, or follow a smaller one are refused", async () => {
    const table = tableOf();
    const upload = await table.upload("s", "a");
    for (const size of [0, blobChunkBytes + 1]) {
      await expect(upload.write(new Uint8Array(size))).rejects.toMatchObject({ code: "invalid" });
    }
    await upload.write(new Uint8Array(5));
    await expect(upload.write(new Uint8Array(5))).rejects.toMatchObject({ code: "invalid" });
  });

  it("lists page by page, in order, what begins so", async () => {
    const table = tableOf();
    const names = Array.from({ length: 1_600 }, (_, n) => `${n % 2 === 0 ? "even" : "odd"}/${n}`);
    for (const name of names) await (await table.upload("s", name)).commit(sumOf(new Uint8Array(0)));
    const listed: string[] = [];
    let pages = 0;
    for (let after: string | undefined, more = true; more; pages++) {
      const page = await table.list("s", "", after);
      listed.push(...page.blobs.map(({ name }) => name));
      after = page.next;
      more = after !== undefined;
    }
    expect([pages, listed]).toEqual([2, names.toSorted()]);
    expect((await table.list("s", "odd/1", undefined)).blobs[0]).toEqual({ name: "odd/1", bytes: 0 });
    expect((await table.list("s", "odd/1", "odd/15")).blobs[0]?.name).toBe("odd/1501");
    expect((await table.list("s", "p", undefined)).blobs).toEqual([]);
  });
});

describe("in a folder", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "quadrant-blobs-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const reopened = (): Promise<BlobTable> => BlobTable.recover(new FileMedium(folder, "full", "file"), "file");
  const filesOf = async (): Promise<string[]> => (await readdir(folder, { recursive: true })).sort();
  const contentFiles = async (): Promise<string[]> =>
    (await filesOf()).filter((each) => /[0-9a-f]{32}-[0-9a-f]{12}$/.test(each)).map((each) => join(folder, each));

  it("is closed once what is being given up is gone", async () => {
    const table = await reopened();
    const given = await table.upload("s", "given");
    await given.write(new Uint8Array(blobChunkBytes));
    const drafts = async (): Promise<number> => (await filesOf()).filter((each) => each.includes("draft-")).length;
    expect(await drafts()).toBe(1);
    const abandoned = [given.abandon(), given.abandon()];
    await table.close();
    expect(await drafts()).toBe(0);
    await Promise.all(abandoned);
  });

  it("keeps stores, blobs, and that a store was destroyed", async () => {
    const [content, name] = [randomBytes(300_000), `ü/${"x".repeat(200)}`];
    const table = await reopened();
    await put(table, "s", name, content);
    await put(table, "s", "empty", new Uint8Array(0));
    await put(table, "gone", "a", content);
    await table.destroy("gone");
    await table.close();
    const again = await reopened();
    expect(again.names()).toEqual(["s"]);
    expect(Buffer.compare(await contentOf(again, "s", name), content)).toBe(0);
    expect(await again.find("s", "empty")).toMatchObject({ bytes: 0, sha256: sumOf(new Uint8Array(0)) });
    expect(again.isDestroyed("gone")).toBe(true);
    await expect(again.find("gone", "a")).rejects.toMatchObject({ code: "conflict" });
    await again.open("gone");
    expect((await (await reopened()).list("gone", "", undefined)).blobs).toEqual([]);
  });

  it("reads on, over a restart, what has not been replaced", async () => {
    const table = await reopened();
    const content = randomBytes(300_000);
    await put(table, "s", "kept", content);
    const { version } = (await table.find("s", "kept"))!;
    const again = await reopened();
    const rest = await again.read("s", "kept", version, blobChunkBytes);
    expect(Buffer.compare(rest, content.subarray(blobChunkBytes, 2 * blobChunkBytes))).toBe(0);
    await put(again, "s", "kept", content);
    await expect(again.read("s", "kept", version, 0)).rejects.toMatchObject({ code: "gap" });
  });

  it("removes, at the next opening, what was being written, made, replaced or destroyed when the process ended", async () => {
    const table = await reopened();
    await put(table, "s", "a", randomBytes(10));
    const upload = await table.upload("s", "a");
    await upload.write(new Uint8Array(1_000));
    const [old] = await contentFiles();
    await writeFile(join(folder, "blobs", "draft"), "not a folder");
    // As if the process had ended between the two steps of a replacement.
    const kept = await readFile(old!);
    await put(table, "s", "a", randomBytes(20));
    await writeFile(old!, kept);
    expect(await contentFiles()).toHaveLength(2);
    const again = await reopened();
    expect((await contentOf(again, "s", "a")).length).toBe(20);
    expect(await contentFiles()).toHaveLength(1);
    expect((await filesOf()).filter((each) => each.includes("draft-"))).toEqual([]);
  });

  it("a file that is shorter or other than it was is a damaged blob, and its name is still known", async () => {
    const table = await reopened();
    await put(table, "s", "cut", randomBytes(300_000));
    const [file] = await contentFiles();
    await truncate(file!, 200_000);
    const { version } = (await table.find("s", "cut"))!;
    await expect(table.read("s", "cut", version, 2 * blobChunkBytes)).rejects.toMatchObject({ code: "codec" });
    const again = await reopened();
    // Without its end nobody can say what its sum was: none that is computed is this one.
    expect(await again.find("s", "cut")).toMatchObject({ sha256: "" });
    expect((await again.list("s", "", undefined)).blobs).toMatchObject([{ name: "cut" }]);
    await put(again, "s", "cut", randomBytes(10));
    expect((await contentOf(again, "s", "cut")).length).toBe(10);
    expect(await contentFiles()).toHaveLength(1);
  });

  it("a file that is no blob's is left alone", async () => {
    const table = await reopened();
    await put(table, "s", "a", randomBytes(10));
    const [file] = await contentFiles();
    const foreign = join(file!, "..", `${"0".repeat(32)}-${"f".repeat(12)}`);
    await writeFile(foreign, "something else");
    const again = await reopened();
    expect((await again.list("s", "", undefined)).blobs).toEqual([{ name: "a", bytes: 10 }]);
    expect((await stat(foreign)).size).toBe(14);
  });

  it("concurrent uploads, deletes and a destroy leave no files but those of what is there", async () => {
    const table = await reopened();
    await Promise.all(
      Array.from({ length: 20 }, async (_, n) => {
        await put(table, "s", `n${n % 3}`, randomBytes(n * 1_000));
        if (n % 4 === 0) await table.delete("s", `n${n % 3}`);
        if (n % 5 === 0) await (await table.upload("s", "never")).abandon();
      }),
    );
    const there = (await table.list("s", "", undefined)).blobs;
    expect(await contentFiles()).toHaveLength(there.length);
    const late = await table.upload("s", "late");
    await late.write(new Uint8Array(10));
    await table.destroy("s");
    await expect(late.commit(sumOf(new Uint8Array(10)))).rejects.toMatchObject({ code: "conflict" });
    await late.abandon();
    expect(await contentFiles()).toEqual([]);
  });
});
