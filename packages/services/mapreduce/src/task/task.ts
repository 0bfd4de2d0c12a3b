import type { Split } from "../input/plan.ts";
import type { JobReference } from "../job/reference.ts";
import type { RunReference, RunStore } from "../shuffle/run-store.ts";

/** A record that map failed on, or a key that reduce failed on. */
export type BadRecord =
  | { readonly path: string; readonly offset: number }
  /** The key's bytes in base64. */
  | { readonly key: string };

/** A bad record that was left out, and why. */
export interface Skipped {
  readonly record: BadRecord;
  readonly message: string;
}

export type Counters = Readonly<Record<string, number>>;

interface Task {
  /** Of the run of the job: letters, digits and hyphens. Begins the names of what the task stores. */
  readonly run: string;
  readonly job: JobReference;
  /** Of this attempt among all of the job: ends the names of what it stores, so that attempts never meet. */
  readonly attempt: string;
  /** What the task may hold in memory beside the runtime itself, in bytes. */
  readonly memoryBytes: number;
  /** Records to leave out, because they failed before. */
  readonly skip?: readonly BadRecord[] | undefined;
}

export interface MapTask extends Task {
  /** From 0. */
  readonly index: number;
  readonly split: Split;
  readonly partitions: number;
  /** How runs are stored. Default "none". */
  readonly compression?: "none" | "zstd" | "gzip" | undefined;
}

export interface MapResult {
  readonly index: number;
  /** One for each partition that got a record, by partition. */
  readonly runs: readonly RunReference[];
  readonly counters: Counters;
  readonly skipped: readonly Skipped[];
}

export interface ReduceTask extends Task {
  readonly partition: number;
  readonly partitions: number;
  /** Of all map tasks, for this partition. */
  readonly runs: readonly RunReference[];
}

/** A part that is stored, under a name of its attempt, for whoever commits it. */
export interface PartReference {
  readonly partition: number;
  /** Under which it is stored now. */
  readonly name: string;
  /** Under which it is committed: `part-00000-of-4`. */
  readonly part: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface ReduceResult {
  readonly partition: number;
  readonly part: PartReference;
  readonly counters: Counters;
  readonly skipped: readonly Skipped[];
}

/** What a task's process gives it. */
export interface TaskSurroundings {
  /** Where map tasks keep runs and reduce tasks fetch them. */
  readonly runs: RunStore;
  /** Where reduce tasks keep parts until they are committed. */
  readonly parts: RunStore;
  /** A folder of this process's own for what does not fit into memory; made where it does not exist, left empty. */
  readonly scratch: string;
  readonly signal?: AbortSignal | undefined;
  /** Told now and then how far the task is. */
  readonly progress?: ((progress: TaskProgress) => void) | undefined;
}

export interface TaskProgress {
  /** Of the split, or of the runs. */
  readonly bytes: number;
  readonly records: number;
}

/** `part-00000-of-4` */
export function partName(partition: number, partitions: number): string {
  return `part-${String(partition).padStart(5, "0")}-of-${partitions}`;
}
