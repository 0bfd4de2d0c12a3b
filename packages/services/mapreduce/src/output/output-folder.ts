import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { BusError } from "@quadrant/bus";
import { openFolderStore } from "../shuffle/folder-store.ts";
import type { RunStore } from "../shuffle/run-store.ts";
import type { PartReference } from "../task/task.ts";

const temporaryFolder = "_temporary";
const successName = "_SUCCESS";

/**
 * A job's result: parts, each of one attempt as a whole, and `_SUCCESS` once all are there. Who commits decides which
 * attempt's part counts; a part that is committed is never replaced.
 */
export interface OutputFolder {
  readonly path: string;
  /** For the reduce tasks of processes that see this folder: their parts are committed by a rename. */
  readonly parts: RunStore;
  /** Makes the part the result's; fetched from `from` where that is another store. False where that part has been committed before. */
  commit(part: PartReference, from?: RunStore): Promise<boolean>;
  /** Says that all parts are there, and removes what attempts have left. */
  succeed(summary: string): Promise<void>;
  /** Removes what attempts have left, and all parts. */
  discard(): Promise<void>;
}

/** Removes what attempts have left in a result's folder, also while one of them still writes there. */
export async function removeTemporary(path: string): Promise<void> {
  await rm(join(path, temporaryFolder), { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
}

/** Makes the folder. "conflict" where it holds the result of a job; with `resume`, parts that are there stay. */
export async function openOutputFolder(
  path: string,
  { resume = false }: { readonly resume?: boolean } = {},
): Promise<OutputFolder> {
  await mkdir(path, { recursive: true });
  const names = await readdir(path);
  const held = names.filter((name) => name === successName || name.startsWith("part-"));
  if (held.length > 0 && !resume) {
    throw new BusError("conflict", `${path} holds the result of a job (${held[0]}): give another folder, or remove it`);
  }
  const parts = await openFolderStore(join(path, temporaryFolder));
  const committed = new Set(names.filter((name) => name.startsWith("part-")));
  const clean = (): Promise<void> => removeTemporary(path);
  return {
    path,
    parts,
    commit: async (reference, from = parts) => {
      if (committed.has(reference.part)) return false;
      committed.add(reference.part);
      try {
        if (from !== parts) await fetchPart(reference, from, parts);
        await rename(join(path, temporaryFolder, reference.name), join(path, reference.part));
        return true;
      } catch (error) {
        committed.delete(reference.part);
        throw error;
      }
    },
    succeed: async (summary) => {
      await clean();
      await writeFile(join(path, successName), summary);
      await syncFolder(path);
    },
    discard: async () => {
      await clean();
      for (const name of committed) await rm(join(path, name), { force: true });
    },
  };
}

async function fetchPart({ name, sha256 }: PartReference, from: RunStore, to: RunStore): Promise<void> {
  const chunks = await from.get(name);
  if (chunks === undefined) throw new Error(`the part ${name} is gone`);
  await to.put(name, chunks);
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(to.pathOf!(name))) hash.update(chunk);
  if (hash.digest("hex") !== sha256) throw new Error(`the part ${name} is damaged`);
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
