import { type WordOfFile, wordsOfFiles } from "../input/words-of-files.ts";
import { text } from "../job/codec.ts";
import { defineJob, type Job } from "../job/job.ts";

/** In which files each word is: the word, how many files, and their paths, sorted, with commas between. */
const invertedIndex: Job<WordOfFile, string, string> = defineJob({
  name: "inverted-index",
  input: wordsOfFiles,
  value: text,
  map: ({ word, path }, emit) => emit(word, path),
  reduce: (word: string, paths, emit) => {
    const files = [...new Set(paths)].sort();
    emit([word, files.length, files.join(",")]);
  },
});

export default invertedIndex;
