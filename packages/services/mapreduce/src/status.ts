import type { Progress, Tally } from "./tally.ts";
import { topWords, type WordCount } from "./word-list.ts";

/** What a job answers at `serviceAddress(id)`. */
export interface StatusService {
  status(): Progress;
  /** The `limit` most frequent words, 10 unless told; an error before the job is done. */
  top(limit?: number): readonly WordCount[];
  /** How often a word came, in whatever case it is given; an error before the job is done. */
  count(word: string): number;
}

/** Answers from the tally, and from the words once they are there. */
export class JobStatus {
  readonly tally: Tally;
  #words: ReadonlyMap<string, number> | undefined;

  constructor(tally: Tally) {
    this.tally = tally;
  }

  finish(words: ReadonlyMap<string, number>): void {
    this.#words = words;
  }

  /** What others may call: this and no more. */
  service(): StatusService {
    return {
      status: () => this.tally.progress(),
      top: (limit = 10) => {
        if (!Number.isSafeInteger(limit) || limit < 1) throw new RangeError("top(n) takes a whole number, at least 1");
        return topWords(this.#known(), limit);
      },
      count: (word) => {
        if (typeof word !== "string") throw new TypeError("count(word) takes a string");
        return this.#known().get(word.toLowerCase()) ?? 0;
      },
    };
  }

  #known(): ReadonlyMap<string, number> {
    if (this.#words === undefined) throw new Error(`the job is ${this.tally.phase}: ask again when it is done`);
    return this.#words;
  }
}
