import type { Job } from "../job/job.ts";
import type { MapTask } from "../task/task.ts";
import { CombineCursor } from "./combine.ts";
import type { PairCursor } from "./cursor.ts";
import { partitionOf } from "./hash.ts";
import { PairArena } from "./pair-arena.ts";
import { spillPairs, storeRun } from "./run-output.ts";
import type { RunReference, RunStore } from "./run-store.ts";
import { type KeptRun, SpillFolder } from "./spill-folder.ts";

/** Where a map task's pairs go. */
export interface PairSink {
  add(key: unknown, value: unknown): void;
  /** Stores what has come as runs, one for each partition that got something. */
  finish(store: RunStore): Promise<readonly RunReference[]>;
  /** What was written to disk for want of memory, in bytes. */
  readonly spilledBytes: number;
  /** Lets go of everything. */
  close(): void;
}

/** Of a task what its pairs are held by. */
export type SinkTask = Pick<MapTask, "run" | "index" | "attempt" | "partitions" | "memoryBytes" | "compression">;

/** The name under which an attempt stores its run for a partition. */
export function runName(task: SinkTask, partition: number): string {
  return `${task.run}.m${task.index}.p${partition}.${task.attempt}`;
}

/** With less, files would be many and small. */
const leastBytes = 1 << 17;

/** Holds pairs until memory is short, then writes them to disk, sorted. */
export class SortingSink implements PairSink {
  readonly #job: Job;
  readonly #task: SinkTask;
  readonly #folder: SpillFolder;
  readonly #arena = new PairArena();
  readonly #spills: (readonly (KeptRun | undefined)[])[] = [];
  readonly #mostBytes: number;
  #sorted: readonly PairCursor[] | undefined;

  constructor(job: Job, task: SinkTask, scratch: string) {
    this.#job = job;
    this.#task = task;
    this.#folder = new SpillFolder(scratch);
    this.#mostBytes = Math.max(task.memoryBytes / 2, leastBytes);
  }

  get spilledBytes(): number {
    return this.#folder.bytes;
  }

  add(key: unknown, value: unknown): void {
    const { writer } = this.#arena;
    const start = writer.length;
    try {
      this.#job.key.write(key, writer);
      const middle = writer.length;
      this.#job.value.write(value, writer);
      this.#arena.add(start, middle, this.#partitionOf(key, start, middle));
    } catch (error) {
      writer.length = start;
      throw error;
    }
    if (this.#arena.heldBytes > this.#mostBytes || this.#arena.isFull) this.spill();
  }

  /** A pair whose key is written already; `hash` is FNV-1a of it. */
  addEncoded(from: Uint8Array, key: number, end: number, hash: number, value: unknown): void {
    const { writer } = this.#arena;
    const start = writer.length;
    writer.copy(from, key, end);
    const middle = writer.length;
    this.#job.value.write(value, writer);
    const partition =
      this.#job.partition === undefined
        ? hash % this.#task.partitions
        : this.#partitionOf(this.#job.key.read(writer.bytes, start, middle), start, middle);
    this.#arena.add(start, middle, partition);
    if (this.#arena.heldBytes > this.#mostBytes || this.#arena.isFull) this.spill();
  }

  /** Writes what is held to disk. */
  spill(): void {
    if (this.#arena.pairs === 0) return;
    const partitions = this.#arena.sorted(this.#task.partitions, this.#job.sort);
    this.#spills.push(
      partitions.map((pairs) => {
        const kept = this.#folder.keep((path) => spillPairs(path, pairs));
        return kept.run.records > 0 ? kept : undefined;
      }),
    );
    this.#arena.clear();
  }

  async finish(store: RunStore): Promise<readonly RunReference[]> {
    const runs: RunReference[] = [];
    for (let partition = 0; partition < this.#task.partitions; partition++) {
      const pairs = this.pairs(partition);
      const identity = { name: runName(this.#task, partition), map: this.#task.index, partition };
      try {
        const run = await storeRun(pairs, identity, this.#task.compression ?? "none", store);
        if (run !== undefined) runs.push(run);
      } finally {
        pairs.close();
      }
    }
    return runs;
  }

  /** What has come for a partition, sorted; nothing can be added any more. */
  pairs(partition: number): PairCursor {
    if (this.#spills.length > 0) {
      this.spill();
      return this.#merged(partition);
    }
    this.#sorted ??= this.#arena.sorted(this.#task.partitions, this.#job.sort);
    return this.#sorted[partition]!;
  }

  close(): void {
    this.#folder.close();
  }

  #merged(partition: number): ReturnType<SpillFolder["merge"]> {
    const kept = this.#spills.flatMap((spill) => spill[partition] ?? []);
    const merged = this.#folder.merge(kept, this.#job.sort);
    const { combine } = this.#job;
    return combine === undefined ? merged : new CombineCursor(merged, this.#job, combine);
  }

  #partitionOf(key: unknown, start: number, end: number): number {
    const { partitions } = this.#task;
    if (this.#job.partition === undefined) {
      return partitionOf(this.#arena.writer.bytes, start, end, partitions);
    }
    const partition = this.#job.partition(key, partitions);
    if (!(Number.isInteger(partition) && partition >= 0 && partition < partitions)) {
      throw new RangeError(`partition() gave ${partition}, which is none of 0 to ${partitions - 1}`);
    }
    return partition;
  }
}
