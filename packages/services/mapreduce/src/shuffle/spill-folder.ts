import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { storageError } from "../task/failure.ts";
import type { PairCursor } from "./cursor.ts";
import { MergeCursor } from "./merge.ts";
import { RunCursor } from "./run-cursor.ts";
import { type RunSize, spillPairs } from "./run-output.ts";
import type { RunReference } from "./run-store.ts";

/** So many runs are merged at once: each holds a file and a block or two. */
const mostMerged = 128;
let serial = 0;

/** A task's own runs on disk, in a folder that is gone when it is closed. */
export class SpillFolder {
  readonly #folder: string;
  #made = false;
  #files = 0;
  #bytes = 0;

  constructor(scratch: string) {
    this.#folder = join(scratch, `task-${process.pid}-${serial++}`);
  }

  /** How much has been written. */
  get bytes(): number {
    return this.#bytes;
  }

  /** A path for another file. A TaskError of kind "storage" where the folder cannot be made. */
  newPath(): string {
    if (!this.#made) storing(this.#folder, () => mkdirSync(this.#folder, { recursive: true }));
    this.#made = true;
    return join(this.#folder, String(this.#files++));
  }

  /** Writes a run with `write`. A TaskError of kind "storage" where it cannot. */
  keep(write: (path: string) => RunSize): KeptRun {
    const path = this.newPath();
    const size = storing(this.#folder, () => write(path));
    this.#bytes += size.bytes;
    return { path, run: { name: path, map: -1, partition: 0, ...size } };
  }

  /** Runs as one cursor, equal keys in the order of the runs. More than can be merged at once are merged to fewer before. */
  merge(runs: readonly KeptRun[], order: "ascending" | "descending"): PairCursor {
    let left = runs;
    while (left.length > mostMerged) {
      const fewer: KeptRun[] = [];
      for (let at = 0; at < left.length; at += mostMerged) {
        const some = left.slice(at, at + mostMerged);
        fewer.push(this.keep((path) => spillPairs(path, opened(some, order))));
        for (const { path, run } of some) if (run.map < 0) rmSync(path, { force: true });
      }
      left = fewer;
    }
    return opened(left, order);
  }

  close(): void {
    if (this.#made) rmSync(this.#folder, { recursive: true, force: true });
    this.#made = false;
  }
}

/** A run in a file that this process can open. */
export interface KeptRun {
  readonly path: string;
  readonly run: RunReference;
}

/** Of what cannot be written it is known here that nobody else is to blame: it may be within user code's emit. */
function storing<T>(folder: string, write: () => T): T {
  try {
    return write();
  } catch (error) {
    throw isSystemError(error) ? storageError(error, folder) : error;
  }
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "syscall" in error;
}

function opened(runs: readonly KeptRun[], order: "ascending" | "descending"): PairCursor {
  const cursors: RunCursor[] = [];
  try {
    for (const { path, run } of runs) cursors.push(new RunCursor(path, run));
  } catch (error) {
    for (const cursor of cursors) cursor.close();
    throw error;
  }
  return cursors.length === 1 ? cursors[0]! : new MergeCursor(cursors, order);
}
