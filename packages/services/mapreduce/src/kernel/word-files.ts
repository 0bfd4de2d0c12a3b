import { stat } from "node:fs/promises";
import { readBlocks } from "../input/block-reader.ts";
import { lastCut } from "../input/word-bytes.ts";
import { count } from "../job/codec.ts";
import { pairsOf } from "../shuffle/pair-block.ts";
import type { CountedPartition, CountTable } from "./count-table.ts";

/** Counts the words of whole files. Rejects where one cannot be read. */
export async function countWordsOfFiles(table: CountTable, paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    const range = { path, start: 0, end: (await stat(path)).size };
    await readBlocks(range, lastCut, (block) => void table.countWords(block));
  }
}

/** What a table has counted, as strings and numbers, sorted by the words' bytes. */
export function countedPairs({ blocks }: CountedPartition): readonly (readonly [word: string, count: number])[] {
  return blocks.flatMap((block) =>
    [...pairsOf(block)].map(({ key, value }) => [key.toString(), count.read(value, 0, value.length)] as const),
  );
}
