import { createWriteStream } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { lostRun } from "./run-cursor.ts";
import type { RunReference, RunStore } from "./run-store.ts";
import type { KeptRun, SpillFolder } from "./spill-folder.ts";

/** How many runs are fetched at the same time. */
const lanes = 4;

/**
 * Makes runs files that this process can open, in the order of the map tasks: where the store has none, they are copied
 * into the folder. A TaskError of kind "run" where one is gone.
 */
export async function fetchRuns(
  runs: readonly RunReference[],
  store: RunStore,
  folder: SpillFolder,
  signal: AbortSignal | undefined,
): Promise<readonly KeptRun[]> {
  const inOrder = [...runs].sort((a, b) => a.map - b.map);
  if (store.pathOf !== undefined) return inOrder.map((run) => ({ path: store.pathOf!(run.name), run }));
  const kept: KeptRun[] = new Array(inOrder.length);
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < inOrder.length) {
      const at = next++;
      const run = inOrder[at]!;
      kept[at] = { path: await fetchRun(run, store, folder.newPath(), signal), run };
    }
  };
  await Promise.all(Array.from({ length: Math.min(lanes, inOrder.length) }, lane));
  return kept;
}

async function fetchRun(
  run: RunReference,
  store: RunStore,
  path: string,
  signal: AbortSignal | undefined,
): Promise<string> {
  const chunks = await store.get(run.name);
  if (chunks === undefined) throw lostRun(run, "is gone");
  await pipeline(Readable.from(chunks), createWriteStream(path), { signal });
  return path;
}
