import { once } from "node:events";
import { statfsSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { BusError, type BusErrorCode } from "@quadrant/contract";
import { type CommitOutcome, checksumBytes, eachChange, type Journal } from "./journal.ts";
import { JournalTail } from "./journal-tail.ts";

/** When a commit counts: on stable storage, in the operating system's hands at least, or whenever that pleases. */
export type SqliteSync = "full" | "normal" | "off";

export interface SqliteJournalOptions {
  /** A folder, made where there is none. */
  readonly folder: string;
  readonly sync: SqliteSync;
  /** How long to wait for another process to let go of it. */
  readonly timeoutMs: number;
  readonly driver?: string | undefined;
  /**
   * Whether small commits may be written from the event loop itself as long as the disk is quick, a fraction of a
   * millisecond each: not where others wait for the loop who want nothing from the disk. Default false.
   */
  readonly inLoop?: boolean | undefined;
}

/** What the thread is told. */
export type JournalOrder =
  | { readonly kind: "load" }
  | { readonly kind: "commit"; readonly changes: Uint8Array<ArrayBuffer> }
  | { readonly kind: "tail" }
  | { readonly kind: "apply"; readonly index: 0 | 1; readonly bytes: number; readonly clear: boolean }
  | { readonly kind: "close"; readonly keepTail: boolean };

/** What the thread says: once when it has opened the journal, then in answer to each order. */
export type JournalAnswer =
  /** Of a load: more is there. */
  | { readonly kind: "rows"; readonly rows: Uint8Array<ArrayBuffer> }
  | { readonly kind: "done"; readonly freeBytes: number }
  /** Of `tail` and `apply`: how large a file of it is. */
  | { readonly kind: "tail"; readonly bytes: number }
  /** Of `apply`: the database has no room for it. */
  | { readonly kind: "full" }
  | { readonly kind: "refused"; readonly changes: Uint8Array<ArrayBuffer> }
  | { readonly kind: "failed"; readonly code: BusErrorCode; readonly message: string };

interface Order {
  readonly resolve: (answer: JournalAnswer) => void;
  readonly reject: (error: BusError) => void;
}

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
  readonly #thread: Worker;
  readonly #options: SqliteJournalOptions;
  /** Those that are not yet answered, in order. */
  readonly #orders: Order[] = [];
  #tail: JournalTail | undefined;
  #commits = 0;
  #failure: BusError | undefined;
  #closing: Promise<void> | undefined;
  /** Over when the order under way is. */
  #busy: Promise<unknown> = Promise.resolve();

  private constructor(options: SqliteJournalOptions) {
    this.#options = options;
    this.#thread = new Worker(new URL("./sqlite-thread.ts", import.meta.url), {
      workerData: options,
      name: "quadrant journal",
      // Where node:sqlite is experimental, Node says so on stderr.
      execArgv: ["--disable-warning=ExperimentalWarning"],
    });
    this.#thread.on("message", (answer: JournalAnswer) => this.#answered(answer));
    this.#thread.on("error", (cause) => this.#ended(`the journal's thread failed: ${cause}`));
    this.#thread.on("exit", () => this.#ended("the journal's thread has ended"));
  }

  /**
   * Rejects with "unavailable" where another process holds the folder still after timeoutMs, or the file is damaged, each
   * with what to do; "denied" where the folder may not be written; "unsupported" for a journal of a later release.
   */
  static async open(options: SqliteJournalOptions): Promise<SqliteJournal> {
    const journal = new SqliteJournal(options);
    try {
      await journal.#answer();
      return journal;
    } catch (error) {
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
    if (this.#failure === undefined) {
      const exited = once(this.#thread, "exit");
      await this.#tell({ kind: "close", keepTail }).catch(() => undefined);
      // The process stays until the thread has let go of the file.
      this.#thread.ref();
      await exited;
    }
    await this.#thread.terminate();
  }

  #tell(order: JournalOrder): Promise<JournalAnswer> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    // Handed over, not copied.
    this.#thread.postMessage(order, order.kind === "commit" ? [order.changes.buffer] : []);
    return this.#answer();
  }

  /** The process is kept alive while an answer is owed, not longer. */
  #answer(): Promise<JournalAnswer> {
    this.#thread.ref();
    const answer = new Promise<JournalAnswer>((resolve, reject) => {
      this.#orders.push({ resolve, reject });
    });
    this.#busy = answer;
    return answer;
  }

  #answered(answer: JournalAnswer): void {
    const order = this.#orders.shift();
    if (this.#orders.length === 0) this.#thread.unref();
    if (answer.kind === "failed") order?.reject(this.#fault(answer.code, answer.message));
    else order?.resolve(answer);
  }

  #ended(message: string): void {
    this.#failure ??= this.#fault("unavailable", message);
    this.#thread.unref();
    for (const order of this.#orders.splice(0)) order.reject(this.#failure);
  }

  #fault(code: BusErrorCode, message: string): BusError {
    return new BusError(code, message, { driver: this.#options.driver });
  }
}
