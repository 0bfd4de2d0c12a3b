import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareWords, sortedWords, topWords } from "./word-list.ts";

describe("word lists", () => {
  it("sort by the bytes of UTF-8", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "grapheme" })), (words) => {
        const byBytes = [...words].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
        expect([...words].sort(compareWords)).toEqual(byBytes);
      }),
    );
    expect(
      sortedWords(
        new Map([
          ["\u{10400}", 1],
          ["\uFB01", 2],
          ["a", 3],
        ]),
      ).map(([word]) => word),
    ).toEqual(["a", "\uFB01", "\u{10400}"]);
  });

  it("put the most frequent first, equals by word, also out of very many", () => {
    const counts = new Map(Array.from({ length: 10_000 }, (_, i) => [`w${(i * 7919) % 10_000}`, i % 100] as const));
    const all = [...counts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
    expect(topWords(counts, 250)).toEqual(all.slice(0, 250));
    expect(topWords(counts, 1)).toEqual(all.slice(0, 1));
    expect(topWords(new Map(), 5)).toEqual([]);
  });
});
