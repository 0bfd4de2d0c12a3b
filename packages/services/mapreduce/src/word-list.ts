export type WordCount = readonly [word: string, count: number];

/** The most frequent words, most frequent first, equals by word. */
export function topWords(words: ReadonlyMap<string, number>, limit: number): readonly WordCount[] {
  // One pass with a bound, so that ten of a million words do not need all of them sorted.
  let kept: WordCount[] = [];
  const bound = Math.max(limit * 2, 1_000);
  for (const entry of words) {
    kept.push(entry);
    if (kept.length > bound) kept = kept.sort(byCount).slice(0, limit);
  }
  return kept.sort(byCount).slice(0, limit);
}

function byCount(a: WordCount, b: WordCount): number {
  return b[1] - a[1] || compareWords(a[0], b[0]);
}

/** All words by the bytes of their UTF-8. */
export function sortedWords(words: ReadonlyMap<string, number>): readonly WordCount[] {
  return [...words].sort(([a], [b]) => compareWords(a, b));
}

/** The order of code points, which is that of UTF-8 bytes. `<` compares code units: surrogates would come before U+E000. */
export function compareWords(a: string, b: string): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const left = a.charCodeAt(i);
    const right = b.charCodeAt(i);
    if (left !== right) return rank(left) - rank(right);
  }
  return a.length - b.length;
}

/** Surrogates stand for code points beyond all others. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit < 0xe000 ? unit + 0x10000 : unit;
}
