import type { Counters, TaskProgress } from "../task/task.ts";
import type { Outcome, TaskName, Transition } from "./transition.ts";

/**
 * What the roles and whoever watches them tell and hear. All of it is published, at most once: each is told again and again,
 * and nothing that must not be lost depends on it.
 */

/** How often everything is told again. */
export const beatMs = 500;

/** A node manager's slots, told to all: the resource manager learns what there is, a worker what its slot is for. */
export const nodeSubject = (node: string): string => `mapreduce.nodes.${node}`;
export const nodePattern = "mapreduce.nodes.*";
export interface NodeBeat {
  readonly node: string;
  /** Which job each slot is granted to. None: the node is leaving. */
  readonly slots: readonly (string | null)[];
}

/** How many slots a job wants now. */
export const demandSubject = (job: string): string => `mapreduce.demands.${job}`;
export const demandPattern = "mapreduce.demands.*";
export interface Demand {
  readonly job: string;
  readonly slots: number;
}

/** The resource manager's decision: of each node, to which job each slot is granted. */
export const grantSubject = "mapreduce.grants";
export interface Grants {
  /** Greater than that of every resource manager before. */
  readonly epoch: number;
  readonly nodes: Readonly<Record<string, readonly (string | null)[]>>;
}

/** That a worker is alive, told to its node manager. */
export const workerSubject = (node: string): string => `mapreduce.workers.${node}`;
export interface WorkerBeat {
  readonly slot: number;
  readonly worker: string;
  readonly pid: number;
}

/** How far an attempt is. */
export const attemptSubject = (job: string): string => `mapreduce.${job}.attempt`;
export interface AttemptBeat {
  readonly offer: string;
  readonly task: TaskName;
  readonly attempt: string;
  readonly worker: string;
  readonly pid: number;
  readonly progress: TaskProgress;
}

/** What has happened to a job, once it is in the log. */
export const eventSubject = (job: string): string => `mapreduce.${job}.event`;
export type JobEvent = Transition;

/** Where a job stands, a few times a second. */
export const progressSubject = (job: string): string => `mapreduce.${job}.progress`;
export interface PhaseProgress {
  readonly tasks: number;
  readonly done: number;
  readonly running: number;
  readonly bytes: number;
  /** Of attempts that run, as far as they have told. */
  readonly bytesDone: number;
}
export interface Progress {
  readonly job: string;
  readonly name: string;
  readonly phase: "planning" | "map" | "reduce" | "committing" | Outcome;
  readonly round: number;
  readonly map: PhaseProgress;
  readonly reduce: PhaseProgress;
  /** Who has told of an attempt of late. */
  readonly workers: number;
  readonly failures: number;
  readonly skipped: number;
  readonly counters: Counters;
  readonly elapsedMs: number;
  /** Of this phase; undefined where nothing is known. */
  readonly remainingMs?: number | undefined;
}

/** What a job's master is called for. */
export const masterAddress = (job: string): string => `mapreduce.${job}`;
export interface StatusService {
  status(): Progress;
}

/** Where jobs are submitted: a letter names a job that is in the log. */
export const submissionsAddress = "mapreduce.submissions";
export interface SubmissionLetter {
  readonly job: string;
}
