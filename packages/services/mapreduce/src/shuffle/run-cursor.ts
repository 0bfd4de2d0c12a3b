import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { TaskError } from "../task/failure.ts";
import type { PairCursor } from "./cursor.ts";
import { BlockCursor } from "./pair-block.ts";
import { blockHeadBytes, blockHeadOf, type Compression, compressionOf, headBytes, unpackBlock } from "./run-format.ts";
import type { RunReference } from "./run-store.ts";

/** Runs up to this size are read at once. */
const wholeBytes = 1 << 17;

/**
 * The blocks of a run in a file, one after another, each checked before anything of it is seen. Throws a TaskError of kind
 * "run" where the run is gone, damaged or not whole.
 */
export class RunBlocks {
  readonly #run: RunReference;
  readonly #file: number;
  #open = true;
  #compression: Compression = "none";
  /** What has been read of the file and not yet handed out. */
  #buffer: Buffer;
  #from = 0;
  #to = 0;
  #position = 0;

  constructor(path: string, run: RunReference) {
    this.#run = run;
    try {
      this.#file = openSync(path, "r");
    } catch (error) {
      throw lostRun(run, "is gone", error);
    }
    this.#buffer = Buffer.allocUnsafeSlow(Math.min(Math.max(run.bytes, headBytes), wholeBytes));
    try {
      const { size } = fstatSync(this.#file);
      if (size !== run.bytes) throw new Error(`it has ${size} bytes instead of ${run.bytes}`);
      this.#need(headBytes);
      this.#compression = compressionOf(this.#buffer.subarray(0, headBytes));
      this.#from = headBytes;
      if (this.#position === size) this.#closeFile();
    } catch (error) {
      throw this.#lost(error);
    }
  }

  /** The next block's pairs, valid until the one after is asked for; undefined at the end. */
  next(): Buffer | undefined {
    try {
      if (this.#position - (this.#to - this.#from) === this.#run.bytes) return undefined;
      this.#need(blockHeadBytes);
      const head = blockHeadOf(this.#buffer, this.#from);
      this.#need(blockHeadBytes + head.stored);
      const from = this.#from + blockHeadBytes;
      this.#from = from + head.stored;
      return unpackBlock(this.#buffer.subarray(from, this.#from), head, this.#compression);
    } catch (error) {
      throw this.#lost(error);
    }
  }

  close(): void {
    this.#closeFile();
  }

  #lost(error: unknown): TaskError {
    this.close();
    return lostRun(this.#run, `is damaged: ${error instanceof Error ? error.message : error}`, error);
  }

  #closeFile(): void {
    if (this.#open) closeSync(this.#file);
    this.#open = false;
  }

  /** Makes so many bytes lie in the buffer, from `#from`. */
  #need(bytes: number): void {
    if (this.#to - this.#from >= bytes) return;
    if (this.#position - (this.#to - this.#from) + bytes > this.#run.bytes) throw new Error("it ends within a block");
    if (bytes > this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow(bytes);
      this.#buffer.copy(larger, 0, this.#from, this.#to);
      this.#buffer = larger;
    } else this.#buffer.copyWithin(0, this.#from, this.#to);
    this.#to -= this.#from;
    this.#from = 0;
    while (this.#to < bytes) {
      const read = readSync(this.#file, this.#buffer, this.#to, this.#buffer.length - this.#to, this.#position);
      if (read === 0) throw new Error("it ends within a block");
      this.#to += read;
      this.#position += read;
    }
  }
}

/** The pairs of a run in a file. */
export class RunCursor extends BlockCursor implements PairCursor {
  readonly #blocks: RunBlocks;
  readonly #run: RunReference;
  #pairs = 0;

  constructor(path: string, run: RunReference) {
    super();
    this.#run = run;
    this.#blocks = new RunBlocks(path, run);
  }

  override advance(): boolean {
    while (!super.advance()) {
      const block = this.#blocks.next();
      if (block === undefined) {
        if (this.#pairs !== this.#run.records) throw lostRun(this.#run, `has ${this.#pairs} pairs`);
        this.close();
        return false;
      }
      this.open(block);
    }
    this.#pairs++;
    return true;
  }

  close(): void {
    this.#blocks.close();
  }
}

export function lostRun(run: RunReference, what: string, cause?: unknown): TaskError {
  const message = `the run ${run.name} ${what}`;
  return new TaskError({ kind: "run", run: run.name, map: run.map, message }, { cause });
}
