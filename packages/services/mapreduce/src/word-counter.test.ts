import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { partitionOf } from "./partition.ts";
import { WordCounter } from "./word-counter.ts";

/** The definition, written down plainly. */
function naive(bytes: Uint8Array): Map<string, number> {
  const words = new Map<string, number>();
  for (const run of Buffer.from(bytes)
    .toString("utf8")
    .match(/[\p{L}\p{N}\p{M}]+/gu) ?? []) {
    const word = run.toLowerCase();
    words.set(word, (words.get(word) ?? 0) + 1);
  }
  return words;
}

function counted(...texts: readonly Uint8Array[]): Map<string, number> {
  const counter = new WordCounter();
  for (const text of texts) counter.add(Uint8Array.from(text));
  return taken(counter);
}

function taken(counter: WordCounter, lists: number = 3): Map<string, number> {
  const words = new Map<string, number>();
  for (const [index, list] of counter.take(lists).entries()) {
    for (const [at, word] of (list.words === "" ? [] : list.words.split(" ")).entries()) {
      expect(words.has(word)).toBe(false);
      expect(partitionOf(word, lists)).toBe(index);
      words.set(word, list.counts[at]!);
    }
  }
  return words;
}

const sorted = (words: ReadonlyMap<string, number>): readonly [string, number][] =>
  [...words].sort(([a], [b]) => (a < b ? -1 : 1));

describe("the word counter", () => {
  it.each([
    ["nothing", ""],
    ["plain words", "The bus, the BUS; the bus_stop 42 times x2"],
    ["line ends", "one\r\ntwo\rthree\nfour\r\n\r\n"],
    ["names of Object.prototype", "constructor __proto__ toString hasOwnProperty CONSTRUCTOR"],
    ["curly quotes and dashes", "don’t “quote” a—b don’t"],
    ["final sigma", "ΟΔΟΣ ΟΔΟΣ. ΣΑΣ aΣ Σ ΑΣ-Α ΑΣ’Α AΣb"],
    ["capitals that grow or shrink", "İSTANBUL ẞ Straße ﬁ K (Kelvin K) Å"],
    ["composed and decomposed", "é e\u0301 É E\u0301"],
    ["marks alone", "\u0301\u0302 a\u0301\u0302"],
    ["no separators", "第三章。没有空格的文字，第三章"],
    ["beyond the basic plane", "𝒜𝒷 𝒜𝒷 𐐀𐐨 😀 a😀b"],
    ["byte order mark", "\uFEFFfirst second"],
    ["digits of other scripts", "٣٤ ४२ ⅷ Ⅷ ²"],
    ["a long run", `${"x".repeat(1000)} ${"é".repeat(500)} ${"X".repeat(1000)}`],
    ["NUL and controls", "a\0b\tc\u0085d\u2028e\u00a0f"],
  ])("counts %s as the definition does", (_, text) => {
    const bytes = Buffer.from(text);
    expect(sorted(counted(bytes))).toEqual(sorted(naive(bytes)));
  });

  it.each([
    ["a broken sequence before a letter", [0x61, 0xe2, 0x80, 0x62, 0x20, 0xc3]],
    ["a broken sequence before a separator", [0x61, 0xc3, 0x20, 0xa9, 0x62]],
    ["Latin-1", [0x63, 0x61, 0x66, 0xe9, 0x20, 0xfc, 0x62, 0x65, 0x72]],
    ["an encoded surrogate", [0x61, 0xed, 0xa0, 0x80, 0x62]],
    ["overlong", [0xc0, 0x80, 0x61, 0xf8, 0x88]],
  ])("counts invalid UTF-8 with replacement: %s", (_, bytes) => {
    expect(sorted(counted(Uint8Array.from(bytes)))).toEqual(sorted(naive(Uint8Array.from(bytes))));
  });

  it("equals the definition on any text", () => {
    const letters = fc.constantFrom(..."abAB zZ09_ .\n’é\u0301ΣςσİıßẞК漢。😀𐐀ﬁ");
    const text = fc.oneof(fc.string({ unit: letters, maxLength: 200 }), fc.string({ unit: "binary", maxLength: 200 }));
    fc.assert(
      fc.property(text, (given) => {
        const bytes = Buffer.from(given);
        expect(sorted(counted(bytes))).toEqual(sorted(naive(bytes)));
      }),
    );
  });

  it("equals the definition on any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(sorted(counted(bytes))).toEqual(sorted(naive(bytes)));
      }),
    );
  });

  it("keeps many distinct words apart while it grows", () => {
    const words = Array.from({ length: 50_000 }, (_, i) => `w${(i * 7919) % 20_011}`);
    const bytes = Buffer.from(words.join(" "));
    expect(sorted(counted(bytes))).toEqual(sorted(naive(bytes)));
  });

  it("adds up pieces and is empty once taken", () => {
    const counter = new WordCounter();
    counter.add(Buffer.from("one two "));
    counter.add(Buffer.from("Two three"));
    expect(sorted(taken(counter))).toEqual([
      ["one", 1],
      ["three", 1],
      ["two", 2],
    ]);
    counter.add(Buffer.from("one"));
    expect(sorted(taken(counter))).toEqual([["one", 1]]);
    expect(counter.take(2)).toEqual([
      { words: "", counts: [] },
      { words: "", counts: [] },
    ]);
  });
});
