/** Counts words without an engine: the naive way, or with the bare count table, one of several processes that share the work. */
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { countedPairs, countWordsOfFiles, openWasmCountTable } from "@quadrant/mapreduce";
import { play } from "./role.ts";

interface Whole {
  readonly paths: readonly string[];
  readonly folder: string;
}

async function naive({ paths, folder }: Whole): Promise<void> {
  const counts = new Map<string, number>();
  for (const path of paths) {
    for (const line of readFileSync(path, "utf8").split("\n")) {
      for (const run of line.match(/[\p{L}\p{N}\p{M}]+/gu) ?? []) {
        const word = run.toLowerCase();
        counts.set(word, (counts.get(word) ?? 0) + 1);
      }
    }
  }
  await writePart(
    folder,
    0,
    [...counts].sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

async function writePart(folder: string, index: number, counts: Iterable<readonly [string, number]>): Promise<void> {
  let text = "";
  for (const [word, count] of counts) text += `${word}\t${count}\n`;
  await writeFile(join(folder, `part-${index}`), text);
}

export interface BareShare {
  readonly paths: readonly string[];
  readonly folder: string;
  readonly index: number;
  readonly partitions: number;
}

const table = openWasmCountTable();

/** Counts, and leaves a file for each partition. */
async function bareMap({ paths, folder, index, partitions }: BareShare): Promise<void> {
  await countWordsOfFiles(table, paths);
  for (const [partition, { blocks }] of table.drain(partitions).entries()) {
    await writeFile(join(folder, `map-${index}-${partition}`), Buffer.concat(blocks));
  }
}

/** Adds up what all have left of a partition, and writes it. */
async function bareReduce({ folder, index, partitions }: Omit<BareShare, "paths">): Promise<void> {
  for (let map = 0; map < partitions; map++) table.addPairs(readFileSync(join(folder, `map-${map}-${index}`)));
  await writePart(folder, index, countedPairs(table.drain(1)[0]!));
}

play<{ naive: Whole; map: BareShare; reduce: Omit<BareShare, "paths"> }>({
  naive,
  map: bareMap,
  reduce: bareReduce,
});
