import { mkdir } from "node:fs/promises";
import { readBlocks } from "../input/block-reader.ts";
import type { FileRange } from "../input/input.ts";
import { lastCut } from "../input/word-bytes.ts";
import { isWordCounting } from "../job/counting.ts";
import type { Job, MapContext } from "../job/job.ts";
import { loadJob } from "../job/reference.ts";
import { CombiningSink } from "../shuffle/combining-sink.ts";
import { CountStore } from "../shuffle/count-store.ts";
import { type PairSink, SortingSink } from "../shuffle/pair-sink.ts";
import type { RunReference } from "../shuffle/run-store.ts";
import { CounterTable } from "./counters.ts";
import { asTaskError, inputError, recordError, TaskError } from "./failure.ts";
import type { MapResult, MapTask, Skipped, TaskSurroundings } from "./task.ts";

/**
 * Reads a split, maps its records, and stores what they come to as sorted runs, one a partition. Rejects with a TaskError
 * and leaves nothing behind in `scratch`; runs that were stored before it failed are left to whoever made the task.
 */
export async function runMapTask(task: MapTask, surroundings: TaskSurroundings): Promise<MapResult> {
  try {
    surroundings.signal?.throwIfAborted();
    const job = await loadJob(task.job);
    await mkdir(surroundings.scratch, { recursive: true });
    const mapped = isWordCounting(job)
      ? await countSplit(job, task, surroundings)
      : await mapSplit(job, task, surroundings);
    const { runs, counters } = mapped;
    counters.add("map.bytes", task.split.bytes);
    for (const run of runs) {
      counters.add("shuffle.records", run.records);
      counters.add("shuffle.bytes", run.bytes);
    }
    return { index: task.index, runs, counters: counters.all(), skipped: mapped.skipped };
  } catch (error) {
    throw asTaskError(error, surroundings.signal);
  }
}

interface Mapped {
  readonly runs: readonly RunReference[];
  readonly counters: CounterTable;
  readonly skipped: readonly Skipped[];
}

/** The way of jobs that count words: bytes from file to table. */
async function countSplit(
  job: Job,
  task: MapTask,
  { runs, scratch, signal, progress }: TaskSurroundings,
): Promise<Mapped> {
  const counters = new CounterTable();
  const store = new CountStore(job, task.partitions, task.memoryBytes, scratch);
  let done = false;
  let bytes = 0;
  try {
    for (const range of task.split.ranges) {
      const take = (block: Buffer): undefined => {
        store.countWords(block);
        bytes += block.length;
        progress?.({ bytes, records: 0 });
      };
      await readingFrom(range, () => readBlocks(range, lastCut, take, signal));
    }
    const stored = await store.finish(task, runs);
    counters.add("spilled.bytes", store.spilledBytes);
    done = true;
    return { runs: stored, counters, skipped: [] };
  } finally {
    store.close(done);
  }
}

async function mapSplit(job: Job, task: MapTask, surroundings: TaskSurroundings): Promise<Mapped> {
  const counters = new CounterTable();
  const skipped: Skipped[] = [];
  const sink: PairSink =
    job.combine === undefined
      ? new SortingSink(job, task, surroundings.scratch)
      : new CombiningSink(job, job.combine, task, surroundings.scratch);
  try {
    const mapper = new RecordMapper(job, task, surroundings, sink, counters, skipped);
    for (const range of task.split.ranges) await mapper.map(range);
    counters.add("map.records", mapper.records);
    const runs = await sink.finish(surroundings.runs);
    counters.add("spilled.bytes", sink.spilledBytes);
    return { runs, counters, skipped };
  } finally {
    sink.close();
  }
}

/** Records are mapped for so long before others get a turn, */
const turnMs = 20;
/** of which the clock is asked every so many. */
const recordsPerLook = 32;

class RecordMapper {
  readonly #job: Job;
  readonly #task: MapTask;
  readonly #surroundings: TaskSurroundings;
  readonly #emit: (key: unknown, value: unknown) => void;
  readonly #counters: CounterTable;
  readonly #skipped: Skipped[];
  #doneBytes = 0;
  #since = performance.now();
  records = 0;

  constructor(
    job: Job,
    task: MapTask,
    surroundings: TaskSurroundings,
    sink: PairSink,
    counters: CounterTable,
    skipped: Skipped[],
  ) {
    this.#job = job;
    this.#task = task;
    this.#surroundings = surroundings;
    this.#emit = (key, value) => sink.add(key, value);
    this.#counters = counters;
    this.#skipped = skipped;
  }

  async map(range: FileRange): Promise<void> {
    const { path } = range;
    const skip = new Set(
      (this.#task.skip ?? []).flatMap((bad) => ("path" in bad && bad.path === path ? [bad.offset] : [])),
    );
    const context: { -readonly [F in keyof MapContext]: MapContext[F] } = {
      path,
      source: range.source,
      offset: 0,
      count: (name, by) => this.#counters.add(name, by),
    };
    const take = (raw: unknown, offset: number): boolean => {
      this.records++;
      if (skip.size > 0 && skip.has(offset)) {
        this.#skipped.push({ record: { path, offset }, message: "it failed before" });
        return false;
      }
      context.offset = offset;
      try {
        const record = this.#job.input.record(raw);
        if (record !== undefined) this.#job.map(record, this.#emit, context);
      } catch (error) {
        throw error instanceof TaskError ? error : recordError({ path, offset }, error);
      }
      return this.records % recordsPerLook === 0 && this.#look(offset - range.start);
    };
    await readingFrom(range, () => this.#job.input.read(range, take, this.#surroundings.signal));
    this.#doneBytes += range.end - range.start;
    this.#note(0);
  }

  /** Tells progress, and whether others should get a turn. */
  #look(bytes: number): boolean {
    const now = performance.now();
    if (now - this.#since < turnMs) return false;
    this.#since = now;
    this.#note(bytes);
    return true;
  }

  #note(bytes: number): void {
    this.#surroundings.progress?.({ bytes: this.#doneBytes + Math.max(bytes, 0), records: this.records });
  }
}

/** What goes wrong while reading, and is not user code's, is the input's. */
async function readingFrom(range: FileRange, read: () => Promise<void>): Promise<void> {
  try {
    await read();
  } catch (error) {
    if (error instanceof TaskError || (error instanceof Error && error.name === "AbortError")) throw error;
    throw inputError(range.path, error);
  }
}
