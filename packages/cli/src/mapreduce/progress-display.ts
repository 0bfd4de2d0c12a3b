import type { Bus } from "@quadrant/contract";
import { type Progress, watchProgress } from "@quadrant/mapreduce";
import { MultiBar, type SingleBar } from "cli-progress";
import type { Output } from "../output.ts";

/** How often a line is told where no bar can be drawn. */
const lineMs = 10_000;
const barMs = 100;

/**
 * Shows how a job goes on, on stderr: a bar a phase on a terminal, else a line now and then. One more consumer of the job's
 * events: it knows the job's id and nothing of who works on it.
 */
export async function showProgress(bus: Bus, job: string, output: Output): Promise<AsyncDisposable> {
  if (!output.animated) {
    return watchProgress(bus, job, lineMs, (progress) => output.talk(lineOf(progress)));
  }
  const bars = new MultiBar({
    format: "{phase} {bar} {percentage}%  {done} of {tasks} tasks  {mebibytes} MiB  {rate} MiB/s  {remaining}",
    stream: process.stderr,
    hideCursor: true,
    clearOnComplete: true,
    // Ctrl-C is handled in one place.
    gracefulExit: false,
    barsize: 24,
  });
  const shown = (["map", "reduce"] as const).map((phase) => ({ phase, bar: bars.create(1, 0, blank(phase)) }));
  const watch = await watchProgress(bus, job, barMs, (progress) => {
    for (const { phase, bar } of shown) update(bar, phase, progress);
  });
  return {
    [Symbol.asyncDispose]: async () => {
      await watch[Symbol.asyncDispose]();
      bars.stop();
    },
  };
}

function blank(phase: "map" | "reduce"): object {
  return { phase: phase.padEnd(6), done: 0, tasks: "?", mebibytes: "0.0", rate: "-", remaining: "" };
}

function update(bar: SingleBar, phase: "map" | "reduce", progress: Progress): void {
  const { tasks, done, bytes, bytesDone } = progress[phase];
  const current = progress.phase === phase;
  bar.setTotal(Math.max(bytes, 1));
  bar.update(bytesDone, {
    done,
    tasks: tasks === 0 ? "?" : tasks,
    mebibytes: mebibytes(bytesDone),
    rate: current ? rateOf(progress) : "-",
    remaining: current && progress.remainingMs !== undefined ? `${seconds(progress.remainingMs)} s left` : "",
  });
}

function rateOf({ map, elapsedMs }: Progress): string {
  return (map.bytesDone / 2 ** 20 / Math.max(elapsedMs / 1_000, 0.001)).toFixed(1);
}

function lineOf(progress: Progress): string {
  const { phase, map, reduce, workers, elapsedMs, failures, remainingMs } = progress;
  const left = remainingMs === undefined ? "" : `, ${seconds(remainingMs)} s left`;
  return (
    `${seconds(elapsedMs)} s: ${phase}, ${mebibytes(map.bytesDone)} of ${mebibytes(map.bytes)} MiB (${rateOf(progress)} MiB/s), ` +
    `${map.done} of ${map.tasks} map tasks, ${reduce.done} of ${reduce.tasks} reduce tasks, ${workers} workers, ` +
    `${failures} failures${left}`
  );
}

function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}

function seconds(ms: number): string {
  return (ms / 1_000).toFixed(0);
}
