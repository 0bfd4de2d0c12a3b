import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type InputFile, planSplits } from "../input/plan.ts";
import { type JobReference, loadJob } from "../job/reference.ts";
import { openOutputFolder } from "../output/output-folder.ts";
import { openFolderStore } from "../shuffle/folder-store.ts";
import type { RunStore } from "../shuffle/run-store.ts";
import { CounterTable } from "./counters.ts";
import { inputError } from "./failure.ts";
import { runMapTask } from "./map-task.ts";
import { runReduceTask } from "./reduce-task.ts";
import type { Counters, MapResult, PartReference, TaskSurroundings } from "./task.ts";

export interface LocalRunOptions {
  /** Where the result goes. */
  readonly out: string;
  /** How many parts it has. Default 1. */
  readonly partitions?: number | undefined;
  readonly splitBytes?: number | undefined;
  /** Of a task. Default 64 MiB. */
  readonly memoryBytes?: number | undefined;
  readonly compression?: "none" | "zstd" | "gzip" | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs a job here, one task after another, without a bus, with all its rounds: for tests, and to try a job. The first
 * failure ends it: a TaskError, and no output. Resolves with the counters of the last round.
 */
export async function runLocally(
  reference: JobReference,
  files: readonly InputFile[],
  options: LocalRunOptions,
): Promise<Counters> {
  const scratch = await mkdtemp(join(tmpdir(), "quadrant-mapreduce-"));
  try {
    let given = reference;
    let read = files;
    for (let round = 1; ; round++) {
      const folder = join(scratch, `round-${round}`);
      const { parts, store, counters } = await runRound(given, read, options, folder);
      const { next } = await loadJob(given);
      const following = next?.({ round, counters, options: given.options });
      const output = await openOutputFolder(following === undefined ? options.out : join(folder, "out"));
      for (const part of parts) await output.commit(part, store);
      await output.succeed("");
      if (following === undefined) return counters;
      given = { ...given, options: following };
      read = await filesOf(output.path);
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

interface FinishedRound {
  readonly parts: readonly PartReference[];
  readonly store: RunStore;
  readonly counters: Counters;
}

async function runRound(
  given: JobReference,
  files: readonly InputFile[],
  { partitions = 1, memoryBytes = 64 << 20, splitBytes, compression, signal }: LocalRunOptions,
  folder: string,
): Promise<FinishedRound> {
  const job = await loadJob(given);
  const { splits, unread } = await planSplits(job.input, files, { splitBytes });
  if (unread[0] !== undefined) throw inputError(unread[0].path, new Error(unread[0].message));
  const reference = { ...given, options: (await job.prepare?.(splits, partitions)) ?? given.options };
  const runs = await openFolderStore(join(folder, "runs"));
  const store = await openFolderStore(join(folder, "parts"));
  const surroundings: TaskSurroundings = { runs, parts: store, scratch: join(folder, "spills"), signal };
  const each = { run: "local", job: reference, attempt: "1", memoryBytes };
  const counters = new CounterTable();
  const maps: MapResult[] = [];
  for (const [index, split] of splits.entries()) {
    maps.push(await runMapTask({ ...each, index, split, partitions, compression }, surroundings));
  }
  const parts: PartReference[] = [];
  for (let partition = 0; partition < partitions; partition++) {
    const own = maps.flatMap((map) => map.runs.filter((run) => run.partition === partition));
    const reduced = await runReduceTask({ ...each, partition, partitions, runs: own }, surroundings);
    parts.push(reduced.part);
    counters.addAll(reduced.counters);
  }
  for (const map of maps) counters.addAll(map.counters);
  return { parts, store, counters: counters.all() };
}

async function filesOf(folder: string): Promise<readonly InputFile[]> {
  const names = (await readdir(folder)).filter((name) => name.startsWith("part-")).sort();
  return Promise.all(
    names.map(async (name) => ({ path: join(folder, name), bytes: (await stat(join(folder, name))).size })),
  );
}
