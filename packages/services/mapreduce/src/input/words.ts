import { readBlocks } from "./block-reader.ts";
import { asRead, type Input } from "./input.ts";
import { lastCut } from "./word-bytes.ts";

const wordCharacter = /[\p{L}\p{N}\p{M}]/u;

/** Of each code unit: is it of words? Filled in as they come; 0 where nobody has asked yet. */
const kinds = new Uint8Array(1 << 16);
const inside = 1;
const outside = 2;

/**
 * The words of a text: maximal runs of letters, digits and marks (`[\p{L}\p{N}\p{M}]`), each lower-cased by itself. Looks at
 * code units one by one: several times quicker than `match` with that class.
 */
export function wordsOf(text: string): string[] {
  // Lower case looks at what stands around a letter for this one only, so that all words of other texts can be folded at once.
  const folds = text.includes("Σ");
  const lower = folds ? text : text.toLowerCase();
  const found: string[] = [];
  let start = -1;
  for (let at = 0; at < lower.length; at++) {
    const code = lower.charCodeAt(at);
    let kind = kinds[code]!;
    let wide = false;
    if (kind === 0) {
      if ((code & 0xf800) === 0xd800) {
        kind = kindOf(lower.codePointAt(at)!);
        wide = lower.codePointAt(at)! > 0xffff;
      } else {
        kind = kindOf(code);
        kinds[code] = kind;
      }
    }
    if (kind === inside) {
      if (start < 0) start = at;
    } else if (start >= 0) {
      found.push(lower.slice(start, at));
      start = -1;
    }
    if (wide) at++;
  }
  if (start >= 0) found.push(lower.slice(start));
  return folds ? found.map((word) => word.toLowerCase()) : found;
}

function kindOf(point: number): number {
  return wordCharacter.test(String.fromCodePoint(point)) ? inside : outside;
}

/**
 * Words as strings: see `wordsOf`; the offset of each is that of the block it lies in. Files are cut between words, so a
 * line may be as long as it likes. A job of this input that only counts is run by the count table, without a string a word.
 */
export const words: Input<string> = {
  name: "words",
  cut: "word",
  record: asRead,
  read: (range, take, signal) =>
    readBlocks(
      range,
      lastCut,
      function* (block, position) {
        for (const word of wordsOf(block.toString())) if (take(word, position)) yield;
      },
      signal,
    ),
};
