/** A block of pairs as runs hold them, sorted by key. Valid until the table is used again. */
export interface CountedPartition {
  readonly pairs: number;
  readonly blocks: readonly Buffer[];
}

/**
 * Counts byte sequences, and gives them back sorted by their bytes and dealt by FNV-1a to partitions. Words stay known when
 * they have been given back, so that the next text finds them, and their order, there. Two forms that do the same:
 * WebAssembly (wasm-count-table.ts, of count-table.as) and JavaScript, against which that is checked
 * (plain-count-table.ts).
 */
export interface CountTable {
  /** Counts the words of a text that begins and ends where no word does: see word-bytes.ts. */
  countWords(text: Uint8Array): void;
  /** Adds the counts of pairs as they lie in a block of a run. Returns how many. */
  addPairs(block: Uint8Array): number;
  /** Of each partition what has been counted since the last time. */
  drain(partitions: number): readonly CountedPartition[];
  /** What the table takes up. */
  readonly heldBytes: number;
}
