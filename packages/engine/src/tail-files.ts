import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeSync,
} from "node:fs";
import { BusError } from "@quadrant/contract";
import { NetChanges } from "./net-changes.ts";
import type { SqliteFile } from "./sqlite-file.ts";
import { readRun, recordHeaderBytes, runsToRepeat, tailPath } from "./tail-record.ts";

/** A file of the tail begins with so much and grows to this, each time that it has been filled. */
const firstBytes = 1024 * 1024;
const mostBytes = 8 * 1024 * 1024;
const zeros = Buffer.alloc(firstBytes);

/** The two files of a journal's tail, as the thread sees them that brings into the database what is in them. */
export class TailFiles {
  readonly #folder: string;
  readonly #file: SqliteFile;
  readonly #paths: readonly [string, string];

  constructor(folder: string, file: SqliteFile) {
    this.#folder = folder;
    this.#file = file;
    this.#paths = [tailPath(folder, 0), tailPath(folder, 1)];
  }

  /** What an earlier process has left. */
  recover(): void {
    const runs = this.#paths.map((path) => (existsSync(path) ? readRun(readFileSync(path)) : undefined));
    const net = new NetChanges();
    const repeated = runsToRepeat(runs);
    for (const { changes } of repeated) for (const each of changes) net.add(each);
    if (!net.empty) {
      this.#file.assertSound();
      // Whatever this opening asks for: who wrote the tail may have promised more.
      this.#file.withFullSync(() => this.#file.apply(net));
    }
    const newest = repeated.at(-1);
    this.remove(newest !== undefined && newest === runs[1] ? 1 : 0);
  }

  /** Makes them, all of it on stable storage. Returns how large each is. */
  make(): number {
    this.#file.markTail(true);
    for (const path of this.#paths) this.#with(path, "w", (file) => this.#extend(file, 0, firstBytes));
    this.#syncFolder();
    return firstBytes;
  }

  /** Brings what the first `bytes` of a file hold into the database. Returns how large the file is then. */
  apply(index: 0 | 1, bytes: number): number {
    return this.#with(this.#paths[index], "r+", (file) => {
      if (bytes > 0) this.#apply(file, bytes);
      const { size } = fstatSync(file);
      if (bytes * 2 < size || size >= mostBytes) return size;
      try {
        this.#extend(file, size, Math.min(size, mostBytes - size));
      } catch {
        // No room: it stays about as large as it is.
      }
      return fstatSync(file).size;
    });
  }

  /**
   * What is in them has been brought into the database, and what comes next will be in there before: they hold nothing. The
   * one that is not the newest first: alone it would be repeated after what followed it.
   */
  clear(newest: 0 | 1): void {
    for (const index of [1 - newest, newest] as (0 | 1)[]) {
      this.#with(this.#paths[index], "r+", (file) => {
        writeSync(file, zeros, 0, recordHeaderBytes, 0);
        fsyncSync(file);
      });
    }
  }

  /** As `clear`, where that was not done, and they are no more. */
  remove(newest: 0 | 1 = 0): void {
    if (this.#paths.every((path) => existsSync(path))) this.clear(newest);
    for (const path of this.#paths) rmSync(path, { force: true });
    this.#file.markTail(false);
  }

  #apply(file: number, bytes: number): void {
    const content = Buffer.allocUnsafe(bytes);
    for (let at = 0; at < bytes; ) {
      const read = readSync(file, content, at, bytes - at, at);
      if (read === 0) break;
      at += read;
    }
    const run = readRun(content);
    if (run?.bytes !== bytes)
      throw new BusError("unavailable", `${this.#folder}: the journal's tail is not what was written`);
    const net = new NetChanges();
    for (const each of run.changes) net.add(each);
    this.#file.apply(net);
  }

  #extend(file: number, from: number, by: number): void {
    for (let at = from; at < from + by; at += zeros.length) writeSync(file, zeros, 0, zeros.length, at);
    fsyncSync(file);
  }

  /** Files that were made are to be found after a power cut. */
  #syncFolder(): void {
    try {
      this.#with(this.#folder, "r", (folder) => fsyncSync(folder));
    } catch (error) {
      // Windows has no such thing, nor the need.
      if (process.platform !== "win32") throw error;
    }
  }

  #with<T>(path: string, flags: string, work: (file: number) => T): T {
    const file = openSync(path, flags);
    try {
      return work(file);
    } finally {
      closeSync(file);
    }
  }
}
