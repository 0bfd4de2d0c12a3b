import { lines } from "../input/lines.ts";
import { json, number } from "../job/codec.ts";
import { defineJob, type Job } from "../job/job.ts";

export interface TopOptions {
  /** How many lines. Default 10. */
  readonly k?: number | undefined;
}

type Line = readonly [value: number, line: string];

/**
 * The lines with the largest numbers in their last field, of a table with tabs between fields: the result of word count,
 * say. Largest first, equal ones by line. One partition holds the answer, whatever the number of reducers.
 */
export default function topK({ k = 10 }: TopOptions = {}): Job<string, number, readonly Line[]> {
  const best = (some: readonly Line[]): readonly Line[] =>
    [...some].sort(([a, line], [b, other]) => b - a || (line < other ? -1 : 1)).slice(0, k);
  return defineJob({
    name: "top-k",
    input: lines,
    key: number,
    value: json<readonly Line[]>(),
    map: (line: string, emit) => {
      const value = Number(line.slice(line.lastIndexOf("\t") + 1));
      if (!Number.isNaN(value)) emit(0, [[value, line]]);
    },
    combine: (a, b) => best([...a, ...b]),
    partition: () => 0,
    reduce: (_key, lists, emit) => {
      let all: readonly Line[] = [];
      for (const list of lists) all = best([...all, ...list]);
      for (const [, line] of all) emit(line);
    },
  });
}
