/** What went wrong with a journal's file, and what to do about it. */
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { BusError } from "@quadrant/contract";

/** SQLite's result codes, the lower byte of its extended ones. */
const Result = { busy: 5, readOnly: 8, ioError: 10, corrupt: 11, full: 13, cannotOpen: 14, notADatabase: 26 } as const;
/** What became of a write: no room under whatever name the file system has for it. */
const writeFailed = 778;

function extendedCodeOf(error: unknown): number {
  return (error as { readonly errcode?: number }).errcode ?? 0;
}

/** Whether another process holds the file. */
export function isBusy(error: unknown): boolean {
  return (extendedCodeOf(error) & 0xff) === Result.busy;
}

/** Says who holds the folder: `holder` is the file in which a process says so. */
export function heldBy(folder: string, holder: string): string {
  let who = "another process";
  try {
    const { pid, host } = JSON.parse(readFileSync(holder, "utf8")) as { pid: number; host: string };
    who = `process ${pid}${host === hostname() ? "" : ` on ${host}`}`;
  } catch {
    // It has just begun to hold it, or is just letting go.
  }
  return `${folder} is in use by ${who}: end it, or use another folder; to share one, run a hub on it`;
}

export function foreign(path: string): BusError {
  return new BusError("unavailable", `${path} is another program's database: use another folder`);
}

export function damaged(path: string, why: string): BusError {
  const message = `${path} is damaged: ${why}. Nothing was changed. Copy the folder away, then restore a backup, or salvage the copy with the sqlite3 program's ".recover" and try that, or begin anew with an empty folder`;
  return new BusError("unavailable", message);
}

/** An error of SQLite's as a BusError; what is none of its errors as it is. */
export function explain(error: unknown, path: string): unknown {
  if (error instanceof BusError) return error;
  const extended = extendedCodeOf(error);
  const code = extended & 0xff;
  const why = error instanceof Error ? error.message : String(error);
  if (code === Result.corrupt || code === Result.notADatabase) return damaged(path, why);
  if (code === Result.full || extended === writeFailed) {
    return new BusError("overflow", `the disk is full: ${path} takes no more; free some room`);
  }
  if (code === Result.readOnly || code === Result.cannotOpen) {
    return new BusError("denied", `${path} cannot be written: ${why}; give this user the right to`);
  }
  if (code === Result.ioError) {
    const message = `${path}: the disk failed (${why}): look after it, then start again; what was acknowledged before is kept`;
    return new BusError("unavailable", message);
  }
  return error;
}
