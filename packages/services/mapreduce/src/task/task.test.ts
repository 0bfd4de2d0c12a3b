import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { planSplits, type Split } from "../input/plan.ts";
import { words } from "../input/words.ts";
import { openOutputFolder } from "../output/output-folder.ts";
import { openFolderStore } from "../shuffle/folder-store.ts";
import type { RunStore } from "../shuffle/run-store.ts";
import { TaskError, type TaskFailure } from "./failure.ts";
import { runMapTask } from "./map-task.ts";
import { runReduceTask } from "./reduce-task.ts";
import type { MapTask, ReduceTask, TaskSurroundings } from "./task.ts";

const engine = new URL("../index.ts", import.meta.url).href;
let folder = "";
let surroundings: TaskSurroundings;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "quadrant-test-"));
  surroundings = {
    runs: await openFolderStore(join(folder, "runs")),
    parts: await openFolderStore(join(folder, "parts")),
    scratch: join(folder, "scratch"),
  };
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A job of a user's own, in a module of its own. */
async function job(definition: string): Promise<{ readonly module: string }> {
  const path = join(folder, `job-${(await readdir(folder)).length}.mjs`);
  await writeFile(path, `import * as mapreduce from ${JSON.stringify(engine)};\n${definition}`);
  return { module: new URL(`file://${path}`).href };
}

const letters = `export default mapreduce.defineJob({
  name: "letters",
  map: (line, emit, { count }) => {
    if (line.includes("poison")) throw new TypeError("cannot map " + line);
    count("lines");
    for (const letter of line) emit(letter, line.length);
  },
  reduce: (letter, lengths, emit) => {
    if (letter === "!") throw new RangeError("no such letter");
    emit([letter, [...lengths].join(" ")]);
  },
});`;

async function mapOf(text: string, reference: MapTask["job"], more: Partial<MapTask> = {}): Promise<MapTask> {
  const path = join(folder, "input");
  await writeFile(path, text);
  const { splits } = await planSplits(words, [{ path, bytes: Buffer.byteLength(text) }]);
  const split: Split = splits[0] ?? { ranges: [], bytes: 0 };
  return { run: "test", job: reference, attempt: "1", memoryBytes: 1 << 20, index: 0, split, partitions: 2, ...more };
}

async function failure(task: Promise<unknown>): Promise<TaskFailure> {
  const error = await task.then(
    () => new Error("it did not fail"),
    (each: unknown) => each,
  );
  if (error instanceof TaskError) return error.failure;
  throw error;
}

async function reduceOf(map: MapTask, partition: number, more: Partial<ReduceTask> = {}): Promise<ReduceTask> {
  const { runs } = await runMapTask(map, surroundings);
  const own = runs.filter((run) => run.partition === partition);
  return {
    run: "test",
    job: map.job,
    attempt: "1",
    memoryBytes: 1 << 20,
    partition,
    partitions: 2,
    runs: own,
    ...more,
  };
}

async function textOf(store: RunStore, name: string): Promise<string> {
  return readFile(store.pathOf!(name), "utf8");
}

describe("a map task", () => {
  it("stores a run for each partition that gets something, and counts", async () => {
    const result = await runMapTask(await mapOf("ab\nb\n", await job(letters)), surroundings);
    expect(result.runs.reduce((sum, run) => sum + run.records, 0)).toBe(3);
    expect(result.counters).toMatchObject({ lines: 2, "map.records": 2, "map.bytes": 5, "shuffle.records": 3 });
    expect((await readdir(join(folder, "runs"))).sort()).toEqual(result.runs.map(({ name }) => name).sort());
    expect(await readdir(surroundings.scratch)).toEqual([]);
  });

  it("says which record failed, with the stack of user code, and leaves it out when told to", async () => {
    const map = await mapOf("ab\nthe poison\nb\n", await job(letters));
    const bad = { path: join(folder, "input"), offset: 3 };
    const failed = await failure(runMapTask(map, surroundings));
    expect(failed).toMatchObject({ kind: "record", record: bad, message: `${bad.path}:3: cannot map the poison` });
    expect(failed).toMatchObject({
      stack: expect.stringMatching(/TypeError: cannot map the poison\n\s+at .*job-\d\.mjs:5/),
    });
    const result = await runMapTask({ ...map, skip: [bad] }, surroundings);
    expect(result.skipped).toEqual([{ record: bad, message: "it failed before" }]);
    expect(result.counters).toMatchObject({ lines: 2 });
  });

  it("fails on what a codec cannot write, and on a partition that is none, by record", async () => {
    const number = await job(
      `export default mapreduce.defineJob({ name: "n", map: (l, emit) => emit(1, 1), reduce: () => {} });`,
    );
    expect(await failure(runMapTask(await mapOf("a\n", number), surroundings))).toMatchObject({
      kind: "record",
      message: expect.stringContaining('1 is not a string, which the codec "text" writes'),
    });
    const combined = await job(
      `export default mapreduce.defineJob({ name: "n", value: mapreduce.count, combine: (a, b) => a + b,
        map: (l, emit) => emit(l, -1), reduce: () => {} });`,
    );
    expect(await failure(runMapTask(await mapOf("x\na\n", combined), surroundings))).toMatchObject({
      kind: "record",
      record: { offset: 0 },
      message: expect.stringContaining("-1 is not a whole number"),
    });
    const astray = await job(
      `export default mapreduce.defineJob({ name: "n", partition: () => 2, map: (l, emit) => emit(l, 1), reduce: () => {} });`,
    );
    expect(await failure(runMapTask(await mapOf("a\n", astray), surroundings))).toMatchObject({
      message: expect.stringContaining("partition() gave 2, which is none of 0 to 1"),
    });
  });

  it("fails for good where the job does not load or is none", async () => {
    const missing = { module: new URL(`file://${folder}/no-job.mjs`).href };
    expect(await failure(runMapTask(await mapOf("a", missing), surroundings))).toMatchObject({ kind: "job" });
    const none = await job("export default { name: 'half a job' };");
    expect(await failure(runMapTask(await mapOf("a", none), surroundings))).toMatchObject({
      kind: "job",
      message: expect.stringContaining("exports no job"),
    });
  });

  it("says when the input is gone, when it is told to stop, and when nothing can be stored", async () => {
    const map = await mapOf("a b\n", { module: "word-count" });
    await rm(join(folder, "input"));
    expect(await failure(runMapTask(map, surroundings))).toMatchObject({ kind: "input" });
    const there = await mapOf("a b\n", { module: "word-count" });
    const stopped = { ...surroundings, signal: AbortSignal.abort() };
    expect(await failure(runMapTask(there, stopped))).toMatchObject({ kind: "aborted" });
    const full: RunStore = { ...surroundings.runs, put: () => Promise.reject(new Error("ENOSPC: no space left")) };
    expect(await failure(runMapTask(there, { ...surroundings, runs: full }))).toMatchObject({
      kind: "storage",
      message: "ENOSPC: no space left",
    });
  });

  it("lets others have their turn while user code takes long", async () => {
    const slow = await job(`export default mapreduce.defineJob({
      name: "slow", map: () => { for (const until = performance.now() + 2; performance.now() < until; ); }, reduce: () => {} });`);
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    await runMapTask(await mapOf("line\n".repeat(200), slow), surroundings);
    clearInterval(timer);
    expect(turns).toBeGreaterThan(2);
  });
});

describe("memory that is too small changes nothing but what is spilled", () => {
  const lines = Array.from({ length: 20_000 }, (_, i) => `${(i * 7_919) % 5_000} ${i} é`).join("\n");

  it.each([
    [
      "of a job that sorts",
      `(l, emit) => emit(l.split(" ")[0], Number(l.split(" ")[1]))`,
      "undefined",
      "mapreduce.json()",
    ],
    [
      "of a job that combines",
      `(l, emit) => emit(l.split(" ")[0], Number(l.split(" ")[1]))`,
      "(a, b) => a + b",
      "mapreduce.json()",
    ],
    [
      "of a job that adds up",
      `(l, emit) => emit(l.split(" ")[0], Number(l.split(" ")[1]))`,
      "mapreduce.sum",
      "mapreduce.count",
    ],
    [
      "of a job with numbers for keys",
      `(l, emit) => emit(Number(l.split(" ")[0]) - 2500, 1)`,
      "(a, b) => a + b",
      "mapreduce.json()",
    ],
  ])("%s", async (_, map, combine, value) => {
    const key = map.includes("- 2500") ? "mapreduce.number" : "mapreduce.text";
    const reference = await job(`export default mapreduce.defineJob({
      name: "n", key: ${key}, value: ${value}, combine: ${combine}, map: ${map},
      reduce: (key, values, emit) => emit([key, [...values].join(" ")]) });`);
    const parts: string[] = [];
    for (const memoryBytes of [64 << 20, 600_000, 10_000]) {
      const task = await mapOf(lines, reference, { memoryBytes, partitions: 2 });
      const { counters } = await runMapTask(task, surroundings);
      if (memoryBytes === 10_000) expect(counters["spilled.bytes"]).toBeGreaterThan(10_000);
      const { part } = await runReduceTask(await reduceOf(task, 1, { memoryBytes }), surroundings);
      parts.push(await textOf(surroundings.parts, part.name));
      expect(await readdir(surroundings.scratch)).toEqual([]);
    }
    expect(parts[0]!.length).toBeGreaterThan(500);
    expect(parts.map((part) => part === parts[0])).toEqual([true, true, true]);
  });
});

describe("a reduce task", () => {
  it("gives each key its values in the order of the maps, and stores a part", async () => {
    const reference = await job(letters);
    const first = await runMapTask(await mapOf("aba\n", reference, { partitions: 1 }), surroundings);
    const second = await runMapTask(await mapOf("ba\na\n", reference, { partitions: 1, index: 1 }), surroundings);
    const runs = [...second.runs, ...first.runs];
    const task = { run: "test", job: reference, attempt: "9", memoryBytes: 1 << 20, partition: 0, partitions: 1, runs };
    const { part, counters } = await runReduceTask(task, surroundings);
    expect(await textOf(surroundings.parts, part.name)).toBe("a\t3 3 2 1\nb\t3 2\n");
    expect(part).toMatchObject({ partition: 0, part: "part-00000-of-1", bytes: 16 });
    expect(counters).toMatchObject({ "reduce.records": 6, "reduce.keys": 2, "output.records": 2, "output.bytes": 16 });
  });

  it("of nothing stores an empty part", async () => {
    const task = {
      run: "test",
      job: { module: "word-count" },
      attempt: "1",
      memoryBytes: 1 << 20,
      partition: 1,
      partitions: 2,
      runs: [],
    };
    const { part } = await runReduceTask(task, surroundings);
    expect(await textOf(surroundings.parts, part.name)).toBe("");
  });

  it("says which key failed, and leaves it out when told to", async () => {
    const reduce = await reduceOf(await mapOf("a!b\n", await job(letters), { partitions: 1 }), 0, { partitions: 1 });
    const failed = await failure(runReduceTask(reduce, surroundings));
    const key = Buffer.from("!").toString("base64");
    expect(failed).toMatchObject({ kind: "record", record: { key }, message: 'key "!": no such letter' });
    expect(await readdir(join(folder, "parts"))).toEqual([]);
    const { part, skipped } = await runReduceTask({ ...reduce, skip: [{ key }] }, surroundings);
    expect(skipped).toEqual([{ record: { key }, message: "it failed before" }]);
    expect(await textOf(surroundings.parts, part.name)).toBe("a\t3\nb\t3\n");
  });

  it.each(["word-count", "own"])("says which run is lost, so that its map task can run again: %s", async (name) => {
    const reference = name === "own" ? await job(letters) : { module: name };
    const reduce = await reduceOf(await mapOf("a b c d e f g h i j\n", reference, { index: 5 }), 0);
    const path = surroundings.runs.pathOf!(reduce.runs[0]!.name);
    const bytes = await readFile(path);
    bytes[bytes.length - 1]! ^= 1;
    await writeFile(path, bytes);
    expect(await failure(runReduceTask(reduce, surroundings))).toMatchObject({
      kind: "run",
      map: 5,
      run: reduce.runs[0]!.name,
    });
    await rm(path);
    expect(await failure(runReduceTask(reduce, surroundings))).toMatchObject({ kind: "run", map: 5 });
    expect(await readdir(surroundings.scratch)).toEqual([]);
  });

  it("fetches runs from a store without files", async () => {
    const { pathOf: _, ...remote } = surroundings.runs;
    const reduce = await reduceOf(await mapOf("a b c\n", { module: "word-count" }, { partitions: 1 }), 0, {
      partitions: 1,
    });
    const { part } = await runReduceTask(reduce, { ...surroundings, runs: remote });
    expect(await textOf(surroundings.parts, part.name)).toBe("a\t1\nb\t1\nc\t1\n");
    await surroundings.runs.remove(reduce.runs[0]!.name);
    expect(await failure(runReduceTask(reduce, { ...surroundings, runs: remote }))).toMatchObject({
      kind: "run",
      map: 0,
    });
  });
});

describe("an output folder", () => {
  it("takes the first of two attempts, by rename, and says when all is there", async () => {
    const output = await openOutputFolder(join(folder, "out"));
    const reduce = await reduceOf(await mapOf("a b\n", { module: "word-count" }, { partitions: 1 }), 0, {
      partitions: 1,
    });
    const own = { ...surroundings, parts: output.parts };
    const first = await runReduceTask({ ...reduce, attempt: "1" }, own);
    const second = await runReduceTask({ ...reduce, attempt: "2" }, own);
    expect(await Promise.all([output.commit(second.part), output.commit(first.part)])).toEqual([true, false]);
    await output.succeed("done");
    expect(await readdir(join(folder, "out"))).toEqual(["_SUCCESS", "part-00000-of-1"]);
    await expect(openOutputFolder(join(folder, "out"))).rejects.toMatchObject({ code: "conflict" });
  });

  it("takes parts from elsewhere, and refuses damaged ones", async () => {
    const output = await openOutputFolder(join(folder, "out"));
    const reduce = await reduceOf(await mapOf("a b\n", { module: "word-count" }, { partitions: 1 }), 0, {
      partitions: 1,
    });
    const { part } = await runReduceTask(reduce, surroundings);
    await expect(output.commit({ ...part, sha256: "0" }, surroundings.parts)).rejects.toThrow(/is damaged/);
    expect(await output.commit(part, surroundings.parts)).toBe(true);
    await output.discard();
    expect(await readdir(join(folder, "out"))).toEqual([]);
  });
});
