import { setTimeout as sleep } from "node:timers/promises";
import { type Bus, BusError } from "@quadrant/bus";
import { dispatchOf, type TakenTask, type TaskSource } from "../dispatch/dispatch.ts";
import { isPassing, keepDoing, persist } from "../persistence.ts";
import { asTaskError, TaskError } from "../task/failure.ts";
import { runMapTask } from "../task/map-task.ts";
import { runReduceTask } from "../task/reduce-task.ts";
import type { MapResult, ReduceResult, TaskProgress, TaskSurroundings } from "../task/task.ts";
import { readSubmission } from "./job-log.ts";
import { JobNews } from "./job-news.ts";
import { type JobStores, openStores } from "./job-surroundings.ts";
import { removeAbandonedScratch, removeScratch, scratchFolder } from "./scratch.ts";
import {
  type AttemptBeat,
  attemptSubject,
  beatMs,
  type NodeBeat,
  nodeSubject,
  type WorkerBeat,
  workerSubject,
} from "./subject.ts";
import type { Submission } from "./submission.ts";
import type { ReportBody, TaskOrder } from "./task-order.ts";
import { newWorkerName } from "./worker-name.ts";

export interface WorkerOptions {
  /** Which of a node's slots it fills. */
  readonly node: string;
  readonly slot: number;
  /** The end. What is in hand is given back. */
  readonly signal: AbortSignal;
}

/** Of this process: a worker that leaves a job and comes back must not use the name of an attempt again. */
let attempts = 0;

/**
 * Fills a slot of a node: works on whatever job the slot is granted to, as its node manager tells; until the signal. May die at
 * any time.
 */
export async function runWorker(bus: Bus, { node, slot, signal }: WorkerOptions): Promise<void> {
  const worker = newWorkerName(node, slot);
  const clearing = removeAbandonedScratch();
  let job: string | null = null;
  let change = new AbortController();
  const following = keepDoing(async () => {
    for await (const { data } of await bus.subscribe<NodeBeat>(nodeSubject(node), { signal })) {
      const next = data.slots[slot] ?? null;
      if (next === job) continue;
      job = next;
      change.abort();
      change = new AbortController();
    }
  }, signal);
  const beating = keepDoing(async () => {
    const beat: WorkerBeat = { slot, worker, pid: process.pid };
    await bus.publish(workerSubject(node), beat);
    await sleep(beatMs, undefined, { signal });
  }, signal);
  try {
    while (!signal.aborted) {
      const leave = AbortSignal.any([signal, change.signal]);
      if (job !== null) await workOn(bus, job, { worker, signal, leave }).catch(() => undefined);
      // Granted to a job that has ended, or to none: until that changes.
      await sleep(beatMs, undefined, { signal: leave }).catch(() => undefined);
    }
  } finally {
    await Promise.all([following, beating, clearing, removeScratch(worker)]);
  }
}

export interface WorkOptions {
  readonly worker: string;
  /** Ends everything at once; the task in hand is given back. */
  readonly signal: AbortSignal;
  /** No other task is begun after this. */
  readonly leave: AbortSignal;
}

/** Works on a job's tasks until it has ended, or until it is to leave. */
export async function workOn(bus: Bus, job: string, options: WorkOptions): Promise<void> {
  const submission = await persist(() => readSubmission(bus, job), options.leave);
  if (submission === undefined) return;
  const news = await JobNews.follow(bus, job);
  const openSource = (): Promise<TaskSource> =>
    dispatchOf(submission.coupling).source(bus, job, {
      worker: options.worker,
      leaseMs: submission.leaseMs,
      signal: AbortSignal.any([options.signal, news.ended]),
    });
  let source = await openSource();
  try {
    const work = new JobWork(bus, submission, await openStores(bus, submission), options, news);
    const until = AbortSignal.any([options.leave, news.ended]);
    while (!until.aborted) {
      const unstored = await work.perform(await source.take(until));
      if (unstored === undefined) continue;
      // What was handed to this one ahead is for others meanwhile.
      await source.close();
      await work.rest(unstored);
      source = await openSource();
    }
  } catch (error) {
    if (!options.leave.aborted && !news.ended.aborted) throw error;
  } finally {
    await source.close();
    await news.close();
  }
}

/** A worker that could not store something takes no task for so long, and twice as long each time it fails again. */
const firstRestMs = 1_000;
const longestRestMs = 60_000;

/** One worker's part in one job. */
class JobWork {
  readonly #bus: Bus;
  readonly #submission: Submission;
  readonly #stores: JobStores;
  readonly #options: WorkOptions;
  readonly #news: JobNews;
  #restMs = firstRestMs;

  constructor(bus: Bus, submission: Submission, stores: JobStores, options: WorkOptions, news: JobNews) {
    this.#bus = bus;
    this.#submission = submission;
    this.#stores = stores;
    this.#options = options;
    this.#news = news;
  }

  /** The task, where it could not be stored here. */
  async perform(taken: TakenTask): Promise<TaskOrder | undefined> {
    const order = taken.offer.order as TaskOrder;
    const { worker } = this.#options;
    const attempt = `${worker}-${++attempts}`;
    const report = (body: ReportBody): Promise<void> => taken.report({ offer: taken.offer.id, attempt, body });
    if (this.#news.isDone(order.round, order.task)) {
      await report({ kind: "moot" });
      return undefined;
    }
    const signal = AbortSignal.any([taken.signal, this.#options.signal, this.#news.ended]);
    const beats = new AttemptBeats(this.#bus, this.#submission.job, {
      offer: taken.offer.id,
      task: order.task,
      attempt,
      worker,
      pid: process.pid,
    });
    const began = performance.now();
    let made: Made | undefined;
    try {
      made = await this.#run(order, attempt, signal, beats);
      const done = { attempt, worker, ms: Math.round(performance.now() - began) };
      await report({ ...made, ...done, round: order.round, task: order.task });
      this.#restMs = firstRestMs;
    } catch (error) {
      // Only where certainly nobody was told of it.
      if (made !== undefined && error instanceof BusError && error.code === "stale") await this.#discard(made);
      // Nothing is said of the task itself: its lease was lost, the job has ended, or the broker is away.
      if (isPassing(error, signal) || (error instanceof TaskError && isPassing(error.cause))) {
        await taken.release();
        await sleep(beatMs, undefined, { signal: this.#options.leave }).catch(() => undefined);
      } else {
        const { failure } = asTaskError(error);
        await report({ kind: "failed", round: order.round, task: order.task, attempt, worker, failure });
        if (failure.kind === "storage") return order;
      }
    } finally {
      beats.end();
    }
    return undefined;
  }

  /**
   * One whose disk is full fails sooner than others work: it would take a task again and again, and use up its attempts, while
   * another node has room. It goes on once somebody has done the task, or after a while.
   */
  async rest({ round, task }: TaskOrder): Promise<void> {
    const until = AbortSignal.any([this.#options.leave, this.#news.ended]);
    const end = performance.now() + this.#restMs;
    this.#restMs = Math.min(this.#restMs * 2, longestRestMs);
    while (!until.aborted && performance.now() < end && !this.#news.isDone(round, task)) {
      await sleep(beatMs, undefined, { signal: until }).catch(() => undefined);
    }
  }

  async #run(order: TaskOrder, attempt: string, signal: AbortSignal, beats: AttemptBeats): Promise<Made> {
    const surroundings: TaskSurroundings = {
      ...this.#stores,
      scratch: scratchFolder(this.#options.worker),
      signal,
      progress: (progress) => beats.tell(progress),
    };
    if (order.kind === "map")
      return { kind: "mapped", result: await runMapTask({ ...order.work, attempt }, surroundings) };
    return { kind: "reduced", result: await runReduceTask({ ...order.work, attempt }, surroundings) };
  }

  /** What nobody will ask for. */
  async #discard(made: Made): Promise<void> {
    const { runs, parts } = this.#stores;
    if (made.kind === "reduced") await parts.remove(made.result.part.name).catch(() => undefined);
    else for (const { name } of made.result.runs) await runs.remove(name).catch(() => undefined);
  }
}

type Made =
  | { readonly kind: "mapped"; readonly result: MapResult }
  | { readonly kind: "reduced"; readonly result: ReduceResult };

/** Tells how far an attempt is, at once and then now and again. */
class AttemptBeats {
  readonly #bus: Bus;
  readonly #job: string;
  readonly #attempt: Omit<AttemptBeat, "progress">;
  readonly #timer: NodeJS.Timeout;
  #progress: TaskProgress = { bytes: 0, records: 0 };

  constructor(bus: Bus, job: string, attempt: Omit<AttemptBeat, "progress">) {
    this.#bus = bus;
    this.#job = job;
    this.#attempt = attempt;
    this.#timer = setInterval(() => this.#publish(), beatMs);
    this.#publish();
  }

  tell(progress: TaskProgress): void {
    this.#progress = progress;
  }

  end(): void {
    clearInterval(this.#timer);
  }

  #publish(): void {
    const beat: AttemptBeat = { ...this.#attempt, progress: this.#progress };
    this.#bus.publish(attemptSubject(this.#job), beat).catch(() => undefined);
  }
}
