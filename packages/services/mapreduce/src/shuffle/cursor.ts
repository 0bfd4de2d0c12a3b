/** Goes through pairs in the order of their keys. The pair at hand is valid until the next step. */
export interface PairCursor {
  readonly bytes: Buffer;
  readonly key: number;
  readonly value: number;
  readonly end: number;
  /** To the next pair, the first at the beginning; false where there is none. */
  advance(): boolean;
  /** May be repeated. */
  close(): void;
}

/** Compares the keys at hand of two cursors, by their bytes. */
export function compareKeys(a: PairCursor, b: PairCursor): number {
  const { bytes: left, key: from, value: to } = a;
  const { bytes: right, key: other, value: otherTo } = b;
  const shared = Math.min(to - from, otherTo - other);
  for (let i = 0; i < shared; i++) {
    const difference = left[from + i]! - right[other + i]!;
    if (difference !== 0) return difference;
  }
  return to - from - (otherTo - other);
}
