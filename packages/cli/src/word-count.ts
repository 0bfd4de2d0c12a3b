import type { Bus, Message } from "@quadrant/contract";
import {
  eventPattern,
  type JobEvent,
  type JobResult,
  listDocuments,
  newJobId,
  openJob,
  runWorker,
} from "@quadrant/mapreduce";
import { showProgress } from "./progress-display.ts";
import { connected, type Session } from "./session.ts";
import { WorkerPool } from "./worker-pool.ts";

export interface WordCountOptions {
  readonly folders: readonly string[];
  /** Only files whose names end so; without it, every text file. */
  readonly endings?: readonly string[] | undefined;
  readonly job?: string | undefined;
  readonly workers: number;
  readonly partitions: number;
  readonly taskBytes?: number | undefined;
  readonly leaseMs?: number | undefined;
  /** Resolves when the hub that was started for this is gone. */
  readonly hubDied?: Promise<Error> | undefined;
}

/** What a finished count gives, while its job can still be asked on the bus. */
export interface Counted {
  readonly bus: Bus;
  readonly result: JobResult;
  readonly workers: number;
  readonly deaths: number;
}

/** How long workers that have heard of the end may take to leave by themselves. */
const leaveMs = 5_000;

/** Whoever does the work: processes, or, where the bus is private to this one, roles in it. */
interface Crew {
  readonly deaths: number;
  /** Work was done. */
  progressed(): void;
  /** Resolves when all have left by themselves, or had time enough to. */
  settle(ms: number): Promise<void>;
  /** `atOnce`: there is nothing left to drain to. */
  stop(atOnce: boolean): Promise<void>;
}

/**
 * Counts the words of the documents over the bus at `url`, with workers of its own; calls `use` while the job can still be
 * asked; leaves nothing running. "aborted" by the session's signal.
 */
export async function countWords(
  session: Session,
  url: string,
  options: WordCountOptions,
  use: (counted: Counted) => Promise<void>,
): Promise<void> {
  const { output } = session;
  const job = options.job ?? newJobId();
  const failure = new AbortController();
  const signal = AbortSignal.any([session.signal, failure.signal]);
  const fail = (error: unknown): void => failure.abort(error);
  let hubless = false;
  // Before all else: processes take their time to start.
  const processes = isPrivate(url) ? undefined : startProcesses(session, url, job, options, fail);
  try {
    await connected({ url, name: "quadrant mapreduce", connectTimeoutMs: undefined, signal, output }, async (bus) => {
      void options.hubDied?.then((error) => {
        hubless = true;
        fail(error);
        // Whoever waits for an answer need not wait for a deadline.
        return bus.close({ drainMs: 0 });
      });
      const crew = processes ?? startRoles(bus, job, options, fail);
      try {
        await runJob(bus, session, { ...options, job }, crew, signal, use);
      } finally {
        await crew.stop(hubless);
      }
    });
  } catch (error) {
    throw failure.signal.aborted && !session.signal.aborted ? failure.signal.reason : error;
  } finally {
    await processes?.stop(hubless);
  }
}

/** Whether nobody but this process can reach the bus. */
function isPrivate(url: string): boolean {
  return /^(memory|file):/i.test(url);
}

async function runJob(
  bus: Bus,
  { output }: Session,
  options: WordCountOptions & { readonly job: string },
  crew: Crew,
  signal: AbortSignal,
  use: (counted: Counted) => Promise<void>,
): Promise<void> {
  const { job, folders, endings, workers } = options;
  const opened = await openJob(bus, options);
  try {
    const events = await bus.subscribe<JobEvent>(eventPattern(job), { signal });
    const noting = note(events, crew);
    const display = await showProgress(bus, job, output);
    let result: JobResult;
    try {
      result = await opened.run(await listDocuments(folders, { endings, signal }), signal);
    } finally {
      await display[Symbol.asyncDispose]();
      await events[Symbol.asyncDispose]();
      await noting;
    }
    await crew.settle(leaveMs);
    await use({ bus, result, workers, deaths: crew.deaths });
  } finally {
    await opened[Symbol.asyncDispose]();
  }
}

async function note(events: AsyncIterable<Message<JobEvent>>, crew: Crew): Promise<void> {
  try {
    for await (const { data } of events) if (data.kind !== "worker") crew.progressed();
  } catch {
    // Without events deaths are counted all the more strictly.
  }
}

function startProcesses(
  { output }: Session,
  url: string,
  job: string,
  { workers, partitions }: WordCountOptions,
  onFailure: (error: unknown) => void,
): Crew {
  const reducers = String(Math.ceil(partitions / workers));
  return new WorkerPool({
    workers,
    args: ["mapreduce", "worker", job, "--reducers", reducers, "--quiet"],
    env: { QUADRANT_URL: url },
    told: (text) => void process.stderr.write(text),
    onDeath: ({ code, signal }) =>
      output.warn(`a worker died of ${signal ?? `exit code ${code}`}; another takes its place`),
    onFailure,
  });
}

function startRoles(
  bus: Bus,
  job: string,
  { workers, partitions }: WordCountOptions,
  onFailure: (error: unknown) => void,
): Crew {
  const stop = new AbortController();
  const reducers = Math.ceil(partitions / workers);
  const roles = Array.from({ length: workers }, async (_, index) => {
    try {
      await runWorker(bus, { job, name: `${process.pid}-${index + 1}`, reducers, signal: stop.signal });
    } catch (error) {
      if (!stop.signal.aborted) onFailure(error);
    }
  });
  const all = Promise.all(roles).then(() => undefined);
  return {
    deaths: 0,
    progressed: () => undefined,
    settle: () => all,
    stop: () => {
      stop.abort();
      return all;
    },
  };
}
