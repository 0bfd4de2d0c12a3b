import { createHash } from "node:crypto";
import { type FileHandle, open, statfs } from "node:fs/promises";
import { BusError } from "@quadrant/contract";
import type { SqliteSync } from "../journal-order.ts";

/** How files are named after stores and blobs. */
export function hashOf(name: string): string {
  return createHash("sha256").update(name).digest("hex").slice(0, 32);
}

/** Left for the journal, which has to note what is taken and acknowledged when nothing can be added any more. */
const reserveBytes = 16 * 1024 * 1024;

/** What all files of blobs in one folder share: how they are kept, and their numbers. */
export class FileSetting {
  readonly driver: string;
  readonly #sync: SqliteSync;
  #serial = 0;

  constructor(sync: SqliteSync, driver: string) {
    this.#sync = sync;
    this.driver = driver;
  }

  nextSerial(): string {
    return (++this.#serial).toString(16).padStart(12, "0");
  }

  /** What was written is on stable storage, unless that is left to the system. */
  async flush(file: FileHandle): Promise<void> {
    if (this.#sync !== "off") await file.datasync();
  }

  /** Throws "overflow" where so much more would leave too little for the journal. */
  async assertRoom(folder: string, bytes: number, what: string): Promise<void> {
    const { bavail, bsize } = await statfs(folder);
    if (bavail * bsize >= reserveBytes + bytes) return;
    const message = `${what}: there is no room on the disk: ${bavail * bsize} bytes are left, of which ${reserveBytes} are kept for the journal`;
    throw new BusError("overflow", message, { driver: this.driver });
  }

  /** As `flush`, for names that came or went. */
  async flushFolder(folder: string): Promise<void> {
    // Windows has no such thing, nor the need.
    if (this.#sync !== "full" || process.platform === "win32") return;
    const file = await open(folder, "r");
    try {
      await file.sync();
    } finally {
      await file.close();
    }
  }

  /** A number that is there already: those that follow are higher. */
  foundSerial(serial: string): void {
    this.#serial = Math.max(this.#serial, Number.parseInt(serial, 16));
  }

  /** What the file system refused, in terms of the bus. */
  fault(what: string, cause: unknown): BusError {
    if (cause instanceof BusError) return cause;
    const { code, message } = cause as NodeJS.ErrnoException;
    const full = code === "ENOSPC" || code === "EDQUOT" || code === "EFBIG";
    const hint = full ? "there is no room on the disk" : "the folder cannot be used";
    const { driver } = this;
    return new BusError(full ? "overflow" : "unavailable", `${what}: ${hint}: ${message}`, { cause, driver });
  }
}
