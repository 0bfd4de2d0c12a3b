/** Tasks with nothing to do: what a job of so many of them takes is coordination. */
import { count, defineJob, generated, type Job, total } from "@quadrant/mapreduce";

export default function emptyJob({ tasks }: { readonly tasks: number }): Job<string, string, number> {
  return defineJob({
    name: "empty",
    value: count,
    input: generated<string>(tasks, () => []),
    map: (word: string, emit) => emit(word, 1),
    reduce: (word: string, counts, emit) => emit([word, total(counts)]),
  });
}
