/** Each shipped job against a plain program of one process that does the same in the simplest way. */
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { writeCorpus } from "../corpus/corpus.ts";
import { seededRandom } from "../corpus/random.ts";
import type { InputFile } from "../input/plan.ts";
import type { Json } from "../job/codec.ts";
import { runLocally } from "../task/local-run.ts";

let folder = "";
let texts: readonly { readonly path: string; readonly text: string }[] = [];
let files: readonly InputFile[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "quadrant-test-"));
  files = (await writeCorpus(join(folder, "in"), { seed: 3, bytes: 200_000, files: 4, words: 3_000 })).files;
  texts = await Promise.all(files.map(async ({ path }) => ({ path, text: await readFile(path, "utf8") })));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

interface Choice {
  readonly partitions?: number;
  readonly memoryBytes?: number;
}

/** The lines of each part. */
async function run(
  module: string,
  options?: Json,
  { partitions = 3, memoryBytes }: Choice = {},
): Promise<readonly (readonly string[])[]> {
  const out = join(folder, `out-${(await readdir(folder)).length}`);
  await runLocally({ module, options }, files, { out, partitions, memoryBytes, splitBytes: 30_000 });
  const names = (await readdir(out)).filter((name) => name.startsWith("part-"));
  expect(names).toHaveLength(partitions);
  return Promise.all(names.map(async (name) => (await readFile(join(out, name), "utf8")).split("\n").slice(0, -1)));
}

const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
const keyOf = (line: string): string => line.split("\t")[0]!;

/** All lines; each part has to be sorted by key, and no key is in two. */
function merged(parts: readonly (readonly string[])[]): readonly string[] {
  for (const part of parts) expect(part.map(keyOf)).toEqual(part.map(keyOf).sort(byBytes));
  return parts.flat().sort(byBytes);
}

const wordsOf = (text: string): readonly string[] =>
  (text.match(/[\p{L}\p{N}\p{M}]+/gu) ?? []).map((word) => word.toLowerCase());

function counted(items: Iterable<string>): readonly string[] {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1);
  return [...counts].map(([item, count]) => `${item}\t${count}`).sort(byBytes);
}

const allLines = (): readonly string[] =>
  texts.flatMap(({ text }) => text.split(/\r?\n/).filter((_, at, all) => at < all.length - 1 || all[at] !== ""));

it("word count, also where next to nothing fits into memory", async () => {
  const expected = counted(texts.flatMap(({ text }) => wordsOf(text)));
  expect(merged(await run("word-count"))).toEqual(expected);
  expect(merged(await run("word-count", undefined, { memoryBytes: 1, partitions: 2 }))).toEqual(expected);
});

it("distinct words", async () => {
  expect(merged(await run("distinct-words"))).toEqual(
    [...new Set(texts.flatMap(({ text }) => wordsOf(text)))].sort(byBytes),
  );
});

it("inverted index", async () => {
  const index = new Map<string, Set<string>>();
  for (const { path, text } of texts) {
    for (const word of wordsOf(text)) index.set(word, (index.get(word) ?? new Set()).add(path));
  }
  const expected = [...index].map(([word, paths]) => `${word}\t${paths.size}\t${[...paths].sort().join(",")}`);
  const parts = await run("inverted-index");
  expect(merged(parts)).toEqual(expected.sort(byBytes));
  expect(await run("inverted-index", undefined, { memoryBytes: 50_000 })).toEqual(parts);
});

it("grep", async () => {
  const [pattern] = wordsOf(texts[0]!.text);
  const expected: string[] = [];
  for (const { path, text } of texts) {
    let offset = 0;
    for (const line of text.split("\n")) {
      if (new RegExp(pattern!, "i").test(line)) expected.push(`${path}:${offset}:${line.replace(/\r$/, "")}`);
      offset += Buffer.byteLength(line) + 1;
    }
  }
  expect(expected.length).toBeGreaterThan(5);
  const parts = await run("grep", { pattern: pattern!, flags: "gi" });
  expect(parts.flat().sort(byBytes)).toEqual(expected.sort(byBytes));
  await expect(run("grep", { pattern: "(" })).rejects.toMatchObject({ code: "invalid" });
});

it.each([2, 3])("n-grams of %i words", async (words) => {
  const grams = allLines().flatMap((line) => {
    const found = wordsOf(line);
    return found.slice(words - 1).map((_, at) => found.slice(at, at + words).join(" "));
  });
  const expected = counted(grams);
  expect(merged(await run("n-grams", { words }))).toEqual(expected);
  expect(merged(await run("n-grams", { words }, { memoryBytes: 100_000 }))).toEqual(expected);
  const frequent = merged(await run("n-grams", { words, atLeast: 3 }));
  expect(frequent).toEqual(expected.filter((line) => Number(line.split("\t")[1]) >= 3));
});

async function given(content: Readonly<Record<string, string>>): Promise<void> {
  await mkdir(join(folder, "given"), { recursive: true });
  files = await Promise.all(
    Object.entries(content).map(async ([source, text]) => {
      const path = join(folder, "given", source);
      await writeFile(path, text);
      return { path, bytes: (await stat(path)).size, source };
    }),
  );
}

it("top k of a table", async () => {
  const random = seededRandom(1);
  const rows = Array.from({ length: 5_000 }, (_, i) => `name ${i}\t${random() % 1_000}`);
  await given({ table: `${rows.join("\n")}\nno number\tat all\n` });
  const expected = [...rows].sort((a, b) => Number(b.split("\t")[1]) - Number(a.split("\t")[1]) || (a < b ? -1 : 1));
  expect(await run("top-k", { k: 25 })).toEqual([expected.slice(0, 25), [], []]);
  expect(await run("top-k", undefined, { partitions: 1 })).toEqual([expected.slice(0, 10)]);
});

it("join of two inputs", async () => {
  const random = seededRandom(2);
  const users = Array.from({ length: 300 }, (_, i) => ({ id: String(random() % 200), user: `user "${i}",` }));
  const orders = Array.from({ length: 900 }, (_, i) => ({ id: String(random() % 250), order: String(i) }));
  const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
  await given({
    left: `id,user\n${users.map(({ id, user }) => `${id},${quoted(user)}\n`).join("")}`,
    right: `order,id\n${orders.map(({ id, order }) => `${order},${id}\n`).join("")}`,
  });
  const expected = users.flatMap((user) =>
    orders.flatMap((order) =>
      user.id === order.id ? [JSON.stringify({ id: user.id, user: user.user, order: order.order })] : [],
    ),
  );
  expect((await run("join", { on: "id" })).flat().sort()).toEqual(expected.sort());
  await expect(run("join", { on: "id", left: "users" })).rejects.toThrow(/call them users=FILE and right=FILE/);
});

it("distributed sort: part after part the lines of all files", async () => {
  const parts = await run("distributed-sort", undefined, { memoryBytes: 40_000 });
  expect(parts.flat()).toEqual([...allLines()].sort(byBytes));
  for (const part of parts) expect(part.length).toBeGreaterThan(allLines().length / 10);
});

it("page rank, round after round", async () => {
  const random = seededRandom(4);
  const pages = Array.from({ length: 60 }, (_, page) => ({
    name: `page${page}`,
    links: page === 7 ? [] : [...new Set(Array.from({ length: 1 + (random() % 5) }, () => `page${random() % 60}`))],
  }));
  await given({ graph: pages.map(({ name, links }) => `${[name, "", ...links].join("\t")}\n`).join("") });
  let ranks = new Map(pages.map(({ name }) => [name, 1]));
  for (let round = 0; round < 12; round++) {
    const sums = new Map(pages.map(({ name }) => [name, 0]));
    const give = (name: string, rank: number): void => void sums.set(name, sums.get(name)! + rank);
    for (const { name, links } of pages) {
      if (links.length === 0) give(name, ranks.get(name)!);
      for (const link of links) give(link, ranks.get(name)! / links.length);
    }
    ranks = new Map([...sums].map(([name, sum]) => [name, 0.15 + 0.85 * sum]));
  }
  const found = merged(await run("page-rank", { rounds: 12 })).map((line) => line.split("\t"));
  expect(found.map(([name]) => name)).toEqual(pages.map(({ name }) => name).sort());
  for (const [name, rank, ...links] of found) {
    expect(Number(rank)).toBeCloseTo(ranks.get(name!)!, 9);
    expect(links).toEqual(pages.find((page) => page.name === name)!.links);
  }
});
