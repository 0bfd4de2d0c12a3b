import { lines } from "../input/lines.ts";
import { sampleOf } from "../input/sample.ts";
import { nothing, text } from "../job/codec.ts";
import { defineJob, type Job } from "../job/job.ts";

export interface SortOptions {
  /** Where partitions begin, but for the first: found out before the job begins, from a sample. */
  readonly bounds?: readonly string[] | undefined;
}

/** The lines of all files, sorted by their bytes: within a part, and from part to part. */
export default function distributedSort({ bounds = [] }: SortOptions = {}): Job<string, string, undefined> {
  const limits = bounds.map((bound) => Buffer.from(bound));
  return defineJob({
    name: "distributed-sort",
    key: text,
    value: nothing,
    prepare: async (splits, partitions) => {
      const sample = [...(await sampleOf(lines, splits))].sort((a, b) =>
        Buffer.compare(Buffer.from(a), Buffer.from(b)),
      );
      const at = (partition: number): string => sample[Math.floor((sample.length * partition) / partitions)] ?? "";
      return { bounds: Array.from({ length: partitions - 1 }, (_, index) => at(index + 1)) };
    },
    partition: (line) => {
      const bytes = Buffer.from(line);
      let [low, high] = [0, limits.length];
      while (low < high) {
        const middle = (low + high) >> 1;
        if (Buffer.compare(bytes, limits[middle]!) < 0) high = middle;
        else low = middle + 1;
      }
      return low;
    },
    map: (line: string, emit) => emit(line, undefined),
    reduce: (line, times, emit) => {
      for (const _ of times) emit(line);
    },
  });
}
