import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fnv1a, partitionOf } from "./partition.ts";

describe("the partition of a word", () => {
  it("is FNV-1a, by its published values", () => {
    expect(fnv1a("")).toBe(0x811c9dc5);
    expect(fnv1a("a")).toBe(0xe40c292c);
    expect(fnv1a("foobar")).toBe(0xbf9cf968);
  });

  it("hashes the bytes of UTF-8", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        let hash = 0x811c9dc5;
        for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193);
        expect(fnv1a(text)).toBe(hash >>> 0);
      }),
    );
  });

  it("uses every partition and stays in bounds", () => {
    const used = new Set(Array.from({ length: 1000 }, (_, i) => partitionOf(`word${i}`, 7)));
    expect([...used].sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(partitionOf("anything", 1)).toBe(0);
  });
});
