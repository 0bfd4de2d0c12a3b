import { afterTurn, BusError } from "@quadrant/contract";
import { ChangeGroup, type Encode, type Kept } from "./change-group.ts";

export type { Encode, Kept } from "./change-group.ts";

import type { Journal } from "./journal.ts";
import { RowWriter } from "./row.ts";

/** What is kept free for changes that make room: acknowledgements, takes, leases. */
const reserveBytes = 512 * 1024;
/** What may wait for the journal in all; beyond it, what would add to it is refused. */
const waitingBytes = 64 * 1024 * 1024;
/** About what a row costs beside what is in it, on disk and in the journal's own log. */
const rowBytes = 96;
const retryMs = 100;
/** So many changes leave before the turn of the event loop is over: the disk works while the rest of it is done. */
const early = 256;

/**
 * Keeps what changes in an engine, a group at a time: what changes while one group is being committed makes up the next.
 * A thing is written as it is when its group leaves, so that what came and went in between costs nothing. Nothing is
 * answered before the group is committed that holds it (`barrier`): not only what changed something, but also what has
 * seen something that is not yet stable.
 *
 * Where the medium is full, what would add to it is refused before it is done; a group that met the end of the medium all
 * the same is tried again until it fits, so that what is in memory and what is on the medium never part.
 */
export class GroupCommit {
  readonly #journal: Journal;
  readonly #timeoutMs: number;
  readonly #driver: string | undefined;
  readonly #rows = new RowWriter();
  #open: ChangeGroup | undefined;
  #committing: ChangeGroup | undefined;
  /** Things with a row up to this one are in the journal, or in the group that is being committed. */
  #leftRow = 0;
  #lastRow = 0;
  #freeBytes = Number.POSITIVE_INFINITY;
  #full = false;
  #broken: BusError | undefined;
  #deadline: NodeJS.Timeout | undefined;
  #retry: NodeJS.Timeout | undefined;
  #closed = false;
  /** What is put into its place while the journal is read is there already. */
  #recovering = false;
  /** How many changes there were. */
  changes = 0;
  #groups = 0;

  constructor(journal: Journal, timeoutMs: number, driver: string | undefined) {
    this.#journal = journal;
    this.#timeoutMs = timeoutMs;
    this.#driver = driver;
  }

  describe(): Record<string, unknown> {
    return {
      commits: this.#groups,
      changes: this.changes,
      waiting: (this.#open?.things.length ?? 0) + (this.#committing?.things.length ?? 0),
      full: this.#full,
      freeBytes: Number.isFinite(this.#freeBytes) ? this.#freeBytes : null,
    };
  }

  /** Does what reads the journal; the orphans that it finds are removed. */
  async recover(read: () => Promise<{ readonly orphans: readonly Kept[]; readonly freeBytes: number }>): Promise<void> {
    this.#recovering = true;
    let orphans: readonly Kept[];
    try {
      const found = await read();
      orphans = found.orphans;
      this.#freeBytes = found.freeBytes;
    } finally {
      this.#recovering = false;
    }
    for (const orphan of orphans) this.drop(orphan);
  }

  /** Whether the medium had no room for the last group. */
  get isFull(): boolean {
    return this.#full;
  }

  /** A row that was there before: numbers go on behind it. */
  found(row: number): void {
    this.#lastRow = this.#leftRow = Math.max(this.#lastRow, row);
  }

  /** Whether the thing is to be written with the next group for the first time. */
  isFresh({ row }: Kept): boolean {
    return row > this.#leftRow;
  }

  /** The thing has changed, or is new. */
  put<T extends Kept>(thing: T, encode: Encode<T>): void {
    if (this.#recovering) return;
    if (thing.row === 0) thing.row = ++this.#lastRow;
    this.changes++;
    const group = this.#group();
    group.put(thing, encode as Encode<Kept>);
    // The operation is still to be finished, with which it goes.
    if (group.things.length === early && this.#committing === undefined) queueMicrotask(this.#leave);
  }

  /** The thing is no more. */
  drop(thing: Kept): void {
    const { row } = thing;
    if (row === 0) return;
    thing.row = 0;
    this.changes++;
    const group = this.#group();
    group.delete(thing);
    // What was never written need not be removed.
    if (row <= this.#leftRow) group.removed.push(row);
  }

  /**
   * To be called before something that adds about so many bytes: "overflow" where they do not fit, "unavailable" where the
   * journal is broken; nothing has been done then.
   */
  reserve(bytes: number): void {
    this.assertUsable();
    const group = this.#group();
    const waiting = group.bytes + (this.#committing?.bytes ?? 0);
    const needed = bytes + rowBytes;
    // Twice: in the journal's own log, and where it is copied to.
    if (this.#full || 2 * (waiting + needed) + reserveBytes > this.#freeBytes) {
      group.probes = true;
      throw this.#fault("overflow", "the disk is full: nothing was kept of this; free some room, or handle what waits");
    }
    if (waiting + needed > waitingBytes) {
      throw this.#fault("overflow", "more waits to be written than the disk takes in: await what was sent, then go on");
    }
    group.bytes += needed;
  }

  /** Calls back when the group of what changes now is about to be committed, and takes what is changed then along. */
  beforeLeaving(work: () => void): void {
    this.#group().last.push(work);
  }

  assertUsable(): void {
    if (this.#broken !== undefined) throw this.#broken;
  }

  /** Over once all that has changed so far is committed; undefined where it is. Rejects with "indefinite" or "unavailable". */
  barrier(): Promise<void> | undefined {
    return (this.#open ?? this.#committing)?.done;
  }

  /** Of something that changed nothing: what it has seen may not be kept, which is all. */
  unread(cause: unknown): BusError {
    return this.#fault("unavailable", `what was read is not yet on the disk: ${(cause as Error).message}`);
  }

  /** Commits what is left, as far as it can, and closes the journal. */
  async close(): Promise<void> {
    this.#closed = true;
    try {
      await this.barrier();
    } catch {
      // Those who waited have been told.
    }
    clearTimeout(this.#retry);
    clearTimeout(this.#deadline);
    await this.#journal.close();
  }

  #group(): ChangeGroup {
    if (this.#open === undefined) {
      this.#open = new ChangeGroup();
      // What is done in one turn goes together, and nobody waits for company.
      if (this.#committing === undefined) afterTurn(this.#leave);
    }
    return this.#open;
  }

  readonly #leave = (): void => this.#next();

  #next(): void {
    const group = this.#open;
    if (group === undefined || this.#committing !== undefined) return;
    for (const work of group.last) work();
    this.#open = undefined;
    if (this.#broken !== undefined) {
      group.reject(this.#broken);
      return;
    }
    this.#committing = group;
    this.#leftRow = this.#lastRow;
    if (group.empty) {
      this.#done(group);
      return;
    }
    this.#groups++;
    this.#watch();
    try {
      const rows = this.#rows;
      rows.beginGroup();
      rows.remove(group.removed);
      for (const [at, thing] of group.things.entries()) if (thing !== undefined) group.encodes[at]!(thing, rows);
      void this.#commit(group, rows.changes());
    } catch (cause) {
      this.#break(this.#fault("unavailable", `what has changed cannot be written: ${cause}`));
    }
  }

  async #commit(group: ChangeGroup, changes: Uint8Array<ArrayBuffer>): Promise<void> {
    try {
      const outcome = await this.#journal.commit(changes);
      if (!outcome.kept) {
        this.#refused(group, outcome.changes);
        return;
      }
      this.#freeBytes = outcome.freeBytes;
      this.#full = false;
      this.#done(group);
    } catch (cause) {
      this.#break(cause instanceof BusError ? cause : this.#fault("unavailable", `the journal failed: ${cause}`));
    }
  }

  #refused(group: ChangeGroup, changes: Uint8Array<ArrayBuffer>): void {
    this.#full = true;
    if (this.#closed) this.#break(this.#fault("unavailable", "the disk was full until the end"));
    else this.#retry = setTimeout(() => void this.#commit(group, changes), retryMs);
  }

  #done(group: ChangeGroup): void {
    this.#committing = undefined;
    group.resolve();
    if (this.#open !== undefined) this.#next();
  }

  /** Nothing can be kept any more: all who wait are told, and all who come. */
  #break(error: BusError): void {
    this.#broken = error;
    const groups = [this.#committing, this.#open];
    this.#committing = this.#open = undefined;
    // Of what was under way nobody knows.
    for (const group of groups) group?.reject(this.#indefinite(error));
  }

  /** A group that takes too long leaves those who wait for it without an answer; it goes on. */
  #watch(): void {
    if (this.#deadline !== undefined) return;
    const first = this.#committing ?? this.#open;
    if (first === undefined) return;
    const leftMs = Math.max(1, first.begunAt + this.#timeoutMs - performance.now());
    this.#deadline = setTimeout(() => {
      this.#deadline = undefined;
      const late = performance.now() - this.#timeoutMs;
      for (const group of [this.#committing, this.#open]) {
        if (group !== undefined && group.begunAt <= late) group.reject(this.#indefinite(undefined));
      }
      this.#watch();
    }, leftMs);
    this.#deadline.unref();
  }

  #indefinite(cause: BusError | undefined): BusError {
    const why = this.#full ? "the disk is full" : "the disk has not answered";
    return new BusError("indefinite", `${cause?.message ?? why}: whether this is kept will be known once it has`, {
      cause,
      driver: this.#driver,
    });
  }

  #fault(code: "overflow" | "unavailable", message: string): BusError {
    return new BusError(code, message, { driver: this.#driver });
  }
}
