import { defineJob, type Job } from "@quadrant/mapreduce";

/** What the job crashing.ts says when nothing happens to it. */
const steady: Job<string, string, string> = defineJob<string, string>({
  name: "steady",
  map: (line, emit, { path }) => {
    for (const word of line.split(" ")) emit(word, path.slice(-8));
  },
  reduce: (word, paths, emit) => emit([word, [...paths].sort().join(",")]),
});

export default steady;
