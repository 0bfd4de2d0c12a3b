import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ByteTable, type WordList } from "./byte-table.ts";
import { partitionOf } from "./partition.ts";

const word = fc.oneof(
  fc.stringMatching(/^[a-z]{1,2}$/),
  fc.stringMatching(/^[\p{L}\p{N}\p{M}]{1,40}$/u),
  fc.constantFrom("constructor", "__proto__"),
);
const list = fc.array(fc.tuple(word, fc.integer({ min: 1, max: 2 ** 40 }))).map(
  (entries): WordList => ({
    words: entries.map(([text]) => text).join(" "),
    counts: entries.map(([, count]) => count),
  }),
);

function entriesOf({ words, counts }: WordList): readonly (readonly [string, number])[] {
  return words === "" ? [] : words.split(" ").map((text, index) => [text, counts[index]!]);
}

describe("the table of bytes", () => {
  it("adds lists up as a Map does, and deals each word to its own list", () => {
    fc.assert(
      fc.property(fc.array(list, { maxLength: 6 }), fc.integer({ min: 1, max: 5 }), (lists, partitions) => {
        const table = new ByteTable();
        const expected = new Map<string, number>();
        for (const each of lists) {
          table.addList(each);
          for (const [text, count] of entriesOf(each)) expected.set(text, (expected.get(text) ?? 0) + count);
        }
        expect(table.size).toBe(expected.size);
        const dealt = table.deal(partitions);
        expect(dealt).toHaveLength(partitions);
        for (const [index, each] of dealt.entries()) {
          for (const [text] of entriesOf(each)) expect(partitionOf(text, partitions)).toBe(index);
        }
        expect(new Map(dealt.flatMap(entriesOf))).toEqual(expected);
        expect(dealt.flatMap(entriesOf)).toHaveLength(expected.size);
      }),
    );
  });

  it("grows, and is empty once cleared", () => {
    const words = Array.from({ length: 30_000 }, (_, i) => `w${i}`);
    const table = new ByteTable();
    table.addList({ words: words.join(" "), counts: words.map((_, i) => i + 1) });
    table.addList({ words: "w29999", counts: [1] });
    expect(table.size).toBe(30_000);
    expect(new Map(table.deal(1).flatMap(entriesOf)).get("w29999")).toBe(30_001);
    table.clear();
    expect(table.deal(2)).toEqual([
      { words: "", counts: [] },
      { words: "", counts: [] },
    ]);
    table.addList({ words: "again", counts: [2] });
    expect(table.deal(1)).toEqual([{ words: "again", counts: [2] }]);
  });

  it("tells words of one hash apart", () => {
    const table = new ByteTable();
    for (const text of ["one", "two", "one", "on"]) table.add(Buffer.from(text), 0, text.length, 7, 1);
    expect(entriesOf(table.deal(1)[0]!)).toEqual([
      ["one", 2],
      ["two", 1],
      ["on", 1],
    ]);
  });
});
