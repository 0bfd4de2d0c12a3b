import { words } from "../input/words.ts";
import { count } from "../job/codec.ts";
import { one, sum, total } from "../job/counting.ts";
import { defineJob, type Job } from "../job/job.ts";

/** How often each word comes: words and counts, a line each, sorted by word. */
const wordCount: Job<string, string, number> = defineJob({
  name: "word-count",
  input: words,
  value: count,
  map: one,
  combine: sum,
  reduce: (word: string, counts, emit) => emit([word, total(counts)]),
});

export default wordCount;
