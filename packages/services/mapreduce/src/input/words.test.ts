import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { wordsOf } from "./words.ts";

/** The definition, written down plainly. */
const naive = (text: string): readonly string[] =>
  (text.match(/[\p{L}\p{N}\p{M}]+/gu) ?? []).map((word) => word.toLowerCase());

describe("the words of a text", () => {
  it.each([
    ["", []],
    ["The bus, the BUS; 42", ["the", "bus", "the", "bus", "42"]],
    ["ΟΔΟΣ ΑΣ’Α aΣ", ["οδος", "ας", "α", "aς"]],
    ["İSTANBUL ẞ", ["i\u0307stanbul", "ß"]],
    ["𝒜𝒷😀𐐀 \ud83d a\ud835", ["𝒜𝒷", "𐐨", "a"]],
  ])("of %j", (text, expected) => {
    expect(wordsOf(text)).toEqual(expected);
  });

  it("are what the definition says", () => {
    const letters = fc.constantFrom(..."abAB zZ09_ .\n’é\u0301ΣςσİıßẞК漢。😀𐐀ﬁ", "\ud835", "\udc9c");
    const text = fc.oneof(fc.string({ unit: letters, maxLength: 200 }), fc.string({ unit: "binary", maxLength: 200 }));
    fc.assert(
      fc.property(text, (given) => {
        expect(wordsOf(given)).toEqual(naive(given));
      }),
      { numRuns: 1_000 },
    );
  });
});
