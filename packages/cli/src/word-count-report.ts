import type { Bus } from "@quadrant/contract";
import type { JobResult, Progress, StatusService, Unread, WordCount } from "@quadrant/mapreduce";
import { serviceAddress } from "@quadrant/mapreduce";
import { failed } from "./failure.ts";
import type { Output } from "./output.ts";
import type { Counted } from "./word-count.ts";

const number: Intl.NumberFormat = new Intl.NumberFormat("en-US");
/** More than these are only counted. */
const unreadShown = 10;

/** What a count came to, as one record. */
export interface Summary {
  readonly job: string;
  readonly files: number;
  readonly bytes: number;
  readonly tasks: number;
  readonly partitions: number;
  readonly workers: number;
  readonly deaths: number;
  readonly words: number;
  readonly distinct: number;
  readonly seconds: number;
  readonly megabytesPerSecond: number;
  readonly unread: readonly Unread[];
  readonly top: readonly { readonly word: string; readonly count: number }[];
}

/** The most frequent words and the state of the job, asked of the job itself: a direct call. */
export async function askJob(
  bus: Bus,
  job: string,
  limit: number,
): Promise<{ readonly top: readonly WordCount[]; readonly progress: Progress }> {
  const service = bus.client<StatusService>(serviceAddress(job));
  const [top, progress] = await Promise.all([service.top(limit), service.status()]);
  return { top, progress };
}

export function summaryOf({ result, workers, deaths }: Counted, top: readonly WordCount[]): Summary {
  const { job, files, bytes, tasks, partitions, unread, total, words } = result;
  const seconds = Math.max(result.durationMs, 1) / 1000;
  return {
    job,
    files,
    bytes,
    tasks,
    partitions,
    workers,
    deaths,
    words: total,
    distinct: words.size,
    seconds,
    megabytesPerSecond: Number((bytes / 1e6 / seconds).toFixed(2)),
    unread,
    top: top.map(([word, count]) => ({ word, count })),
  };
}

/** For people: the top words in columns, then the numbers. */
export async function printSummary(output: Output, summary: Summary): Promise<void> {
  const width = Math.max(0, ...summary.top.map(({ count }) => number.format(count).length));
  for (const { word, count } of summary.top) await output.line(`${number.format(count).padStart(width)}  ${word}`);
  const { files, bytes, words, distinct, seconds, megabytesPerSecond, tasks, partitions, workers } = summary;
  await output.line("");
  await output.line(`${number.format(distinct)} distinct words, ${number.format(words)} in all`);
  await output.line(
    `${number.format(files)} files, ${number.format(bytes)} bytes in ${seconds.toFixed(2)} s: ${megabytesPerSecond.toFixed(1)} MB/s`,
  );
  await output.line(`${workers} workers, ${number.format(tasks)} tasks, ${partitions} partitions`);
}

/** Says what could not be read; then fails, were there anything. */
export function assertAllRead(output: Output, unread: JobResult["unread"]): void {
  if (unread.length === 0) return;
  for (const { path, message } of unread.slice(0, unreadShown)) output.warn(`${path} could not be read: ${message}`);
  if (unread.length > unreadShown) output.warn(`and ${unread.length - unreadShown} more`);
  throw failed(`the words of ${unread.length} files or folders are missing, or not all among these`);
}

/** Where each of the four models was used. */
export async function printModels(
  output: Output,
  { job, tasks, partitions }: Summary,
  progress: Progress,
): Promise<void> {
  const pieces = number.format(progress.letters);
  await output.line("");
  await output.line("where each of the four models was used:");
  await output.line(
    `  shared data space  ${number.format(tasks)} tasks and ${partitions} partitions were claimed from the space mapreduce by whoever was free`,
  );
  await output.line(
    `  mailbox            ${pieces} letters took partial counts to mapreduce.${job}.partition.*, ${number.format(progress.repeats)} came twice and were ignored`,
  );
  await output.line(
    `  event-based        ${number.format(progress.events)} events on mapreduce.${job}.event.* became the progress on mapreduce.${job}.progress`,
  );
  await output.line(`  direct             top() and status() of mapreduce.${job} answered for this summary`);
}
