import type { Summary, WordCount, WordResult } from "@quadrant/mapreduce";
import type { Output } from "./output.ts";

const number: Intl.NumberFormat = new Intl.NumberFormat("en-US");

/** What a word count came to, as one record. */
export interface WordSummary extends Omit<Summary, "slowest"> {
  readonly words: number;
  readonly distinct: number;
  readonly megabytesPerSecond: number;
  readonly top: readonly { readonly word: string; readonly count: number }[];
}

export function wordSummaryOf(summary: Summary, { words, total }: WordResult, top: readonly WordCount[]): WordSummary {
  const { slowest: _, ...rest } = summary;
  return {
    ...rest,
    words: total,
    distinct: words.size,
    megabytesPerSecond: Number((summary.bytes / 1e6 / summary.seconds).toFixed(2)),
    top: top.map(([word, count]) => ({ word, count })),
  };
}

/** For people: the top words in columns, then the numbers. */
export async function printWords(output: Output, summary: WordSummary): Promise<void> {
  const width = Math.max(0, ...summary.top.map(({ count }) => number.format(count).length));
  for (const { word, count } of summary.top) await output.line(`${number.format(count).padStart(width)}  ${word}`);
  const { files, bytes, words, distinct, seconds, megabytesPerSecond, maps, reduces, workers } = summary;
  await output.line("");
  await output.line(`${number.format(distinct)} distinct words, ${number.format(words)} in all`);
  await output.line(
    `${number.format(files)} files, ${number.format(bytes)} bytes in ${seconds.toFixed(2)} s: ${megabytesPerSecond.toFixed(1)} MB/s`,
  );
  await output.line(`${workers} workers, ${number.format(maps)} map tasks, ${reduces} reduce tasks`);
}

/** Where each of the four models was used. */
export async function printModels(output: Output, { job, maps, reduces }: WordSummary): Promise<void> {
  await output.line("");
  await output.line("where each of the four models was used:");
  await output.line(
    `  mailbox            ${number.format(maps + reduces)} tasks were letters in mapreduce.${job}.tasks, taken by whoever was free`,
  );
  await output.line(
    `  event-based        slots were offered and granted by events, and progress told, on mapreduce.>; what decided is in the log mapreduce`,
  );
  await output.line(`  shared data space  the most frequent words are tuples of the space words now`);
  await output.line(`  direct             top() of mapreduce.${job} answered for this summary`);
}
