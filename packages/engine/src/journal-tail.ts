import { closeSync, constants, fdatasync, openSync, writev, writevSync } from "node:fs";
import { setImmediate as turn } from "node:timers/promises";
import { BusError } from "@quadrant/contract";
import { recordHeader, recordHeaderBytes, tailPath } from "./tail-record.ts";

/** What brings the first `bytes` of a file into the database, and says how large the file is then. */
export type ApplyTail = (index: 0 | 1, bytes: number, clear: boolean) => Promise<number>;

export interface TailTerms {
  /** Whether a group counts once it is on stable storage, or once the operating system has it. */
  readonly durable: boolean;
  /** Whether small groups may be written from the event loop itself, while the disk is quick. */
  readonly inLoop: boolean;
}

/** Windows has no such flag: there it takes a call more. */
const writeThrough: number | undefined = constants.O_DSYNC;

/** What few operations come to: handing it over to another thread and back may take as long as a quick disk does. */
const smallBytes = 4_096;
/** A disk is quick that takes less than this on average, the last ones counting most; one slow write is a slow disk. */
const quickMs = 0.4;
const latestCounts = 0.1;
const slowMs = 4;

/**
 * Where groups are committed at once: one write that is on stable storage when it returns, without a thread of our own in
 * between. When one of its two files is full, the other goes on, and what the first comes to is brought into the database:
 * what was sent and settled meanwhile is never written there.
 */
export class JournalTail {
  readonly #files: readonly [number, number];
  readonly #sizes: [number, number];
  readonly #apply: ApplyTail;
  readonly #syncs: boolean;
  readonly #inLoop: boolean;
  /** How long small groups take; a disk is not quick before that was seen. */
  #meanMs = slowMs;
  readonly #epoch: number = Math.floor(Math.random() * 2 ** 48);
  #index: 0 | 1 = 0;
  #at = 0;
  #number = 1;
  /** Of the other file. */
  #applying: Promise<void> = Promise.resolve();
  /** Whether something is in either that the database may not have. */
  #holds = false;

  constructor(folder: string, bytes: number, { durable, inLoop }: TailTerms, apply: ApplyTail) {
    const flags = constants.O_RDWR | (durable ? (writeThrough ?? 0) : 0);
    const first = openSync(tailPath(folder, 0), flags);
    this.#files = [first, openSync(tailPath(folder, 1), flags)];
    this.#sizes = [bytes, bytes];
    this.#apply = apply;
    this.#syncs = durable && writeThrough === undefined;
    this.#inLoop = inLoop && !this.#syncs;
  }

  takes(changes: Uint8Array): boolean {
    return changes.length + recordHeaderBytes <= Math.min(...this.#sizes);
  }

  /** Resolves once the group counts; false: there is no room, and it may be tried again. One at a time. */
  async append(changes: Uint8Array): Promise<boolean> {
    if (this.#at + recordHeaderBytes + changes.length > this.#sizes[this.#index]) await this.#turnOver();
    this.#holds = true;
    try {
      await this.#carry([recordHeader(this.#epoch, this.#number, changes), changes]);
    } catch (cause) {
      const { code, message } = cause as NodeJS.ErrnoException;
      if (code === "ENOSPC" || code === "EDQUOT") return false;
      throw new BusError("unavailable", `the journal's tail cannot be written: ${message}`, { cause });
    }
    this.#number++;
    this.#at += recordHeaderBytes + changes.length;
    return true;
  }

  /** Resolves once the database has all of it; nothing is in the tail then. */
  async empty(): Promise<void> {
    await this.#applying;
    if (!this.#holds) return;
    await this.#apply(this.#index, this.#at, true);
    this.#at = 0;
    this.#holds = false;
  }

  close(): void {
    for (const file of this.#files) closeSync(file);
  }

  async #turnOver(): Promise<void> {
    await this.#applying;
    const full = this.#index;
    const applied = this.#apply(full, this.#at, false);
    this.#index = full === 0 ? 1 : 0;
    this.#at = 0;
    this.#applying = applied.then((bytes) => {
      this.#sizes[full] = bytes;
    });
    // Whoever comes next is told.
    this.#applying.catch(() => undefined);
  }

  async #carry(parts: Uint8Array[]): Promise<void> {
    if (!this.#inLoop || parts.reduce((sum, { length }) => sum + length, 0) > smallBytes) return this.#write(parts);
    const began = performance.now();
    const isQuick = this.#meanMs < quickMs;
    if (isQuick) this.#writeNow(parts);
    else await this.#write(parts);
    const ms = performance.now() - began;
    this.#meanMs = ms > slowMs ? ms : this.#meanMs + (ms - this.#meanMs) * latestCounts;
    // Who commits one thing after the other leaves the rest of the process its turn.
    if (isQuick) await turn();
  }

  #writeNow(parts: Uint8Array[]): void {
    const file = this.#files[this.#index];
    let position = this.#at;
    for (let left = parts; left.length > 0; ) {
      const written = writevSync(file, left, position);
      position += written;
      left = rest(left, written);
    }
  }

  async #write(parts: Uint8Array[]): Promise<void> {
    const file = this.#files[this.#index];
    let position = this.#at;
    for (let left = parts; left.length > 0; ) {
      const written = await new Promise<number>((resolve, reject) =>
        writev(file, left, position, (error, bytes) => (error === null ? resolve(bytes) : reject(error))),
      );
      position += written;
      left = rest(left, written);
    }
    if (!this.#syncs) return;
    await new Promise<void>((resolve, reject) =>
      fdatasync(file, (error) => (error === null ? resolve() : reject(error))),
    );
  }
}

function rest(parts: readonly Uint8Array[], written: number): Uint8Array[] {
  const left: Uint8Array[] = [];
  let skipped = written;
  for (const part of parts) {
    if (skipped < part.length) left.push(skipped === 0 ? part : part.subarray(skipped));
    skipped = Math.max(0, skipped - part.length);
  }
  return left;
}
