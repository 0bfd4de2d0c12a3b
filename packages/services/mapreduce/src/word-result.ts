import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { topWords, type WordCount } from "./word-list.ts";

/** What a word count came to, for whoever asks: this, served at an address, and no more. */
export interface WordService {
  /** The `limit` most frequent words, 10 unless told. */
  top(limit?: number): readonly WordCount[];
  /** How often a word came, in whatever case it is given. */
  count(word: string): number;
}

/** The result of the job `word-count`, read into memory. */
export class WordResult {
  readonly words: ReadonlyMap<string, number>;

  private constructor(words: ReadonlyMap<string, number>) {
    this.words = words;
  }

  /** From the folder of a job that is done. */
  static async read(folder: string): Promise<WordResult> {
    const words = new Map<string, number>();
    for (const name of await readdir(folder)) {
      if (!name.startsWith("part-")) continue;
      for (const line of (await readFile(join(folder, name), "utf8")).split("\n")) {
        const tab = line.indexOf("\t");
        if (tab >= 0) words.set(line.slice(0, tab), Number(line.slice(tab + 1)));
      }
    }
    return new WordResult(words);
  }

  /** All words, repeated ones repeatedly. */
  get total(): number {
    let total = 0;
    for (const count of this.words.values()) total += count;
    return total;
  }

  service(): WordService {
    return {
      top: (limit = 10) => {
        if (!Number.isSafeInteger(limit) || limit < 1) throw new RangeError("top(n) takes a whole number, at least 1");
        return topWords(this.words, limit);
      },
      count: (word) => {
        if (typeof word !== "string") throw new TypeError("count(word) takes a string");
        return this.words.get(word.toLowerCase()) ?? 0;
      },
    };
  }
}
