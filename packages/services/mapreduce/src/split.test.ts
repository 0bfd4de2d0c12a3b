import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readBlocks } from "./range-reader.ts";
import { defaultTaskBytes, findCuts, type ReadAt, splitDocuments } from "./split.ts";

const runs = (bytes: Uint8Array): readonly string[] =>
  Buffer.from(bytes)
    .toString("utf8")
    .match(/[\p{L}\p{N}\p{M}]+/gu) ?? [];

const readerOf =
  (bytes: Uint8Array): ReadAt =>
  async (position, length) =>
    bytes.subarray(position, position + length);

const text = fc.oneof(
  fc.uint8Array({ maxLength: 400 }),
  fc
    .string({ unit: fc.constantFrom("a", "B", "7", " ", "\n", "é", "’", "漢", "😀", "-"), maxLength: 300 })
    .map((given) => new TextEncoder().encode(given)),
);

describe("findCuts", () => {
  it("never cuts a word: the words of the ranges are the words of the whole, in order", async () => {
    await fc.assert(
      fc.asyncProperty(text, fc.integer({ min: 1, max: 60 }), async (bytes, taskBytes) => {
        const cuts = await findCuts(bytes.length, taskBytes, readerOf(bytes));
        const words = cuts.flatMap((end, index) => runs(bytes.subarray(cuts[index - 1] ?? 0, end)));
        expect(words).toEqual(runs(bytes));
        expect(cuts.at(-1) ?? 0).toBe(bytes.length);
        for (const [index, end] of cuts.entries()) expect(end).toBeGreaterThan(cuts[index - 1] ?? 0);
      }),
    );
  });

  it("cuts at the first separator from the wished size on", async () => {
    expect(await findCuts(11, 4, readerOf(Buffer.from("aaa bbbbb c")))).toEqual([4, 10, 11]);
    expect(await findCuts(6, 3, readerOf(Buffer.from("éééx y")))).toEqual([6]);
    expect(await findCuts(0, 3, readerOf(Buffer.from("")))).toEqual([]);
  });

  it("finds a separator that is far away, reading each byte about once", async () => {
    const bytes = Buffer.concat([Buffer.alloc(3_000_000, "a"), Buffer.from(" b")]);
    let read = 0;
    const cuts = await findCuts(bytes.length, 1000, async (position, length) => {
      read += length;
      return bytes.subarray(position, position + length);
    });
    expect(cuts).toEqual([3_000_001, 3_000_002]);
    expect(read).toBeLessThan(bytes.length + 4096);
  });
});

describe("splitDocuments", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "quadrant-split-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it("covers every byte of every file once, small files together, large ones in ranges", async () => {
    const documents = [];
    for (const [index, length] of [10, 0, 30, 5_000, 20, 90].entries()) {
      const path = join(folder, `f${index}.txt`);
      await writeFile(path, "word ".repeat(length / 5));
      documents.push({ path, bytes: length });
    }
    const { tasks, unread } = await splitDocuments(documents, 100);
    expect(unread).toEqual([]);
    for (const { path, bytes } of documents) {
      const ranges = tasks.flat().filter((range) => range.path === path);
      expect(ranges.map((range) => range.start)).toEqual(
        [0, ...ranges.slice(0, -1).map((range) => range.end)].slice(0, ranges.length),
      );
      expect(ranges.at(-1)?.end ?? 0).toBe(bytes);
    }
    for (const task of tasks) {
      expect(task.reduce((sum, range) => sum + range.end - range.start, 0)).toBeLessThanOrEqual(105);
    }
    expect(tasks.length).toBeLessThan(60);
  });

  it("reports a large file that is gone, and splits the rest", async () => {
    const path = join(folder, "kept.txt");
    await writeFile(path, "kept");
    const { tasks, unread } = await splitDocuments(
      [
        { path: join(folder, "gone.txt"), bytes: 1_000_000 },
        { path, bytes: 4 },
      ],
      1000,
    );
    expect(tasks).toEqual([[{ path, start: 0, end: 4 }]]);
    expect(unread).toEqual([{ path: join(folder, "gone.txt"), message: expect.stringContaining("ENOENT") }]);
  });

  it("aims at 64 tasks within bounds", () => {
    expect(defaultTaskBytes(0)).toBe(64 * 1024);
    expect(defaultTaskBytes(64 * 1024 * 1024)).toBe(1024 * 1024);
    expect(defaultTaskBytes(1e12)).toBe(4 * 1024 * 1024);
  });

  it("reads a range in blocks that cut no word, however long the words are", async () => {
    const path = join(folder, "long.txt");
    const content = `${"a".repeat(2_500_000)} ${"bé ".repeat(600_000)}${"漢".repeat(500_000)} end`;
    await writeFile(path, content);
    const words: string[] = [];
    await readBlocks({ path, start: 0, end: Buffer.byteLength(content) }, (block) => {
      for (const word of runs(block)) words.push(word);
    });
    expect(words).toEqual(content.match(/[\p{L}\p{N}\p{M}]+/gu));
  });

  it("says so when a file ends before its range does, and stops when told to", async () => {
    const path = join(folder, "short.txt");
    await writeFile(path, "ten bytes.");
    await expect(readBlocks({ path, start: 4, end: 20 }, () => undefined)).rejects.toThrow("it ended at byte 10");
    const aborted = readBlocks({ path, start: 0, end: 10 }, () => undefined, AbortSignal.abort());
    await expect(aborted).rejects.toThrow(/abort/);
  });
});
