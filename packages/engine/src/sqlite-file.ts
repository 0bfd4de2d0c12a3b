import { existsSync, rmSync, statfsSync, statSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { crc32 } from "node:zlib";
import { BusError } from "@quadrant/contract";
import { changeHeaderBytes, checksumBytes, eachChange } from "./journal.ts";
import { allocate, makeFolder } from "./journal-folder.ts";
import type { SqliteJournalOptions } from "./journal-order.ts";
import type { NetChanges } from "./net-changes.ts";
import { damaged, explain, foreign, heldBy, isBusy } from "./sqlite-failure.ts";

/** "QDRT": whose file it is, and the layout of its rows. */
const applicationId = 0x51445254;
const format = 1;
/** The same, of one whose newest changes may be in the files of a tail beside it. */
const formatWithTail = 2;
/** Rows are shown in portions of about this size. */
const portionBytes = 256 * 1024;
/** SQLite's log is copied into the file when it has this many pages of 4 KiB, and cut down to this size afterwards. */
const logPages = 1_000;
const logBytes = 4 * 1024 * 1024;
/**
 * So much of the log is there from the beginning and stays: when somebody else has filled the disk to the last byte, what
 * makes room is still written there.
 */
const ownLogBytes = 1024 * 1024;
const plentyBytes = 1024 * 1024 * 1024;
/** With less room than this the log is emptied at once. */
const scarceBytes = 16 * 1024 * 1024;
/** What is kept free at most, for changes that make room: they may touch much of what there is, and are written to the log first. */
const reserveBytes = 64 * 1024 * 1024;
/** So much of the file that is no longer used is given back to the file system. */
const spareBytes = 16 * 1024 * 1024;
/** How often that is looked at, in commits, and how much is given back at once, in pages. */
const giveBackEvery = 64;
const giveBackPages = 1_024;
const lockPollMs = 25;

/** The file under a journal: one table of numbered rows, each with a checksum of its own. */
export class SqliteFile {
  readonly #folder: string;
  readonly #path: string;
  readonly #holder: string;
  #database!: DatabaseSync;
  #put!: StatementSync;
  #remove!: StatementSync;
  #pageBytes = 4096;
  #commits = 0;

  private constructor(folder: string) {
    this.#folder = folder;
    this.#path = join(folder, "journal.db");
    this.#holder = join(folder, "holder.json");
  }

  static open({ folder, sync, timeoutMs }: SqliteJournalOptions): SqliteFile {
    const file = new SqliteFile(folder);
    makeFolder(folder);
    try {
      file.#open(sync, timeoutMs);
    } catch (error) {
      try {
        file.#database?.close();
      } catch {
        // What could not be opened need not close.
      }
      throw explain(error, file.#path);
    }
    return file;
  }

  /** All rows, a portion after the other. */
  *load(): Generator<Uint8Array<ArrayBuffer>, void> {
    try {
      this.assertSound();
      let parts: Buffer[] = [];
      let bytes = 0;
      const joined = (): Uint8Array<ArrayBuffer> => {
        // A buffer of its own, to be handed over.
        const rows = new Uint8Array(Buffer.concat(parts, bytes));
        parts = [];
        bytes = 0;
        return rows;
      };
      const all = this.#database.prepare("SELECT id, data FROM row ORDER BY id");
      for (const { id, data } of all.iterate() as IterableIterator<{ id: number; data: Uint8Array }>) {
        const stored = Buffer.from(data.buffer, data.byteOffset, data.length);
        const content = stored.subarray(checksumBytes);
        if (stored.length < checksumBytes || stored.readUInt32BE(0) !== crc32(content, id >>> 0)) {
          throw damaged(this.#path, `row ${id} is not what was written`);
        }
        const header = Buffer.alloc(changeHeaderBytes);
        header.writeUIntBE(id, 0, 6);
        header.writeUInt32BE(content.length, 6);
        parts.push(header, stored);
        bytes += header.length + stored.length;
        if (bytes >= portionBytes) yield joined();
      }
      if (bytes > 0) yield joined();
    } catch (error) {
      throw explain(error, this.#path);
    }
  }

  assertSound(): void {
    try {
      const { quick_check: verdict } = this.#database.prepare("PRAGMA quick_check(1)").get() as { quick_check: string };
      if (verdict !== "ok") throw damaged(this.#path, verdict);
    } catch (error) {
      throw explain(error, this.#path);
    }
  }

  /** Whether there is a tail: for releases that know of none. */
  markTail(there: boolean): void {
    const version = there ? formatWithTail : format;
    if (this.#pragma("user_version") !== version) this.#database.exec(`PRAGMA user_version = ${version}`);
  }

  /** All or nothing. Returns how much room there is left. */
  commit(changes: Buffer): number {
    if (changes.length > 0) {
      this.#change(() => {
        eachChange(changes, {
          put: (row, stored) => this.#write(row, stored),
          remove: (first, last) => void this.#remove.run(first, last),
        });
      });
    }
    return this.freeBytes();
  }

  /** As `commit`, of what many groups come to. */
  apply(net: NetChanges): void {
    this.#change(() => {
      for (const { first, last } of net.removed()) this.#remove.run(first, last);
      for (const [row, stored] of net.puts) this.#write(row, stored);
    });
  }

  /** What is committed meanwhile is on stable storage. */
  withFullSync(work: () => void): void {
    const synchronous = this.#pragma("synchronous");
    this.#database.exec("PRAGMA synchronous = FULL");
    work();
    this.#database.exec(`PRAGMA synchronous = ${synchronous}`);
  }

  #write(row: number, stored: Buffer): void {
    stored.writeUInt32BE(crc32(stored.subarray(checksumBytes), row >>> 0), 0);
    this.#put.run(row, stored);
  }

  #change(work: () => void): void {
    try {
      this.#transaction(work);
      if (++this.#commits % giveBackEvery === 0) this.#giveBack(giveBackPages);
    } catch (error) {
      throw explain(error, this.#path);
    }
  }

  /** What the file system has, and what of the file is not used, less what is to be kept free. */
  freeBytes(): number {
    const { bavail, bsize } = statfsSync(this.#folder);
    // With every commit: where there is plenty, SQLite is not asked how much of it.
    if (bavail * bsize > plentyBytes) return bavail * bsize - reserveBytes;
    const used = this.#pragma("page_count") * this.#pageBytes - this.#unusedBytes();
    const reserve = Math.min(used, reserveBytes);
    const free = bavail * bsize;
    if (free > scarceBytes + reserve) return free - reserve;
    this.#emptyLog();
    const again = statfsSync(this.#folder);
    return again.bavail * again.bsize + this.#unusedBytes() - reserve;
  }

  close(): void {
    try {
      this.#giveBack(Number.POSITIVE_INFINITY);
      this.#database.close();
    } finally {
      rmSync(this.#holder, { force: true });
    }
  }

  #open(sync: SqliteJournalOptions["sync"], timeoutMs: number): void {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      try {
        this.#lock();
        break;
      } catch (error) {
        this.#database?.close();
        if (!isBusy(error)) throw error;
        if (performance.now() >= deadline) throw new BusError("unavailable", heldBy(this.#folder, this.#holder));
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, lockPollMs);
      }
    }
    this.#prepare(sync);
    try {
      writeFileSync(this.#holder, `${JSON.stringify({ pid: process.pid, host: hostname(), since: new Date() })}\n`);
    } catch {
      // No room, it may be: others are told less well who holds it.
    }
  }

  /** Opens the file and takes SQLite's exclusive lock, kept until it is closed, or the process ends. */
  #lock(): void {
    const fresh = !existsSync(this.#path) || statSync(this.#path).size === 0;
    const database = new DatabaseSync(this.#path);
    this.#database = database;
    // Before the log is opened, so that no memory is shared with other processes for it.
    database.exec("PRAGMA locking_mode = EXCLUSIVE");
    // Told to a file that exists, it is written there, also where nothing else may be.
    if (fresh) database.exec("PRAGMA auto_vacuum = INCREMENTAL");
    database.exec("PRAGMA journal_mode = WAL");
    database.exec("BEGIN IMMEDIATE; COMMIT");
  }

  #prepare(sync: SqliteJournalOptions["sync"]): void {
    const database = this.#database;
    database.exec(`PRAGMA synchronous = ${sync.toUpperCase()}`);
    database.exec(`PRAGMA wal_autocheckpoint = ${logPages}`);
    database.exec(`PRAGMA journal_size_limit = ${logBytes}`);
    const found = this.#pragma("application_id");
    const version = this.#pragma("user_version");
    if (found === 0 && version === 0) {
      const tables = database.prepare("SELECT count(*) AS count FROM sqlite_schema").get() as { count: number };
      if (tables.count > 0) throw foreign(this.#path);
      database.exec(`BEGIN;
        CREATE TABLE row (id INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;
        PRAGMA application_id = ${applicationId};
        PRAGMA user_version = ${format};
        COMMIT`);
    } else if (found !== applicationId) throw foreign(this.#path);
    else if (version > formatWithTail) {
      const message = `${this.#path} was written by a later release (format ${version}, this one reads ${formatWithTail}): use that release`;
      throw new BusError("unsupported", message);
    }
    allocate(`${this.#path}-wal`, ownLogBytes);
    this.#pageBytes = this.#pragma("page_size");
    this.#put = database.prepare("INSERT INTO row VALUES (?, ?) ON CONFLICT DO UPDATE SET data = excluded.data");
    this.#remove = database.prepare("DELETE FROM row WHERE id BETWEEN ? AND ?");
  }

  #transaction(work: () => void): void {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      work();
      this.#database.exec("COMMIT");
    } catch (error) {
      try {
        this.#database.exec("ROLLBACK");
      } catch {
        // SQLite has rolled it back already.
      }
      throw error;
    }
  }

  #pragma(name: string): number {
    return (this.#database.prepare(`PRAGMA ${name}`).get() as Record<string, number>)[name]!;
  }

  #unusedBytes(): number {
    return this.#pragma("freelist_count") * this.#pageBytes;
  }

  #emptyLog(): void {
    try {
      this.#giveBack(giveBackPages);
      this.#database.exec(`PRAGMA journal_size_limit = ${ownLogBytes}`);
      this.#database.exec("PRAGMA wal_checkpoint(RESTART)");
    } catch {
      // No room even for that: it stays as long as it is.
    }
  }

  /** What settled messages have left behind goes back to the file system. */
  #giveBack(most: number): void {
    const pages = Math.min(most, Math.floor((this.#unusedBytes() - spareBytes) / this.#pageBytes));
    if (pages > 0) this.#database.exec(`PRAGMA incremental_vacuum(${pages})`);
  }
}
