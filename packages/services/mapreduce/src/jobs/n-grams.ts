import { wordsOf } from "../input/words.ts";
import { count } from "../job/codec.ts";
import { sum, total } from "../job/counting.ts";
import { defineJob, type Job } from "../job/job.ts";

export interface NGramOptions {
  /** How many words. Default 2. */
  readonly words?: number | undefined;
  /** Rarer ones are left out of the result. Default 1. */
  readonly atLeast?: number | undefined;
}

/** How often each sequence of so many words comes within a line: the words with spaces between, and the count. */
export default function nGrams({ words = 2, atLeast = 1 }: NGramOptions = {}): Job<string, string, number> {
  return defineJob({
    name: "n-grams",
    value: count,
    map: (line: string, emit) => {
      const found = wordsOf(line);
      for (let at = 0; at + words <= found.length; at++) {
        let gram = found[at]!;
        for (let next = 1; next < words; next++) gram += ` ${found[at + next]}`;
        emit(gram, 1);
      }
    },
    combine: sum,
    reduce: (gram: string, counts, emit) => {
      const times = total(counts);
      if (times >= atLeast) emit([gram, times]);
    },
  });
}
