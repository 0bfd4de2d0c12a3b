import { mkdir } from "node:fs/promises";
import { setImmediate as turn } from "node:timers/promises";
import { isSummed } from "../job/counting.ts";
import type { Job } from "../job/job.ts";
import { loadJob } from "../job/reference.ts";
import { CombiningSink } from "../shuffle/combining-sink.ts";
import { CountStore } from "../shuffle/count-store.ts";
import type { PairCursor } from "../shuffle/cursor.ts";
import { lostRun, RunBlocks, RunCursor } from "../shuffle/run-cursor.ts";
import { fetchRuns } from "../shuffle/run-fetch.ts";
import { type KeptRun, SpillFolder } from "../shuffle/spill-folder.ts";
import { CounterTable } from "./counters.ts";
import { asTaskError, recordError, TaskError } from "./failure.ts";
import { KeyReducer } from "./key-reducer.ts";
import { storePart } from "./part-writer.ts";
import type { ReduceResult, ReduceTask, Skipped, TaskSurroundings } from "./task.ts";

/**
 * Merges the runs of a partition, reduces each key, and stores the part under a name of its attempt. Rejects with a
 * TaskError and leaves nothing behind in `scratch`.
 */
export async function runReduceTask(task: ReduceTask, surroundings: TaskSurroundings): Promise<ReduceResult> {
  const folder = new SpillFolder(surroundings.scratch);
  try {
    surroundings.signal?.throwIfAborted();
    const job = await loadJob(task.job);
    await mkdir(surroundings.scratch, { recursive: true });
    const runs = await fetchRuns(task.runs, surroundings.runs, folder, surroundings.signal);
    if (isSummed(job)) return await reduceSums(job, task, surroundings, runs);
    return job.combine === undefined
      ? await reducePairs(job, task, surroundings, folder.merge(runs, job.sort))
      : await reduceCombined(job, job.combine, task, surroundings, runs);
  } catch (error) {
    throw asTaskError(error, surroundings.signal);
  } finally {
    folder.close();
  }
}

/** Values that are added up: in any order, so that nothing has to be merged. */
async function reduceSums(
  job: Job,
  task: ReduceTask,
  surroundings: TaskSurroundings,
  runs: readonly KeptRun[],
): Promise<ReduceResult> {
  const store = new CountStore(job, 1, task.memoryBytes, surroundings.scratch);
  let done = false;
  try {
    for (const { path, run } of runs) {
      addRun(store, path, run);
      await turn();
      surroundings.signal?.throwIfAborted();
    }
    const result = await reducePairs(job, task, surroundings, store.pairs());
    done = true;
    return result;
  } finally {
    store.close(done);
  }
}

function addRun(store: CountStore, path: string, run: KeptRun["run"]): void {
  const blocks = new RunBlocks(path, run);
  try {
    let pairs = 0;
    for (let block = blocks.next(); block !== undefined; block = blocks.next()) pairs += store.addPairs(block);
    if (pairs !== run.records) throw lostRun(run, `has ${pairs} pairs instead of ${run.records}`);
  } finally {
    blocks.close();
  }
}

/** Values that are combined: under their keys while they fit into memory, which takes less than merging runs that hold most keys each. */
async function reduceCombined(
  job: Job,
  combine: NonNullable<Job["combine"]>,
  task: ReduceTask,
  surroundings: TaskSurroundings,
  runs: readonly KeptRun[],
): Promise<ReduceResult> {
  // All keys are of this partition, whatever the job's own function says of how many there are.
  const own = { ...job, partition: undefined };
  const sink = new CombiningSink(own, combine, { ...task, index: -1, partitions: 1 }, surroundings.scratch);
  try {
    for (const { path, run } of runs) {
      const cursor = new RunCursor(path, run);
      try {
        while (cursor.advance()) addCombined(sink, cursor);
      } finally {
        cursor.close();
      }
      await turn();
      surroundings.signal?.throwIfAborted();
    }
    return await reducePairs(job, task, surroundings, sink.pairs());
  } finally {
    sink.close();
  }
}

/** What combine throws is what reduce would throw: of this key. */
function addCombined(sink: CombiningSink, { bytes, key, value, end }: PairCursor): void {
  try {
    sink.addEncoded(bytes, key, value, end);
  } catch (error) {
    throw error instanceof TaskError ? error : recordError({ key: bytes.toString("base64", key, value) }, error);
  }
}

async function reducePairs(
  job: Job,
  task: ReduceTask,
  surroundings: TaskSurroundings,
  pairs: PairCursor,
): Promise<ReduceResult> {
  const counters = new CounterTable();
  const skipped: Skipped[] = [];
  try {
    const reducer = new KeyReducer(job, task, pairs, counters, skipped);
    const part = await storePart(task, surroundings, reducer);
    counters.add(
      "shuffle.fetched",
      task.runs.reduce((sum, { bytes }) => sum + bytes, 0),
    );
    counters.add("reduce.records", reducer.records);
    counters.add("reduce.keys", reducer.keys);
    counters.add("output.records", reducer.results);
    counters.add("output.bytes", part.bytes);
    return { partition: task.partition, part, counters: counters.all(), skipped };
  } finally {
    pairs.close();
  }
}
