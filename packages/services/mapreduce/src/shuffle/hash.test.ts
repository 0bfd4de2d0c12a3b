import { describe, expect, it } from "vitest";
import { partitionOf } from "./hash.ts";

const of = (text: string, partitions: number): number => {
  const bytes = Buffer.from(`(${text})`);
  return partitionOf(bytes, 1, bytes.length - 1, partitions);
};

describe("the partition of a key", () => {
  it("is FNV-1a over its bytes, by the published values", () => {
    const whole = 2 ** 32;
    expect(of("", whole)).toBe(0x811c9dc5);
    expect(of("a", whole)).toBe(0xe40c292c);
    expect(of("foobar", whole)).toBe(0xbf9cf968);
  });

  it("uses every partition and stays in bounds", () => {
    const used = new Set(Array.from({ length: 1000 }, (_, i) => of(`word${i}`, 7)));
    expect([...used].sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(of("anything", 1)).toBe(0);
  });
});
