import { BusError } from "@quadrant/contract";
import { type CommitOutcome, checksumBytes, eachChange, type Journal } from "./journal.ts";

/** For the tests: a journal whose process can be killed, and whose medium can be full or slow. */
export class MemoryJournal implements Journal {
  readonly #rows: Map<number, Buffer>;
  #killed = false;
  #held: (() => void)[] | undefined;
  /** Commits that did something. */
  commits = 0;
  /** Rows written in all. */
  written = 0;
  freeBytes: number = Number.POSITIVE_INFINITY;
  full = false;
  broken = false;
  closed = false;

  constructor(rows: ReadonlyMap<number, Buffer> = new Map()) {
    this.#rows = new Map(rows);
  }

  get size(): number {
    return this.#rows.size;
  }

  get rows(): ReadonlyMap<number, Buffer> {
    return this.#rows;
  }

  async load(visit: (row: number, data: Buffer) => void): Promise<number> {
    for (const row of [...this.#rows.keys()].sort((a, b) => a - b)) visit(row, this.#rows.get(row)!);
    return this.freeBytes;
  }

  async commit(changes: Uint8Array<ArrayBuffer>): Promise<CommitOutcome> {
    await new Promise<void>((resolve) => {
      if (this.#killed) return;
      if (this.#held === undefined) resolve();
      else this.#held.push(resolve);
    });
    if (this.broken) throw new BusError("unavailable", "the journal has failed");
    if (this.full) return { kept: false, changes };
    if (changes.length > 0) this.commits++;
    eachChange(Buffer.from(changes), {
      put: (row, stored) => {
        this.written++;
        this.#rows.set(row, stored.subarray(checksumBytes));
      },
      remove: (first, last) => {
        for (let row = first; row <= last; row++) this.#rows.delete(row);
      },
    });
    return { kept: true, freeBytes: this.freeBytes };
  }

  async close(): Promise<void> {
    this.closed = true;
  }

  /** What was committed, for the next process; the commits of this one never end from now on. */
  kill(): MemoryJournal {
    this.#killed = true;
    return new MemoryJournal(this.#rows);
  }

  /** Commits wait until `release`. */
  hold(): void {
    this.#held = [];
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const resolve of held) resolve();
  }
}
