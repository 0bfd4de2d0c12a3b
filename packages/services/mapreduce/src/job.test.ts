import { randomUUID } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Bus, connect } from "@quadrant/bus";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type JobOptions, type JobResult, openJob, runCoordinator } from "./coordinator.ts";
import { listDocuments } from "./document.ts";
import { eventPattern, type JobEvent, serviceAddress, spaceName } from "./job.ts";
import type { StatusService } from "./status.ts";
import { runWorker } from "./worker.ts";

/** The independent program: read, match, Map. */
function naive(texts: readonly Uint8Array[]): Map<string, number> {
  const words = new Map<string, number>();
  for (const text of texts) {
    for (const run of Buffer.from(text)
      .toString("utf8")
      .match(/[\p{L}\p{N}\p{M}]+/gu) ?? []) {
      words.set(run.toLowerCase(), (words.get(run.toLowerCase()) ?? 0) + 1);
    }
  }
  return words;
}

const sorted = (words: ReadonlyMap<string, number>): readonly [string, number][] =>
  [...words].sort(([a], [b]) => (a < b ? -1 : 1));

const texts: Readonly<Record<string, Uint8Array>> = {
  "plain.txt": Buffer.from("The quick brown fox. The lazy dog; the END\r\nthe end\n"),
  "names.js": Buffer.from("constructor __proto__ toString constructor\nhasOwnProperty"),
  "invalid.txt": Buffer.from([0x61, 0xe2, 0x80, 0x20, 0x62, 0xff, 0x63, 0x0a, 0x61]),
  "greek.txt": Buffer.from("ΟΔΟΣ ΟΔΟΣ. οδος ΑΣΑ İI ẞß"),
  "deep/chinese.txt": Buffer.from("第三章。没有空格的文字，第三章 ".repeat(50)),
  "deep/large.txt": Buffer.from(Array.from({ length: 9_000 }, (_, i) => `w${(i * 7919) % 1_009}’s ${i % 7}`).join(" ")),
  "deep/word.txt": Buffer.from(`${"long".repeat(4_000)} short`),
  "empty.txt": Buffer.from(""),
};

describe("a job", () => {
  let folder: string;
  let bus: Bus;
  let url: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "quadrant-job-"));
    await mkdir(join(folder, "deep"));
    await mkdir(join(folder, "nothing"));
    for (const [name, text] of Object.entries(texts)) await writeFile(join(folder, name), text);
  });
  afterAll(() => rm(folder, { recursive: true }));
  beforeEach(async () => {
    url = `memory:${randomUUID()}`;
    bus = await connect(url);
    return () => bus.close();
  });

  async function counted(workers: number, options: JobOptions = {}): Promise<JobResult> {
    const job = options.job ?? "job";
    const crew = Array.from({ length: workers }, (_, i) => runWorker(bus, { job, name: `w${i}`, reducers: 2 }));
    const result = await runCoordinator(bus, await listDocuments([folder]), { ...options, job });
    expect(await Promise.all(crew)).toEqual(Array.from({ length: workers }, () => "done"));
    return result;
  }

  it.each([1, 2, 4])("counts what the naive program counts, with %d workers", async (workers) => {
    const result = await counted(workers, { taskBytes: 2_000, partitions: 3 });
    expect(sorted(result.words)).toEqual(sorted(naive(Object.values(texts))));
    expect(result).toMatchObject({ files: 8, partitions: 3, unread: [] });
    expect(result.tasks).toBeGreaterThan(10);
    expect(result.total).toBe([...naive(Object.values(texts)).values()].reduce((sum, count) => sum + count, 0));
  });

  it.each([
    ["one task, one partition", { taskBytes: 1e9, partitions: 1 }],
    ["more partitions than a small job has words for", { partitions: 61 }],
    ["letters of a few characters", { letterChars: 50, partitions: 2 }],
  ])("counts the same with %s", async (_, options) => {
    expect(sorted((await counted(2, options)).words)).toEqual(sorted(naive(Object.values(texts))));
  });

  it("needs nobody where there is nothing to count", async () => {
    const listing = await listDocuments([join(folder, "nothing")]);
    expect(await runCoordinator(bus, listing)).toMatchObject({ total: 0, files: 0, tasks: 0, unread: [] });
    const empty = await listDocuments([join(folder, "empty.txt")]);
    expect(await runCoordinator(bus, empty)).toMatchObject({ total: 0, files: 1, bytes: 0, tasks: 0 });
  });

  it("reports a file that vanished, and counts the rest", async () => {
    const gone = join(folder, "gone.txt");
    await writeFile(gone, "some words");
    const listing = await listDocuments([folder]);
    await rm(gone);
    const worker = runWorker(bus, { job: "job" });
    const result = await runCoordinator(bus, listing, { job: "job" });
    await worker;
    expect(result.unread).toEqual([
      { path: expect.stringMatching(/gone\.txt$/), message: expect.stringMatching(/^ENOENT/) },
    ]);
    expect(sorted(result.words)).toEqual(sorted(naive(Object.values(texts))));
  });

  it("leaves nothing on the bus, whether it is done or cancelled", async () => {
    await counted(2, { taskBytes: 2_000 });
    const stop = new AbortController();
    const cancelled = runCoordinator(bus, await listDocuments([folder]), { job: "two", signal: stop.signal });
    const space = await bus.space(spaceName);
    await space.rd(["task", "two", 0, Array]);
    stop.abort();
    await expect(cancelled).rejects.toMatchObject({ code: "aborted" });
    expect(await bus.list("mailbox")).toEqual([]);
    expect(await bus.services()).toEqual([]);
    const left = await Promise.all(
      [
        ["job", String, Object],
        ["task", String, Number, Array],
        ["partition", String, Number],
      ].map((template) => space.rdAll(template)),
    );
    expect(left).toEqual([[], [], []]);
    expect(await space.rdp(["finished", "two", String])).toEqual(["finished", "two", "cancelled"]);
  });

  it("answers what it is doing, then what came out", async () => {
    const job = await openJob(bus, { job: "job" });
    const service = bus.client<StatusService>(serviceAddress("job"));
    expect(await service.status()).toMatchObject({ job: "job", phase: "splitting" });
    await expect(service.top()).rejects.toMatchObject({ code: "remote" });
    const worker = runWorker(bus, { job: "job" });
    const result = await job.run(await listDocuments([folder]));
    await worker;
    expect(await service.status()).toMatchObject({ phase: "done", bytes: result.bytes, bytesDone: result.bytes });
    expect(await service.count("THE")).toBe(4);
    expect(await service.count("absent")).toBe(0);
    expect(await service.top(2)).toEqual((await service.top(50)).slice(0, 2));
    await expect(service.top(0)).rejects.toMatchObject({ code: "remote" });
    await job[Symbol.asyncDispose]();
    await expect(service.status()).rejects.toMatchObject({ code: "no-responder" });
  });

  it("tells on subjects who joined, what is done, who left", async () => {
    const events = await bus.subscribe<JobEvent>(eventPattern("job"));
    const { tasks } = await counted(1, { taskBytes: 2_000, partitions: 2 });
    const told: JobEvent[] = [];
    for await (const { data } of events) {
      told.push(data);
      if (data.kind === "worker" && data.state === "left") break;
    }
    expect(
      told
        .filter((event) => event.kind === "task")
        .map((event) => event.task)
        .sort((a, b) => a - b),
    ).toEqual(Array.from({ length: tasks }, (_, i) => i));
    expect(told.filter((event) => event.kind === "partition")).toHaveLength(2);
    expect(told[0]).toEqual({ kind: "worker", worker: "w0", state: "joined" });
  });

  it.each([
    [{ job: "a.b" }],
    [{ job: "" }],
    [{ partitions: 0 }],
    [{ taskBytes: 1.5 }],
    [{ leaseMs: -1 }],
    [{ letterChars: Number.NaN }],
  ])("refuses %j at once", async (options) => {
    await expect(openJob(bus, options)).rejects.toMatchObject({ code: "invalid" });
    expect(await bus.services()).toEqual([]);
  });

  it("a worker that finds no job in time ends with timeout, one that is stopped with aborted", async () => {
    await expect(runWorker(bus, { job: "none", waitMs: 20 })).rejects.toMatchObject({ code: "timeout" });
    const signal = AbortSignal.abort();
    await expect(runWorker(bus, { job: "none", signal })).rejects.toMatchObject({ code: "aborted" });
  });

  it("a worker that comes when all is over is told so", async () => {
    await counted(1);
    expect(await runWorker(bus, { job: "job" })).toBe("done");
  });
});
