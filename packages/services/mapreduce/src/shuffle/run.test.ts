import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { TaskError } from "../task/failure.ts";
import { blockBytes } from "./block-writer.ts";
import type { PairCursor } from "./cursor.ts";
import { openFolderStore } from "./folder-store.ts";
import { MergeCursor } from "./merge.ts";
import { BlockCursor } from "./pair-block.ts";
import { RunCursor } from "./run-cursor.ts";
import type { Compression } from "./run-format.ts";
import { spillPairs, storeRun } from "./run-output.ts";
import type { RunReference, RunStore } from "./run-store.ts";
import { SpillFolder } from "./spill-folder.ts";

type Pair = readonly [key: string, value: string];

let folder = "";
let store: RunStore;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "quadrant-test-"));
  store = await openFolderStore(join(folder, "runs"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

class ListCursor extends BlockCursor implements PairCursor {
  readonly #pairs: readonly Pair[];
  #next = 0;

  constructor(pairs: readonly Pair[]) {
    super();
    this.#pairs = pairs;
  }

  override advance(): boolean {
    const pair = this.#pairs[this.#next++];
    if (pair === undefined) return false;
    const [key, value] = pair.map((each) => Buffer.from(each)) as [Buffer, Buffer];
    this.bytes = Buffer.concat([key, value]);
    this.value = key.length;
    this.end = this.bytes.length;
    return true;
  }

  close(): void {}
}

function pairsOf(cursor: PairCursor): readonly Pair[] {
  const found: Pair[] = [];
  while (cursor.advance()) {
    const { bytes, key, value, end } = cursor;
    found.push([bytes.toString("utf8", key, value), bytes.toString("utf8", value, end)]);
  }
  cursor.close();
  return found;
}

async function stored(pairs: readonly Pair[], compression: Compression = "none"): Promise<RunReference> {
  return (await storedIfAny(pairs, compression))!;
}

function storedIfAny(pairs: readonly Pair[], compression: Compression): Promise<RunReference | undefined> {
  return storeRun(new ListCursor(pairs), { name: "run.m0.p0.1", map: 0, partition: 0 }, compression, store);
}

const many: readonly Pair[] = Array.from({ length: 20_000 }, (_, i) => [String(i).padStart(6, "0"), `value ${i}`]);

describe("a run", () => {
  it.each(["none", "zstd", "gzip"] as const)("holds pairs of any size, compression %s", async (compression) => {
    const pairs: readonly Pair[] = [
      ...many,
      ["long", "x".repeat(3 * blockBytes)],
      ["z".repeat(blockBytes), ""],
      ["z~", ""],
    ];
    const run = await stored(pairs, compression);
    expect(run.records).toBe(pairs.length);
    expect((await readFile(store.pathOf!(run.name))).length).toBe(run.bytes);
    expect(pairsOf(new RunCursor(store.pathOf!(run.name), run))).toEqual(pairs);
    if (compression !== "none") expect(run.bytes).toBeLessThan(200_000);
  });

  it("of nothing is none, and nothing is stored", async () => {
    expect(await storedIfAny([], "none")).toBeUndefined();
    expect(await readdir(join(folder, "runs"))).toEqual([]);
  });
});

describe("a run that is not what was stored is known by its map task", () => {
  function lost(run: RunReference): TaskError {
    try {
      pairsOf(new RunCursor(store.pathOf!(run.name), run));
    } catch (error) {
      if (error instanceof TaskError) return error;
      throw error;
    }
    throw new Error("it was read as if nothing had happened");
  }

  it("when it is gone", async () => {
    const run = await stored(many);
    expect(await store.remove(run.name)).toBe(true);
    expect(lost({ ...run, map: 3 }).failure).toMatchObject({ kind: "run", run: run.name, map: 3 });
  });

  it("when it is cut short", async () => {
    const run = await stored(many);
    await truncate(store.pathOf!(run.name), run.bytes - 1);
    expect(lost(run).failure).toMatchObject({ kind: "run", message: expect.stringContaining("instead of") });
  });

  it.each(["none", "zstd", "gzip"] as const)(
    "when any of its bytes is another, compression %s",
    async (compression) => {
      const run = await stored(many.slice(0, 200), compression);
      const path = store.pathOf!(run.name);
      const bytes = await readFile(path);
      for (let at = 0; at < bytes.length; at += at < 40 ? 1 : 97) {
        const damaged = Buffer.from(bytes);
        damaged[at]! ^= 0x41;
        await writeFile(path, damaged);
        expect(lost(run).failure, `byte ${at}`).toMatchObject({ kind: "run" });
      }
    },
  );

  it("when it has other pairs than were told", async () => {
    const run = await stored(many);
    expect(lost({ ...run, records: run.records + 1 }).failure).toMatchObject({ kind: "run" });
  });
});

describe("a merge", () => {
  it("is what sorting all would be, equal keys in the order of the runs", () => {
    const key = fc.string({ unit: fc.constantFrom("a", "b", "\0", "é"), maxLength: 9 });
    const lists = fc.array(fc.array(key, { maxLength: 30 }), { maxLength: 8 });
    fc.assert(
      fc.property(lists, fc.constantFrom("ascending", "descending"), (given, order) => {
        const sign = order === "ascending" ? 1 : -1;
        const compare = ([a]: Pair, [b]: Pair): number => sign * Buffer.compare(Buffer.from(a), Buffer.from(b));
        const sorted = given.map((keys, list) => keys.map((each, at): Pair => [each, `${list}.${at}`]).sort(compare));
        const merged = new MergeCursor(
          sorted.map((pairs) => new ListCursor(pairs)),
          order,
        );
        expect(pairsOf(merged)).toEqual(sorted.flat().sort(compare));
      }),
    );
  });

  it("of more runs than can be open at once", () => {
    const spills = new SpillFolder(folder);
    const runs = Array.from({ length: 300 }, (_, run) =>
      spills.keep((path) => spillPairs(path, new ListCursor(many.filter((_, at) => at % 300 === run)))),
    );
    expect(pairsOf(spills.merge(runs, "ascending"))).toEqual(many);
    spills.close();
  });
});
