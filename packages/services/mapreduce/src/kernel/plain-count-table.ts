import { wordsOf } from "../input/words.ts";
import { BlockWriter } from "../shuffle/block-writer.ts";
import { partitionOf } from "../shuffle/hash.ts";
import { pairsOf } from "../shuffle/pair-block.ts";
import type { CountedPartition, CountTable } from "./count-table.ts";

/** The count table written down plainly: what the other form is checked against. */
export function openPlainCountTable(): CountTable {
  const counts = new Map<string, number>();
  const add = (key: string, times: number): void => void counts.set(key, (counts.get(key) ?? 0) + times);
  return {
    get heldBytes() {
      return counts.size * 100;
    },
    countWords: (text) => {
      for (const word of wordsOf(Buffer.from(text).toString())) add(word, 1);
    },
    addPairs: (block) => {
      let pairs = 0;
      for (const { key, value } of pairsOf(Buffer.from(block))) {
        add(key.toString("utf8"), varintOf(value));
        pairs++;
      }
      return pairs;
    },
    drain: (partitions) => {
      const sorted = [...counts].map(([key, times]) => ({ key: Buffer.from(key), times }));
      sorted.sort((a, b) => Buffer.compare(a.key, b.key));
      counts.clear();
      return Array.from({ length: partitions }, (_, partition) => {
        const own = sorted.filter(({ key }) => partitionOf(key, 0, key.length, partitions) === partition);
        return sortedPartition(own);
      });
    },
  };
}

function sortedPartition(pairs: readonly { readonly key: Buffer; readonly times: number }[]): CountedPartition {
  const blocks: Buffer[] = [];
  const writer = new BlockWriter((block) => blocks.push(Buffer.from(block)));
  for (const { key, times } of pairs) writer.addCount(key, times);
  writer.end();
  return { pairs: pairs.length, blocks };
}

function varintOf(bytes: Buffer): number {
  return bytes.reduce((sum, byte, at) => sum + (byte & 0x7f) * 0x80 ** at, 0);
}
