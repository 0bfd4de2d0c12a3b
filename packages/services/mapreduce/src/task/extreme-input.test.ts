/** Inputs at the edges of what there is: nothing, much too much in one piece, and bytes that are no text. */
import { execFile } from "node:child_process";
import { mkdtemp, open, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { InputFile } from "../input/plan.ts";
import { type LocalRunOptions, runLocally } from "./local-run.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "quadrant-test-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function written(name: string, content: string | Uint8Array): Promise<InputFile> {
  const path = join(folder, name);
  await writeFile(path, content);
  return { path, bytes: (await stat(path)).size };
}

/** What was counted, all parts together. */
async function counted(
  files: readonly InputFile[],
  options: Partial<LocalRunOptions> = {},
): Promise<ReadonlyMap<string, number>> {
  const out = join(folder, "out");
  await rm(out, { recursive: true, force: true });
  await runLocally({ module: "word-count" }, files, { out, partitions: 3, ...options });
  return countsIn(out);
}

async function countsIn(out: string): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  for (const name of await readdir(out)) {
    if (name === "_SUCCESS") continue;
    for (const line of (await readFile(join(out, name), "utf8")).split("\n").slice(0, -1)) {
      const [word = "", count] = line.split("\t");
      expect(counts.has(word)).toBe(false);
      counts.set(word, Number(count));
    }
  }
  return counts;
}

const count = (text: string): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>();
  for (const run of text.match(/[\p{L}\p{N}\p{M}]+/gu) ?? []) {
    counts.set(run.toLowerCase(), (counts.get(run.toLowerCase()) ?? 0) + 1);
  }
  return counts;
};

describe("word count", () => {
  it("of no files, and of empty ones, is empty parts", async () => {
    expect(await counted([])).toEqual(new Map());
    expect(await counted([await written("a", ""), await written("b", "")])).toEqual(new Map());
    expect((await readdir(join(folder, "out"))).sort()).toEqual([
      "_SUCCESS",
      "part-00000-of-3",
      "part-00001-of-3",
      "part-00002-of-3",
    ]);
  });

  it("of more parts than words", async () => {
    expect(await counted([await written("a", "one two one")], { partitions: 40 })).toEqual(
      new Map([
        ["one", 2],
        ["two", 1],
      ]),
    );
  });

  it("of names that objects have anyway", async () => {
    const text = "constructor __proto__ toString hasOwnProperty valueOf CONSTRUCTOR\n";
    expect(await counted([await written("a", text.repeat(30))], { splitBytes: 100 })).toEqual(count(text.repeat(30)));
  });

  it.each([1, 2, 3, 5, 16, 1_000])(
    "of characters that splits of %i bytes would cut, CRLF, and invalid UTF-8",
    async (splitBytes) => {
      const text = Buffer.concat([
        Buffer.from("été naïve 漢字 😀smile😀 𝒜𝒷\r\nΟΔΟΣ e\u0301te\u0301\r\n"),
        Buffer.from([0x61, 0xe2, 0x80, 0x62, 0x20, 0xff, 0xc3, 0x20, 0xed, 0xa0, 0x80, 0x7a, 0x0a]),
        Buffer.from("é".repeat(40)),
      ]);
      const file = await written("a", text);
      expect(await counted([file], { splitBytes })).toEqual(count(text.toString()));
    },
  );

  it("of a word of a megabyte, more than once, in memory for less", async () => {
    const word = "Xé".repeat(350_000);
    const file = await written("a", `a ${word} b ${word}\n${word.toUpperCase()}`);
    const found = await counted([file], { memoryBytes: 500_000 });
    expect([...found].map(([each, times]) => [each.length, times]).sort()).toEqual([
      [1, 1],
      [1, 1],
      [700_000, 3],
    ]);
  });
});

const program = fileURLToPath(new URL("./memory-process.ts", import.meta.url));

async function runWithin(
  path: string,
  module: string,
  memoryBytes: number,
  splitBytes: number,
): Promise<{ readonly peakBytes: number; readonly counters: Readonly<Record<string, number>> }> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    program,
    path,
    join(folder, "out"),
    module,
    String(memoryBytes),
    String(splitBytes),
  ]);
  return JSON.parse(stdout);
}

describe("memory stays within a worker's budget and a quarter", () => {
  const budget = 256 * 1024 * 1024 * 1.25;

  it("with one line of 64 MB", { timeout: 120_000 }, async () => {
    const path = join(folder, "line");
    const file = await open(path, "w");
    const piece = Buffer.from("the bus, the BUS; a—b été ".repeat(38_462));
    for (let i = 0; i < 61; i++) await file.writeFile(piece);
    await file.close();
    const { peakBytes, counters } = await runWithin(path, "word-count", 96 << 20, 16 << 20);
    expect(counters["map.bytes"]).toBe(61 * piece.length);
    expect((await countsIn(join(folder, "out"))).get("bus")).toBe(61 * 38_462 * 2);
    expect(peakBytes).toBeLessThan(budget);
  });

  it("with more different words than fit, which are written to disk", { timeout: 120_000 }, async () => {
    const path = join(folder, "words");
    const file = await open(path, "w");
    for (let from = 0; from < 3_000_000; from += 100_000) {
      await file.writeFile(Array.from({ length: 100_000 }, (_, i) => `different-${from + i}x`).join(" "));
      await file.writeFile("\n");
    }
    await file.close();
    const { peakBytes, counters } = await runWithin(path, "word-count", 32 << 20, 64 << 20);
    expect(counters["output.records"]).toBe(3_000_001);
    expect(counters["spilled.bytes"]).toBeGreaterThan(10_000_000);
    expect(peakBytes).toBeLessThan(budget);
  });

  it("with a sort of what does not fit", { timeout: 120_000 }, async () => {
    const path = join(folder, "lines");
    const file = await open(path, "w");
    for (let from = 0; from < 1_000_000; from += 50_000) {
      const lines = Array.from(
        { length: 50_000 },
        (_, i) => `${((from + i) * 7_919) % 1_000_003} of these is a line that takes sixty bytes\n`,
      );
      await file.writeFile(lines.join(""));
    }
    await file.close();
    const { peakBytes, counters } = await runWithin(path, "distributed-sort", 32 << 20, 1 << 30);
    expect(counters).toMatchObject({ "output.records": 1_000_000, "output.bytes": (await stat(path)).size });
    expect(counters["spilled.bytes"]).toBeGreaterThan((await stat(path)).size);
    expect(peakBytes).toBeLessThan(budget);
  });
});
