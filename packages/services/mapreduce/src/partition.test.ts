import { describe, expect, it } from "vitest";
import { partitionOf } from "./partition.ts";

describe("the partition of a word", () => {
  it("is FNV-1a over UTF-8, by its published values", () => {
    const whole = 2 ** 32;
    expect(partitionOf("", whole)).toBe(0x811c9dc5);
    expect(partitionOf("a", whole)).toBe(0xe40c292c);
    expect(partitionOf("foobar", whole)).toBe(0xbf9cf968);
    expect(partitionOf("é", 97)).toBe(partitionOf("\u00e9", 97));
  });

  it("uses every partition and stays in bounds", () => {
    const used = new Set(Array.from({ length: 1000 }, (_, i) => partitionOf(`word${i}`, 7)));
    expect([...used].sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(partitionOf("anything", 1)).toBe(0);
  });
});
