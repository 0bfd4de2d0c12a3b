import type { Job } from "../job/job.ts";
import type { CountedPartition, CountTable } from "../kernel/count-table.ts";
import { returnCountTable, takeCountTable } from "../kernel/count-table-pool.ts";
import type { MapTask } from "../task/task.ts";
import { CombineCursor } from "./combine.ts";
import type { PairCursor } from "./cursor.ts";
import { BlockCursor } from "./pair-block.ts";
import { runName } from "./pair-sink.ts";
import { spillRun, storeBlocks, storeRun } from "./run-output.ts";
import type { RunReference, RunStore } from "./run-store.ts";
import { type KeptRun, SpillFolder } from "./spill-folder.ts";

/** Counts of words or of pairs, in a count table while it fits into memory, beyond that on disk. */
export class CountStore {
  readonly #job: Job;
  readonly #partitions: number;
  readonly #memoryBytes: number;
  readonly #folder: SpillFolder;
  readonly #spills: (readonly (KeptRun | undefined)[])[] = [];
  #table: CountTable | undefined = takeCountTable();

  constructor(job: Job, partitions: number, memoryBytes: number, scratch: string) {
    this.#job = job;
    this.#partitions = partitions;
    this.#memoryBytes = memoryBytes;
    this.#folder = new SpillFolder(scratch);
  }

  get spilledBytes(): number {
    return this.#folder.bytes;
  }

  countWords(text: Uint8Array): void {
    this.#table ??= takeCountTable();
    this.#table.countWords(text);
    this.#spillWhereLarge();
  }

  addPairs(block: Uint8Array): number {
    this.#table ??= takeCountTable();
    const pairs = this.#table.addPairs(block);
    this.#spillWhereLarge();
    return pairs;
  }

  /** Stores what was counted as the runs of a map task. */
  async finish(task: MapTask, store: RunStore): Promise<readonly RunReference[]> {
    const runs: RunReference[] = [];
    const compression = task.compression ?? "none";
    if (this.#spills.length > 0) this.#spill();
    const held = this.#drained();
    for (let partition = 0; partition < this.#partitions; partition++) {
      const identity = { name: runName(task, partition), map: task.index, partition };
      const own = held?.[partition];
      if (own === undefined) {
        const pairs = this.#merged(partition);
        const run = pairs === undefined ? undefined : await storeRun(pairs, identity, compression, store);
        if (run !== undefined) runs.push(run);
      } else if (own.pairs > 0) {
        runs.push(await storeBlocks(own.blocks, { ...identity, records: own.pairs }, compression, store));
      }
    }
    this.#release();
    return runs;
  }

  /** What was counted as sorted pairs, of one partition. The table is used until `close`. */
  pairs(): PairCursor {
    if (this.#spills.length > 0) this.#spill();
    const [held] = this.#drained() ?? [];
    return held === undefined ? (this.#merged(0) ?? new BlocksCursor([])) : new BlocksCursor(held.blocks);
  }

  /** Gives the table back where it holds no counts any more, that is after `finish`, and after `pairs` have been read. */
  close(drained: boolean): void {
    if (drained) this.#release();
    this.#table = undefined;
    this.#folder.close();
  }

  #release(): void {
    if (this.#table !== undefined) returnCountTable(this.#table, this.#memoryBytes / 2);
    this.#table = undefined;
  }

  #drained(): readonly CountedPartition[] | undefined {
    return this.#spills.length > 0 ? undefined : this.#table?.drain(this.#partitions);
  }

  #spillWhereLarge(): void {
    if (this.#table !== undefined && this.#table.heldBytes > this.#memoryBytes) this.#spill();
  }

  #spill(): void {
    const drained = this.#table?.drain(this.#partitions) ?? [];
    // The next one begins small.
    this.#table = undefined;
    this.#spills.push(
      drained.map(({ pairs, blocks }) => {
        if (pairs === 0) return undefined;
        return this.#folder.keep((path) =>
          spillRun(path, (add) => {
            for (const block of blocks) add(block);
            return pairs;
          }),
        );
      }),
    );
  }

  #merged(partition: number): PairCursor | undefined {
    const { combine, sort } = this.#job;
    const kept = this.#spills.flatMap((spill) => spill[partition] ?? []);
    return kept.length === 0 || combine === undefined
      ? undefined
      : new CombineCursor(this.#folder.merge(kept, sort), this.#job, combine);
  }
}

class BlocksCursor extends BlockCursor implements PairCursor {
  readonly #blocks: readonly Buffer[];
  #next = 0;

  constructor(blocks: readonly Buffer[]) {
    super();
    this.#blocks = blocks;
  }

  override advance(): boolean {
    while (!super.advance()) {
      const block = this.#blocks[this.#next++];
      if (block === undefined) return false;
      this.open(block);
    }
    return true;
  }

  close(): void {
    this.#next = this.#blocks.length;
  }
}
