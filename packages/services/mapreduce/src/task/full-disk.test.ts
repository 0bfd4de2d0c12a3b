/** Disks that are full: what cannot be written fails its task as storage, whoever's code was running, and nothing stays behind. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { connect } from "@quadrant/bus";
import { type SmallDisk, smallDisk } from "@quadrant/testkit/faults";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { planSplits } from "../input/plan.ts";
import { words } from "../input/words.ts";
import type { JobReference } from "../job/reference.ts";
import { runJob } from "../roles/embedded.ts";
import { openFolderStore } from "../shuffle/folder-store.ts";
import { runMapTask } from "./map-task.ts";
import { runReduceTask } from "./reduce-task.ts";
import type { MapTask, TaskSurroundings } from "./task.ts";

const engine = new URL("../index.ts", import.meta.url).href;
/** With less than this a task of `text` cannot do without its disk. */
const memoryBytes = 400_000;
let text = "";
for (let at = 0; at < 60_000; at++) text += `word${at.toString(36)} and${at.toString(7)}\n`;

let folder = "";
let disk: SmallDisk;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "quadrant-test-"));
  disk = await smallDisk(16 << 20);
  await writeFile(join(folder, "input"), text);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await disk[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** Counts words in code of its own, with or without a combine function. */
async function own(combine: string): Promise<JobReference> {
  const path = join(folder, "job.mjs");
  await writeFile(
    path,
    `import { count, defineJob, total, wordsOf } from ${JSON.stringify(engine)};
    export default defineJob({
      name: "own", value: count, ${combine}
      map: (line, emit) => { for (const word of wordsOf(line)) emit(word, 1); },
      reduce: (word, counts, emit) => emit([word, total(counts)]),
    });`,
  );
  return { module: pathToFileURL(path).href };
}

const jobs: readonly (readonly [string, () => Promise<JobReference>])[] = [
  ["word count, of the count table", async () => ({ module: "word-count" })],
  ["a job with combine", () => own("combine: (a, b) => a + b,")],
  ["a job without combine", () => own("")],
];

async function mapTask(job: JobReference, budget: number): Promise<MapTask> {
  const path = join(folder, "input");
  const { splits } = await planSplits(words, [{ path, bytes: Buffer.byteLength(text) }], { splitBytes: 1 << 30 });
  return { run: "test", job, attempt: "1", memoryBytes: budget, index: 0, split: splits[0]!, partitions: 1 };
}

async function surroundingsOf(where: { readonly scratch: string; readonly stores: string }): Promise<TaskSurroundings> {
  const runs = await openFolderStore(join(where.stores, "runs"));
  return { runs, parts: await openFolderStore(join(where.stores, "parts")), scratch: join(where.scratch, "scratch") };
}

/** Every file below a folder but what fills the disk. */
async function filesIn(path: string): Promise<readonly string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile() && entry.name !== ".filling").map(({ name }) => name);
}

const full = { kind: "storage", message: expect.stringMatching(/ENOSPC.*: free room.*memoryBytes/s) };

describe.each(jobs)("%s", (_, reference) => {
  it("maps with a full disk for its spills: fails as storage, leaves nothing, and succeeds when there is room", async () => {
    const task = await mapTask(await reference(), memoryBytes);
    const surroundings = await surroundingsOf({ scratch: disk.folder, stores: folder });
    await mkdir(surroundings.scratch);
    await disk.fill();
    await expect(runMapTask(task, surroundings)).rejects.toMatchObject({ failure: full });
    expect([await filesIn(disk.folder), await filesIn(join(folder, "runs"))]).toEqual([[], []]);
    await disk.free();
    const { runs, counters } = await runMapTask(task, surroundings);
    expect(counters["spilled.bytes"]).toBeGreaterThan(0);
    expect(runs).toHaveLength(1);
    expect(await filesIn(disk.folder)).toEqual([]);
  });

  it("maps with a full disk for its runs: fails as storage, and stores none", async () => {
    const task = await mapTask(await reference(), 64 << 20);
    const surroundings = await surroundingsOf({ scratch: folder, stores: disk.folder });
    await disk.fill();
    await expect(runMapTask(task, surroundings)).rejects.toMatchObject({ failure: full });
    expect(await filesIn(disk.folder)).toEqual([]);
  });

  it("reduces with a full disk for its part: fails as storage, and stores none", async () => {
    const task = await mapTask(await reference(), 64 << 20);
    const surroundings = await surroundingsOf({ scratch: folder, stores: folder });
    const { runs } = await runMapTask(task, surroundings);
    const { parts } = await surroundingsOf({ scratch: folder, stores: disk.folder });
    await disk.fill();
    const reduce = { ...task, partition: 0, runs };
    await expect(runReduceTask(reduce, { ...surroundings, parts })).rejects.toMatchObject({ failure: full });
    expect(await filesIn(disk.folder)).toEqual([]);
    expect((await runReduceTask(reduce, surroundings)).part.bytes).toBeGreaterThan(0);
  });
});

// Without combine, runs are merged as they are, and nothing is spilled.
it.each(jobs.slice(0, 2))(
  "%s: reduces with a full disk for its spills: fails as storage, and leaves nothing",
  async (_, reference) => {
    const task = await mapTask(await reference(), 64 << 20);
    const surroundings = await surroundingsOf({ scratch: disk.folder, stores: folder });
    const { runs } = await runMapTask(task, surroundings);
    await disk.fill();
    const reduce = { ...task, partition: 0, runs, memoryBytes };
    await expect(runReduceTask(reduce, surroundings)).rejects.toMatchObject({ failure: full });
    expect([await filesIn(disk.folder), await filesIn(join(folder, "parts"))]).toEqual([[], []]);
    await disk.free();
    expect((await runReduceTask(reduce, surroundings)).part.bytes).toBeGreaterThan(0);
  },
);

it("a job whose workers cannot spill fails and says what to do, without a part; the same job is done when there is room", async () => {
  vi.stubEnv("TMPDIR", disk.folder);
  const out = join(folder, "out");
  const inputs = [join(folder, "input")];
  const request = { reference: await own(""), inputs, out, workers: 2, memoryBytes, maxAttempts: 2 };
  const bus = await connect("memory:");
  try {
    await disk.fill();
    const failed = await runJob(bus, request, { embedded: true });
    expect(failed).toMatchObject({
      outcome: "failed",
      error: { message: expect.stringMatching(/ENOSPC.*free room/s) },
    });
    // Nothing was taken for a bad record and left out.
    expect(failed.skipped).toEqual([]);
    expect([await filesIn(disk.folder), await filesIn(out)]).toEqual([[], []]);
    await disk.free();
    expect(await runJob(bus, request, { embedded: true })).toMatchObject({ outcome: "done" });
    expect(await readFile(join(out, "part-00000-of-1"), "utf8")).toMatch(/^and0\t1\nand1\t1\n/);
    expect(await filesIn(disk.folder)).toEqual([]);
  } finally {
    await bus.close({ drainMs: 0 });
  }
});
