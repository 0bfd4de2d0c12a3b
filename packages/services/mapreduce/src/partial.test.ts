import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Assembly, cutPieces, decodePartial, encodePartial, type Piece } from "./partial.ts";

describe("partials", () => {
  it("come back from their text as they were", () => {
    const word = fc.oneof(fc.stringMatching(/^[\p{L}\p{N}\p{M}]{1,8}$/u), fc.constantFrom("__proto__", "constructor"));
    const unread = fc.array(fc.record({ path: fc.string({ unit: "binary" }), message: fc.string({ unit: "binary" }) }));
    fc.assert(
      fc.property(fc.array(word), fc.infiniteStream(fc.nat()), unread, (words, counts, given) => {
        const partial = { words: words.join(" "), counts: words.map(() => counts.next().value), unread: given };
        expect(decodePartial(encodePartial(partial))).toEqual(partial);
      }),
    );
  });

  it("come back from their pieces in any order, repeated, and among those of other attempts", () => {
    const cut = (text: string, attempt: string, size: number): readonly Piece[] => cutPieces(3, attempt, text, size);
    fc.assert(
      fc.property(
        fc.string({ unit: "grapheme", maxLength: 60 }),
        fc.integer({ min: 1, max: 9 }),
        fc.infiniteStream(fc.nat()),
        (text, size, random) => {
          const all = [
            ...cut(text, "one", size),
            ...cut(text, "one", size),
            ...cut(text, "two", size + 1).slice(0, -1),
          ];
          const shuffled = all.map((piece) => ({ piece, at: random.next().value }));
          shuffled.sort((a, b) => a.at - b.at);
          const assembly = new Assembly();
          const whole = shuffled.map(({ piece }) => assembly.add(piece)).filter((result) => result !== undefined);
          expect(whole).toEqual([text]);
          expect(assembly.size).toBe(1);
        },
      ),
    );
  });

  it("keep surrogate pairs together", () => {
    for (const { text } of cutPieces(0, "a", "😀😀x😀", 3)) expect(text.isWellFormed()).toBe(true);
  });

  it("count a thing once, however many attempts at it come in", () => {
    const assembly = new Assembly();
    const text = "a b\n1 2\n[]";
    expect(cutPieces(1, "first", text, 100).map((piece) => assembly.add(piece))).toEqual([text]);
    expect(cutPieces(1, "second", text, 4).map((piece) => assembly.add(piece))).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(assembly.repeats).toBe(3);
    expect(assembly.size).toBe(1);
  });
});
