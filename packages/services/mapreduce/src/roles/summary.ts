import type { Unread } from "../input/document.ts";
import type { Counters, Skipped } from "../task/task.ts";
import type { FinishedTask, JobState } from "./job-state.ts";
import { bytesByPartition } from "./progress.ts";
import type { JobFailure, Outcome } from "./transition.ts";

/** What a job came to, by its log. */
export interface Summary {
  readonly job: string;
  readonly name: string;
  /** Undefined while it goes on. */
  readonly outcome: Outcome | undefined;
  readonly error?: JobFailure | undefined;
  readonly out: string;
  readonly files: number;
  readonly bytes: number;
  readonly binary: number;
  readonly unread: readonly Unread[];
  readonly rounds: number;
  readonly maps: number;
  readonly reduces: number;
  /** Who did something that counts. */
  readonly workers: number;
  readonly seconds: number;
  readonly counters: Counters;
  /** Attempts that failed, and map outputs that were made again because they were lost. */
  readonly failures: number;
  readonly lost: number;
  /** How often a master took over from another. */
  readonly takeovers: number;
  readonly skipped: readonly Skipped[];
  /** How many bytes the largest partition gets, over the mean; 1 is even. */
  readonly skew: number;
  /** The longest first. */
  readonly slowest: readonly FinishedTask[];
}

const slowestShown = 5;

export function summarize(state: JobState): Summary {
  const { submission, extent, finished } = state;
  const shuffled = bytesByPartition(state);
  const mean = shuffled.reduce((sum, each) => sum + each, 0) / Math.max(shuffled.length, 1);
  return {
    job: state.job,
    name: submission?.reference.module ?? "",
    outcome: state.outcome,
    error: state.error,
    out: submission?.out ?? "",
    ...extent,
    rounds: state.round,
    maps: finished.filter(({ task }) => task.startsWith("map")).length,
    reduces: finished.filter(({ task }) => task.startsWith("reduce")).length,
    workers: new Set(finished.map(({ worker }) => worker)).size,
    seconds: Math.max((state.endedAt ?? Date.now()) - state.submittedAt, 1) / 1_000,
    counters: state.counters,
    failures: state.failures,
    lost: state.lost,
    takeovers: Math.max(state.masters - 1, 0),
    skipped: state.skipped,
    skew: mean === 0 ? 1 : Number((Math.max(...shuffled) / mean).toFixed(2)),
    slowest: [...finished].sort((a, b) => b.ms - a.ms).slice(0, slowestShown),
  };
}
