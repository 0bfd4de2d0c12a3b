import { defineJob, type Job, type TextLine } from "@quadrant/mapreduce";

/** Counts words, and takes its time: so many milliseconds a line, and as many for some of the words. */
export default function slowWords({ lineMs }: { readonly lineMs: number }): Job<string, string, number, TextLine> {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  return defineJob<string, number>({
    name: "slow-words",
    map: (line, emit) => {
      Atomics.wait(cell, 0, 0, lineMs);
      for (const word of line.split(" ")) emit(word, 1);
    },
    reduce: (word, counts, emit) => {
      if (word.endsWith("7")) Atomics.wait(cell, 0, 0, lineMs);
      let sum = 0;
      for (const count of counts) sum += count;
      emit([word, sum]);
    },
  });
}
