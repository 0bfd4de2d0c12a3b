/** Word count as a user writes it who knows nothing of bytes. */
import { count, defineJob, type Job, total, wordsOf } from "@quadrant/mapreduce";

const plainWordCount: Job<string, string, number> = defineJob({
  name: "plain-word-count",
  value: count,
  map: (line: string, emit) => {
    for (const word of wordsOf(line)) emit(word, 1);
  },
  combine: (a, b) => a + b,
  reduce: (word: string, counts, emit) => emit([word, total(counts)]),
});

export default plainWordCount;
