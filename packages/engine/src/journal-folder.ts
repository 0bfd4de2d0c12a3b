import { closeSync, existsSync, fstatSync, mkdirSync, openSync, statSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { BusError } from "@quadrant/contract";

/** Each missing folder by itself: where none can be made, as in /proc, `recursive` never ends. */
function makeEach(folder: string): void {
  if (existsSync(folder) && statSync(folder).isDirectory()) return;
  if (dirname(folder) !== folder) makeEach(dirname(folder));
  mkdirSync(folder);
}

/** Throws "denied" where this user may not, "unavailable" where it cannot be made. */
export function makeFolder(folder: string): void {
  try {
    makeEach(folder);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const denied = code === "EACCES" || code === "EPERM" || code === "EROFS";
    const hint = denied ? "may not be made by this user" : "cannot be made";
    throw new BusError(denied ? "denied" : "unavailable", `the folder ${folder} ${hint}: ${message}`);
  }
}

/** Has a log of SQLite's be at least so large, behind what it has written, where it takes zeros for nothing. */
export function allocate(path: string, bytes: number): void {
  const file = openSync(path, "a");
  try {
    const missing = bytes - fstatSync(file).size;
    if (missing > 0) writeSync(file, Buffer.alloc(missing));
  } catch {
    // No room: there is less to fall back on.
  } finally {
    closeSync(file);
  }
}
