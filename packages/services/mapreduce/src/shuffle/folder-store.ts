import { closeSync, createReadStream, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { access, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { RunStore } from "./run-store.ts";

let serial = 0;

/**
 * Runs as files of a folder, which the processes of a job share. Writes are synchronous, a chunk at a time: a trip to the
 * thread pool and back takes longer than a chunk into the page cache.
 */
export async function openFolderStore(folder: string): Promise<RunStore> {
  await mkdir(folder, { recursive: true });
  return {
    pathOf: (name) => join(folder, name),
    put: async (name, chunks) => {
      const temporary = join(folder, `.${name}.${process.pid}.${serial++}`);
      const file = openSync(temporary, "wx");
      try {
        try {
          for await (const chunk of chunks) writeWhole(file, chunk);
        } finally {
          closeSync(file);
        }
        renameSync(temporary, join(folder, name));
      } catch (error) {
        rmSync(temporary, { force: true });
        throw error;
      }
    },
    get: async (name) => {
      const path = join(folder, name);
      return (await exists(path)) ? createReadStream(path, { highWaterMark: 1 << 18 }) : undefined;
    },
    remove: async (name) => {
      const path = join(folder, name);
      const existed = await exists(path);
      await rm(path, { force: true });
      return existed;
    },
  };
}

function writeWhole(file: number, chunk: Uint8Array): void {
  for (let at = 0; at < chunk.length; ) at += writeSync(file, chunk, at);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
