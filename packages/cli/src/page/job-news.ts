import type { Bus } from "@quadrant/contract";
import type { JobProgress, Jobs } from "@quadrant/dashboard";
import { type Progress, progressSubject } from "@quadrant/mapreduce";

const none = { tasks: 0, done: 0, running: 0, bytes: 0, bytesDone: 0 };

/** What a job's master tells; of one that has ended and is told again by its starter, only how it went. */
type Told = Pick<Progress, "job" | "phase"> & Partial<Progress>;

/** What every MapReduce job on the bus tells of itself, for the page. */
export function jobsOn(bus: Bus): Jobs {
  return {
    async *follow(signal): AsyncGenerator<JobProgress> {
      const known = new Map<string, JobProgress>();
      for await (const { data } of await bus.subscribe<Told>(progressSubject("*"), { signal })) {
        const progress = complete(data, known.get(data.job));
        known.set(progress.job, progress);
        if (known.size > 100) known.delete(known.keys().next().value ?? "");
        yield progress;
      }
    },
  };
}

function complete(told: Told, before: JobProgress | undefined): JobProgress {
  const { job, phase, name = before?.name ?? "", counters = before?.counters ?? {} } = told;
  const { map = before?.map ?? none, reduce = before?.reduce ?? none } = told;
  const { workers = before?.workers ?? 0, failures = before?.failures ?? 0 } = told;
  const { elapsedMs = before?.elapsedMs ?? 0, remainingMs } = told;
  return { job, name, phase, map, reduce, workers, failures, counters, elapsedMs, remainingMs };
}
