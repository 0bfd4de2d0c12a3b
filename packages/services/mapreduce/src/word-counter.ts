import { ByteTable, type WordList } from "./byte-table.ts";
import { fnvPrime, fnvStart } from "./partition.ts";
import { wordBytes } from "./word-bytes.ts";

/** A maximal run of letters, digits and marks; lower-cased, it is a word. */
const wordPattern: RegExp = /[\p{L}\p{N}\p{M}]+/gu;

/** Longer rows of mixed bytes seldom come twice: they are decoded at once instead of being kept. */
const longestKept = 64;

/**
 * Counts words at the speed of bytes. A *row* is a maximal run of ASCII letters, digits and bytes of longer sequences.
 * Equal rows, ASCII case folded, are counted together; only the distinct ones are looked at: a row of ASCII is a word as
 * it stands, any other is decoded, taken apart where it holds more than letters, digits and marks, and lower-cased.
 * Folding ASCII first does not change what `toLowerCase` makes of the rest: its one rule of context, the final sigma,
 * asks for cased letters, and a letter is cased in either case.
 */
export class WordCounter {
  readonly #rows = new ByteTable();
  readonly #words = new ByteTable();

  /** Counts a piece of text in UTF-8 that begins and ends where no word does: see `wordBytes`. Folds its case in place. */
  add(bytes: Uint8Array): void {
    const end = bytes.length;
    const foldings = wordBytes;
    let i = 0;
    while (i < end) {
      let folded = foldings[bytes[i]!]!;
      if (folded === 0) {
        i++;
        continue;
      }
      const start = i;
      let hash = fnvStart;
      let seen = 0;
      while (folded !== 0) {
        bytes[i] = folded;
        seen |= folded;
        hash = Math.imul(hash ^ folded, fnvPrime);
        if (++i === end) break;
        folded = foldings[bytes[i]!]!;
      }
      if (seen < 0x80) this.#words.add(bytes, start, i, hash, 1);
      else if (i - start <= longestKept) this.#rows.add(bytes, start, i, hash, 1);
      else this.#addText(bytes, start, i, 1);
    }
  }

  /** The words so far, dealt by their hashes to so many lists. The counter is empty afterwards. */
  take(lists: number): readonly WordList[] {
    const rows = this.#rows;
    for (let row = 0; row < rows.size; row++)
      this.#addText(rows.arena, rows.start(row), rows.end(row), rows.count(row));
    const dealt = this.#words.deal(lists);
    rows.clear();
    this.#words.clear();
    return dealt;
  }

  #addText(bytes: Uint8Array, start: number, end: number, times: number): void {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString();
    for (const run of text.match(wordPattern) ?? []) {
      const word = Buffer.from(run.toLowerCase());
      let hash = fnvStart;
      for (const byte of word) hash = Math.imul(hash ^ byte, fnvPrime);
      this.#words.add(word, 0, word.length, hash, times);
    }
  }
}
