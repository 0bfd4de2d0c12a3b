/** A job whose result is known beforehand: each task counts the same keys. */
import { count, defineJob, generated, type Job, total } from "@quadrant/mapreduce";

const keys: readonly string[] = Array.from({ length: 50 }, (_, n) => `key-${String(n).padStart(2, "0")}`);

/** The output of one reducer: a line for each key, sorted. */
export function resultOf(tasks: number): string {
  return keys.map((key) => `${key}\t${tasks}\n`).join("");
}

export default function knownJob({ tasks }: { readonly tasks: number }): Job<string, string, number> {
  return defineJob({
    name: "known",
    value: count,
    input: generated<string>(tasks, () => keys),
    map: (key: string, emit) => emit(key, 1),
    reduce: (key: string, counts, emit) => emit([key, total(counts)]),
  });
}
