import { statfsSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { BusError, type BusErrorCode } from "@quadrant/contract";
import { type CommitOutcome, checksumBytes, eachChange, type Journal } from "./journal.ts";
import type { JournalAnswer, JournalOrder, SqliteJournalOptions } from "./journal-order.ts";
import { JournalTail } from "./journal-tail.ts";
import { JournalThread } from "./journal-thread.ts";

/** A journal that has had so many commits gets a tail: who comes for a few does without. */
const commitsBeforeTail = 16;
/** Where the file system has less, every group is brought into the database at once, which knows exactly what it takes in. */
const plentyBytes = 512 * 1024 * 1024;
/** What is taken for the tail, and what it may grow to in the database. */
const reserveBytes = 128 * 1024 * 1024;
const retryMs = 100;

/**
 * A journal on node:sqlite, in a thread of its own: neither a commit nor the file's own upkeep holds up the event loop.
 * One process at a time; SQLite's lock, which the operating system releases with the process, is the judge.
 */
export class SqliteJournal implements Journal {
  readonly #thread: JournalThread = JournalThread.take();
  readonly #options: SqliteJournalOptions;
  #tail: JournalTail | undefined;
  #commits = 0;
  #closing: Promise<void> | undefined;
  /** Over when the order under way is. */
  #busy: Promise<unknown> = Promise.resolve();

  private constructor(options: SqliteJournalOptions) {
    this.#options = options;
  }

  /**
   * Rejects with "unavailable" where another process holds the folder still after timeoutMs, or the file is damaged, each
   * with what to do; "denied" where the folder may not be written; "unsupported" for a journal of a later release.
   */
  static async open(options: SqliteJournalOptions): Promise<SqliteJournal> {
    const journal = new SqliteJournal(options);
    try {
      await journal.#tell({ kind: "open", options });
      return journal;
    } catch (error) {
      // Whatever of it was opened ends with the thread.
      await journal.#thread.terminate();
      throw error;
    }
  }

  /** A portion at a time, and in between the rest of the process has a turn. */
  async load(visit: (row: number, data: Buffer) => void): Promise<number> {
    const put = (row: number, stored: Buffer): void => visit(row, stored.subarray(checksumBytes));
    for (;;) {
      const answer = await this.#tell({ kind: "load" });
      if (answer.kind === "done") return answer.freeBytes;
      if (answer.kind !== "rows") return Number.POSITIVE_INFINITY;
      const { buffer, byteOffset, length } = answer.rows;
      eachChange(Buffer.from(buffer, byteOffset, length), { put, remove: () => undefined });
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async commit(changes: Uint8Array<ArrayBuffer>): Promise<CommitOutcome> {
    const tail = this.#tail;
    if (tail === undefined) this.#wantTail();
    else if (changes.length > 0) {
      const freeBytes = this.#freeBytes();
      if (freeBytes > plentyBytes && tail.takes(changes)) {
        return (await tail.append(changes))
          ? { kept: true, freeBytes: freeBytes - reserveBytes }
          : { kept: false, changes };
      }
      await tail.empty();
    }
    const answer = await this.#tell({ kind: "commit", changes });
    if (answer.kind === "refused") return { kept: false, changes: answer.changes };
    return { kept: true, freeBytes: answer.kind === "done" ? answer.freeBytes : Number.POSITIVE_INFINITY };
  }

  #freeBytes(): number {
    const { bavail, bsize } = statfsSync(this.#options.folder);
    return bavail * bsize;
  }

  /** While it is made, commits go on without it. */
  #wantTail(): void {
    if (++this.#commits !== commitsBeforeTail || this.#freeBytes() < plentyBytes) return;
    this.#tell({ kind: "tail" }).then(
      (answer) => {
        if (answer.kind !== "tail" || this.#closing !== undefined) return;
        const { folder, sync, inLoop = false } = this.#options;
        const terms = { durable: sync === "full", inLoop };
        this.#tail = new JournalTail(folder, answer.bytes, terms, (...what) => this.#apply(...what));
      },
      () => undefined,
    );
  }

  /** Where the database has no room, it is tried again until it has. */
  async #apply(index: 0 | 1, bytes: number, clear: boolean): Promise<number> {
    for (;;) {
      const answer = await this.#tell({ kind: "apply", index, bytes, clear });
      if (answer.kind === "tail") return answer.bytes;
      if (this.#closing !== undefined) throw this.#fault("unavailable", "the disk was full until the end");
      await pause(retryMs, undefined, { ref: false });
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#busy.catch(() => undefined);
    let keepTail = false;
    if (this.#tail !== undefined) {
      // What stays in it is found again.
      await this.#tail.empty().catch(() => {
        keepTail = true;
      });
      this.#tail.close();
    }
    try {
      await this.#tell({ kind: "close", keepTail });
      this.#thread.release();
    } catch {
      await this.#thread.terminate();
    }
  }

  #tell(order: JournalOrder): Promise<JournalAnswer> {
    const answer = this.#thread.tell(order).then((said) => {
      if (said.kind === "failed") throw this.#fault(said.code, said.message);
      return said;
    });
    this.#busy = answer;
    return answer;
  }

  #fault(code: BusErrorCode, message: string): BusError {
    return new BusError(code, message, { driver: this.#options.driver });
  }
}
