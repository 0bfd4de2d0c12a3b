import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BlockWriter } from "../shuffle/block-writer.ts";
import { pairsOf } from "../shuffle/pair-block.ts";
import type { CountTable } from "./count-table.ts";
import { openPlainCountTable } from "./plain-count-table.ts";
import { openWasmCountTable } from "./wasm-count-table.ts";

/** Of each partition the pairs, in hexadecimal, in the order in which they lie. */
function drained(table: CountTable, partitions: number): readonly (readonly string[])[] {
  return table.drain(partitions).map(({ pairs, blocks }) => {
    const found = blocks.flatMap((block) =>
      [...pairsOf(block)].map(({ key, value }) => `${key.toString("hex")}=${value.toString("hex")}`),
    );
    expect(found).toHaveLength(pairs);
    return found;
  });
}

function blockOf(pairs: readonly (readonly [key: Uint8Array, count: number])[]): Buffer {
  const blocks: Buffer[] = [];
  const writer = new BlockWriter((block) => blocks.push(Buffer.from(block)));
  for (const [key, count] of pairs) writer.addCount(key, count);
  writer.end();
  return Buffer.concat(blocks);
}

function alike(use: (table: CountTable) => void, partitions: number): void {
  const [wasm, plain] = [openWasmCountTable(), openPlainCountTable()];
  for (const table of [wasm, plain]) use(table);
  expect(drained(wasm, partitions)).toEqual(drained(plain, partitions));
}

const letters = fc.constantFrom(..."abAB zZ09_ .\n’—“é\u0301ΣςσİıßẞК漢。😀𐐀ﬁ\0");
const texts = fc.oneof(
  fc.string({ unit: letters, maxLength: 300 }).map((text) => Buffer.from(text)),
  fc.string({ unit: "binary", maxLength: 200 }).map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 300 }),
  // Mostly bytes of which UTF-8 is made, seldom as it is made of them.
  fc.array(fc.constantFrom(0x61, 0x20, 0x80, 0x9f, 0xa0, 0xbf, 0xc3, 0xe0, 0xe2, 0xed, 0xf0, 0xf4, 0xff), {
    maxLength: 200,
  }),
);

describe("the count table in WebAssembly does what the one in JavaScript does", () => {
  it("of any text, also one after another", () => {
    fc.assert(
      fc.property(fc.array(texts, { maxLength: 4 }), fc.integer({ min: 1, max: 5 }), (given, partitions) => {
        alike((table) => {
          for (const text of given) table.countWords(Uint8Array.from(text));
        }, partitions);
      }),
      { numRuns: 1_000 },
    );
  });

  it.each([
    ["no text", ""],
    ["a word that ends with the text", "one two"],
    [
      "words of every length around eight, sixteen and 64",
      Array.from({ length: 140 }, (_, i) => "x".repeat(i)).join(" "),
    ],
    ["wide words of every length", Array.from({ length: 80 }, (_, i) => "é".repeat(i)).join(" ")],
    ["a word of a megabyte", `a ${"Xy".repeat(1 << 19)} a`],
    ["a wide word of a megabyte", `a ${"É".repeat(1 << 19)} a`],
    ["names of Object.prototype", "constructor __proto__ toString hasOwnProperty CONSTRUCTOR"],
    ["final sigma", "ΟΔΟΣ ΟΔΟΣ. ΣΑΣ aΣ Σ ΑΣ-Α ΑΣ’Α AΣb"],
    ["capitals that grow or shrink", "İSTANBUL ẞ Straße ﬁ K (Kelvin K) Å"],
    ["composed and decomposed", "é e\u0301 É E\u0301"],
    ["dashes and quotes between words", "one—two “three” don’t … one—Two"],
    ["dashes wherever 64 bytes end", Array.from({ length: 200 }, (_, i) => `${"x".repeat(i % 7)}—`).join("")],
    ["characters just outside of what dashes are", "a\u1fffb a\u2040b a\u203fb a\u2070b a\u2071b"],
  ])("%s", (_, text) => {
    alike((table) => table.countWords(Buffer.from(text)), 3);
  });

  it("of pairs with any keys and counts, by the bytes of their keys", () => {
    const key = fc.oneof(
      fc.string({ unit: "binary", maxLength: 20 }).map((text) => Buffer.from(text)),
      fc.string({ unit: fc.constantFrom("a", "b", "\0"), maxLength: 20 }).map((text) => Buffer.from(text)),
    );
    const pairs = fc.array(fc.tuple(key, fc.integer({ min: 1, max: 2 ** 45 })), { maxLength: 60 });
    fc.assert(
      fc.property(fc.array(pairs, { maxLength: 3 }), fc.integer({ min: 1, max: 4 }), (blocks, partitions) => {
        alike((table) => {
          for (const block of blocks) expect(table.addPairs(blockOf(block))).toBe(block.length);
        }, partitions);
      }),
    );
  });

  it("while it grows, and when it is used again", () => {
    const text = (from: number): Buffer =>
      Buffer.from(Array.from({ length: 40_000 }, (_, i) => `w${from + ((i * 7919) % 30_011)}`).join(" "));
    const [wasm, plain] = [openWasmCountTable(), openPlainCountTable()];
    for (const from of [0, 30_000, 10, 1_000_000]) {
      for (const table of [wasm, plain]) table.countWords(text(from));
      // As one string: a comparison of so many elements takes far longer than counting them.
      expect(drained(wasm, 3).join() === drained(plain, 3).join()).toBe(true);
    }
    expect(drained(wasm, 3)).toEqual([[], [], []]);
    expect(wasm.heldBytes).toBeGreaterThan(60_000 * 32);
  });
});

it("counts beyond 2^32", () => {
  const table = openWasmCountTable();
  for (let i = 0; i < 3; i++) table.addPairs(blockOf([[Buffer.from("many"), 2 ** 33 + 1]]));
  table.countWords(Buffer.from("Many"));
  const [pair] = [...pairsOf(table.drain(1)[0]!.blocks[0]!)];
  expect(pair!.value).toEqual([...pairsOf(blockOf([[Buffer.from("many"), 3 * 2 ** 33 + 4]]))][0]!.value);
});
