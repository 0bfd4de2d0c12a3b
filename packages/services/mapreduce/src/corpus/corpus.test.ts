import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { writeCorpus } from "./corpus.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "quadrant-test-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it("a corpus has the words that it says it has, and is the same for the same seed", async () => {
  const options = { seed: 5, bytes: 300_000, files: 3, words: 2_000 };
  const corpus = await writeCorpus(join(folder, "one"), options);
  const texts = await Promise.all(corpus.files.map(({ path }) => readFile(path, "utf8")));
  const counts = new Map<string, number>();
  for (const word of texts.join("").match(/[\p{L}\p{N}\p{M}]+/gu) ?? []) {
    counts.set(word.toLowerCase(), (counts.get(word.toLowerCase()) ?? 0) + 1);
  }
  expect(new Map([...counts].sort())).toEqual(new Map([...corpus.counts].sort()));
  expect(corpus.total).toBe([...counts.values()].reduce((sum, each) => sum + each));
  expect(corpus.bytes).toBe(texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0));
  expect(corpus.bytes).toBeGreaterThan(299_999);
  const again = await writeCorpus(join(folder, "two"), options);
  expect(await readFile(again.files[2]!.path, "utf8")).toBe(texts[2]);
  const other = await writeCorpus(join(folder, "three"), { ...options, seed: 6 });
  expect(await readFile(other.files[2]!.path, "utf8")).not.toBe(texts[2]);
});

it("the n-th most frequent word comes in proportion to 1 / n", async () => {
  const { counts, total } = await writeCorpus(folder, { seed: 1, bytes: 1_000_000, files: 1, words: 100 });
  const harmonic = Array.from({ length: 100 }, (_, rank) => 1 / (rank + 1)).reduce((sum, each) => sum + each);
  const byCount = [...counts.values()].sort((a, b) => b - a);
  for (const rank of [1, 2, 5, 20, 60]) {
    const expected = total / rank / harmonic;
    expect(Math.abs(byCount[rank - 1]! - expected)).toBeLessThan(expected * 0.1);
  }
});
