import { execFile } from "node:child_process";
import { mkdtemp, open, rm, rmdir, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { BusError } from "@quadrant/contract";
import { holdMount } from "../brokers/guardian.ts";

const run = promisify(execFile);

/** A disk of a few megabytes, to be filled. Disposing it takes it away with all that is on it. */
export interface SmallDisk extends AsyncDisposable {
  /** Where it is mounted: for `startBroker(kind, { data: disk.folder })`. */
  readonly folder: string;
  /** Takes all the room that is left: what writes next gets ENOSPC. */
  fill(): Promise<void>;
  /** Gives back what `fill` took. */
  free(): Promise<void>;
}

class Tmpfs implements SmallDisk {
  readonly folder: string;
  readonly #letGo: () => void;

  constructor(folder: string) {
    this.folder = folder;
    this.#letGo = holdMount(folder);
  }

  get #filling(): string {
    return join(this.folder, ".filling");
  }

  async fill(): Promise<void> {
    const file = await open(this.#filling, "a");
    try {
      // Down to single bytes, so that no page is left in which a small write would fit.
      for (let size = 1 << 20; size >= 1; ) {
        const room = await statfs(this.folder);
        if (room.bavail === 0 && size > room.bsize) size = room.bsize;
        try {
          await file.write(Buffer.alloc(size));
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
          size >>= 1;
        }
      }
    } finally {
      await file.close();
    }
  }

  async free(): Promise<void> {
    await rm(this.#filling, { force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Lazily: who still has a file open on it keeps that until it lets go.
    await run("umount", ["-l", this.folder]);
    await rmdir(this.folder);
    this.#letGo();
  }
}

/**
 * Mounts a disk of so many bytes in a folder of its own. Only root on Linux mounts one: elsewhere rejects with "unsupported".
 */
export async function smallDisk(bytes: number): Promise<SmallDisk> {
  if (!Number.isSafeInteger(bytes) || bytes < 65_536) {
    throw new BusError("invalid", `a small disk has at least 65536 bytes, not ${bytes}`);
  }
  if (process.platform !== "linux" || process.getuid?.() !== 0) {
    throw new BusError(
      "unsupported",
      "a disk that can be filled is a tmpfs, which only root on Linux mounts: run as root",
    );
  }
  const folder = await mkdtemp(join(tmpdir(), "quadrant-disk-"));
  try {
    await run("mount", ["-t", "tmpfs", "-o", `size=${bytes},mode=0777`, "tmpfs", folder]);
  } catch (cause) {
    await rmdir(folder);
    throw new BusError("unsupported", "no tmpfs can be mounted here: this sandbox does not allow it", { cause });
  }
  return new Tmpfs(folder);
}
