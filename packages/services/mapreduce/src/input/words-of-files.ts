import { setImmediate as turn } from "node:timers/promises";
import { count } from "../job/codec.ts";
import { returnCountTable, takeCountTable } from "../kernel/count-table-pool.ts";
import { BlockCursor } from "../shuffle/pair-block.ts";
import { readBlocks } from "./block-reader.ts";
import { asRead, type Input } from "./input.ts";
import { lastCut } from "./word-bytes.ts";

/** A word, in which file it is, and how often in the part of it that one task reads. */
export interface WordOfFile {
  readonly word: string;
  readonly path: string;
  readonly count: number;
}

const keptBytes = 64 << 20;

/** Each different word of a range of a file once, in their order: counted before a string is made. The offset is the range's. */
export const wordsOfFiles: Input<WordOfFile> = {
  name: "words-of-files",
  cut: "word",
  record: asRead,
  read: async (range, take, signal) => {
    const table = takeCountTable();
    await readBlocks(range, lastCut, (block) => void table.countWords(block), signal);
    const cursor = new BlockCursor();
    for (const block of table.drain(1)[0]?.blocks ?? []) {
      cursor.open(block);
      while (cursor.advance()) {
        const word = block.toString("utf8", cursor.key, cursor.value);
        const record = { word, path: range.path, count: count.read(block, cursor.value, cursor.end) };
        if (take(record, range.start)) await turn();
      }
    }
    returnCountTable(table, keptBytes);
  },
};
