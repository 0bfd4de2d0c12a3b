import { words } from "../input/words.ts";
import { count } from "../job/codec.ts";
import { one, sum } from "../job/counting.ts";
import { defineJob, type Job } from "../job/job.ts";

/** Which words there are: a line each, sorted. */
const distinctWords: Job<string, string, number> = defineJob({
  name: "distinct-words",
  input: words,
  value: count,
  map: one,
  combine: sum,
  reduce: (word: string, _counts, emit) => emit(word),
});

export default distinctWords;
