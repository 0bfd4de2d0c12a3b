import type { Bus } from "@quadrant/contract";
import { type Progress, watchProgress } from "@quadrant/mapreduce";
import { SingleBar } from "cli-progress";
import type { Output } from "./output.ts";

/** How often a line is told where no bar can be drawn. */
const lineMs = 10_000;
const barMs = 100;

/**
 * Shows how a job goes on, on stderr: a bar on a terminal, else a line now and then. One more consumer of the job's
 * events: it knows the job's id and nothing of who works on it.
 */
export async function showProgress(bus: Bus, job: string, output: Output): Promise<AsyncDisposable> {
  if (!output.animated) {
    return watchProgress(bus, job, lineMs, (progress) => output.talk(lineOf(progress)));
  }
  const bar = new SingleBar({
    format: "{bar} {percentage}%  {mebibytes} of {all} MiB  {workers} workers  {seconds} s",
    stream: process.stderr,
    hideCursor: true,
    clearOnComplete: true,
    // Ctrl-C is handled in one place.
    gracefulExit: false,
    barsize: 30,
  });
  const payload = (progress: Progress): object => ({
    mebibytes: mebibytes(progress.bytesDone),
    all: mebibytes(progress.bytes),
    workers: progress.workers,
    seconds: (progress.elapsedMs / 1000).toFixed(1),
  });
  bar.start(1, 0, { mebibytes: "0.0", all: "?", workers: 0, seconds: "0.0" });
  const watch = await watchProgress(bus, job, barMs, (progress) => {
    bar.setTotal(Math.max(progress.bytes, 1));
    bar.update(progress.bytesDone, payload(progress));
  });
  return {
    [Symbol.asyncDispose]: async () => {
      await watch[Symbol.asyncDispose]();
      bar.stop();
    },
  };
}

function lineOf(progress: Progress): string {
  const { tasksDone, tasks, partitionsDone, partitions, workers, elapsedMs, bytesDone, bytes } = progress;
  return (
    `${Math.round(elapsedMs / 1000)} s: ${mebibytes(bytesDone)} of ${mebibytes(bytes)} MiB, ${tasksDone} of ${tasks} tasks, ` +
    `${partitionsDone} of ${partitions} partitions, ${workers} workers`
  );
}

function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}
