import type { InputFile, Split } from "../input/plan.ts";
import type { Json } from "../job/codec.ts";
import type { TaskFailure } from "../task/failure.ts";
import type { BadRecord, Counters, MapResult, ReduceResult, Skipped } from "../task/task.ts";
import type { Submission } from "./submission.ts";
import type { Done, Ending, Extent, JobFailure, Outcome, TaskName, Transition } from "./transition.ts";
import { nodeOf } from "./worker-name.ts";

/** A task of the round at hand; `result` once one of its attempts counts. */
export interface TaskState<R> {
  result: R | undefined;
  done: Done | undefined;
  /** Attempts that failed, but for those that led to a record's being left out. */
  failures: number;
  /** How often its result was lost. */
  losses: number;
  lastFailure: TaskFailure | undefined;
  /** Nodes on which it could not be stored. */
  readonly fullOn: Set<string>;
  /** How often each record has failed. */
  readonly badRecords: Map<string, number>;
  readonly skip: BadRecord[];
}

/** An attempt that counts, of any round, for the summary. */
export interface FinishedTask extends Done {
  readonly task: TaskName;
  readonly round: number;
}

/** Where a job stands: what its log comes to, and nothing else. */
export class JobState {
  readonly job: string;
  submission: Submission | undefined;
  /** How many it has been through. */
  transitions = 0;
  submittedAt = 0;
  endedAt: number | undefined;
  /** How many masters have been in charge. */
  masters = 0;
  cancelling = false;
  ending: Ending | undefined;
  outcome: Outcome | undefined;
  error: JobFailure | undefined;
  round = 1;
  planned = false;
  extent: Extent = { files: 0, bytes: 0, binary: 0, unread: [] };
  /** Of the job, as its `prepare` or the round before has made them. */
  options: Json | undefined;
  /** What this round reads, from the second on. */
  files: readonly InputFile[] = [];
  splits: Split[] = [];
  maps: TaskState<MapResult>[] = [];
  reduces: TaskState<ReduceResult>[] = [];
  readonly attempts: Set<string> = new Set();
  readonly finished: FinishedTask[] = [];
  readonly skipped: Skipped[] = [];
  failures = 0;
  /** Of the last failure that had one. */
  lastStack: string | undefined;
  lost = 0;
  #rounds: Counters = {};

  constructor(job: string) {
    this.job = job;
  }

  get mapsDone(): boolean {
    return this.planned && this.maps.every(({ result }) => result !== undefined);
  }

  get reducesDone(): boolean {
    return this.mapsDone && this.reduces.every(({ result }) => result !== undefined);
  }

  task(name: TaskName): TaskState<MapResult> | TaskState<ReduceResult> {
    const [kind, index] = name.split("-");
    return (kind === "map" ? this.maps : this.reduces)[Number(index)]!;
  }

  /** Of this round, by the attempts that count. */
  get roundCounters(): Counters {
    return sumOf([...this.maps, ...this.reduces].map(({ result }) => result?.counters ?? {}));
  }

  /** Of all rounds. */
  get counters(): Counters {
    return sumOf([this.#rounds, this.roundCounters]);
  }

  apply(transition: Transition): void {
    this.transitions++;
    switch (transition.kind) {
      case "submitted":
        this.submission = transition.submission;
        this.options = transition.submission.reference.options;
        this.submittedAt = transition.at;
        break;
      case "taken-over":
        this.masters++;
        // What the master before had begun to plan is planned anew.
        if (!this.planned) this.splits = [];
        break;
      case "split":
        this.splits.push(...transition.splits);
        break;
      case "planned":
        this.#plan(transition.extent, transition.options);
        break;
      case "mapped":
        this.#finish(this.maps[transition.result.index]!, `map-${transition.result.index}`, transition);
        break;
      case "reduced":
        this.#finish(this.reduces[transition.result.partition]!, `reduce-${transition.result.partition}`, transition);
        break;
      case "lost":
        this.#lose(transition.task, transition.name);
        break;
      case "failed":
        this.#fail(transition);
        break;
      case "left-out":
        this.#leaveOut(transition.task, transition.skipped);
        break;
      case "next-round":
        this.#nextRound(transition);
        break;
      case "cancelling":
        this.cancelling = true;
        break;
      case "ending":
        this.ending = { outcome: transition.outcome, error: transition.error };
        break;
      case "ended":
        this.outcome = transition.outcome;
        this.error = transition.error;
        this.endedAt = transition.at;
    }
  }

  #plan(extent: Extent, options: Json | undefined): void {
    this.planned = true;
    if (this.round === 1) this.extent = extent;
    if (options !== undefined) this.options = options;
    this.maps = this.splits.map(newTask<MapResult>);
    // Without anything to read there is nothing to reduce either: the parts are made, and empty.
    this.reduces = Array.from({ length: this.submission!.reducers }, newTask<ReduceResult>);
  }

  #finish<R extends MapResult | ReduceResult>(
    task: TaskState<R>,
    name: TaskName,
    { result, attempt, worker, ms }: Done & { readonly result: R },
  ): void {
    this.attempts.add(attempt);
    if (task.result !== undefined) return;
    task.result = result;
    task.done = { attempt, worker, ms };
    this.finished.push({ task: name, round: this.round, attempt, worker, ms });
  }

  #lose(task: TaskName, lost: string): void {
    const state = this.task(task);
    const { result } = state;
    const names =
      result === undefined ? [] : "runs" in result ? result.runs.map(({ name }) => name) : [result.part.name];
    if (!names.includes(lost)) return;
    state.result = undefined;
    state.done = undefined;
    state.losses++;
    this.lost++;
  }

  #fail({ task: name, attempt, failure, worker }: Transition & { readonly kind: "failed" }): void {
    this.attempts.add(attempt);
    this.failures++;
    if ("stack" in failure) this.lastStack = failure.stack;
    const task = this.task(name);
    task.lastFailure = failure;
    // That a run was lost is not the reduce task's failure.
    if (failure.kind !== "run") task.failures++;
    if (failure.kind === "storage") task.fullOn.add(nodeOf(worker));
    if (failure.kind !== "record") return;
    const key = JSON.stringify(failure.record);
    task.badRecords.set(key, (task.badRecords.get(key) ?? 0) + 1);
  }

  #leaveOut(name: TaskName, skipped: Skipped): void {
    const task = this.task(name);
    task.failures -= task.badRecords.get(JSON.stringify(skipped.record)) ?? 0;
    task.skip.push(skipped.record);
    this.skipped.push(skipped);
  }

  #nextRound({ round, options, files }: Extract<Transition, { kind: "next-round" }>): void {
    this.#rounds = this.counters;
    this.round = round;
    this.planned = false;
    this.options = options;
    this.files = files;
    this.splits = [];
    this.maps = [];
    this.reduces = [];
  }
}

function newTask<R>(): TaskState<R> {
  return {
    result: undefined,
    done: undefined,
    failures: 0,
    losses: 0,
    lastFailure: undefined,
    fullOn: new Set(),
    badRecords: new Map(),
    skip: [],
  };
}

function sumOf(all: readonly Counters[]): Counters {
  const sums = new Map<string, number>();
  for (const counters of all) {
    for (const [name, count] of Object.entries(counters)) sums.set(name, (sums.get(name) ?? 0) + count);
  }
  return Object.fromEntries([...sums].sort(([a], [b]) => (a < b ? -1 : 1)));
}
