import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findCuts, type ReadAt } from "./cuts.ts";
import { firstCut } from "./word-bytes.ts";

const runs = (bytes: Uint8Array): readonly string[] =>
  Buffer.from(bytes)
    .toString("utf8")
    .match(/[\p{L}\p{N}\p{M}]+/gu) ?? [];

const readerOf =
  (bytes: Uint8Array): ReadAt =>
  async (position, length) =>
    bytes.subarray(position, position + length);

const text = fc.oneof(
  fc.uint8Array({ maxLength: 400 }),
  fc
    .string({ unit: fc.constantFrom("a", "B", "7", " ", "\n", "é", "’", "漢", "😀", "-"), maxLength: 300 })
    .map((given) => new TextEncoder().encode(given)),
);

describe("findCuts", () => {
  it("never cuts a word: the words of the ranges are the words of the whole, in order", async () => {
    await fc.assert(
      fc.asyncProperty(text, fc.integer({ min: 1, max: 60 }), async (bytes, rangeBytes) => {
        const cuts = await findCuts(bytes.length, rangeBytes, readerOf(bytes), firstCut);
        const words = cuts.flatMap((end, index) => runs(bytes.subarray(cuts[index - 1] ?? 0, end)));
        expect(words).toEqual(runs(bytes));
        expect(cuts.at(-1) ?? 0).toBe(bytes.length);
        for (const [index, end] of cuts.entries()) expect(end).toBeGreaterThan(cuts[index - 1] ?? 0);
      }),
    );
  });

  it("cuts at the first separator from the wished size on", async () => {
    expect(await findCuts(11, 4, readerOf(Buffer.from("aaa bbbbb c")), firstCut)).toEqual([4, 10, 11]);
    expect(await findCuts(6, 3, readerOf(Buffer.from("éééx y")), firstCut)).toEqual([6]);
    expect(await findCuts(0, 3, readerOf(Buffer.from("")), firstCut)).toEqual([]);
  });

  it("finds a separator that is far away, reading each byte about once", async () => {
    const bytes = Buffer.concat([Buffer.alloc(3_000_000, "a"), Buffer.from(" b")]);
    let read = 0;
    const cuts = await findCuts(
      bytes.length,
      1000,
      async (position, length) => {
        read += length;
        return bytes.subarray(position, position + length);
      },
      firstCut,
    );
    expect(cuts).toEqual([3_000_001, 3_000_002]);
    expect(read).toBeLessThan(bytes.length + 4096);
  });
});
