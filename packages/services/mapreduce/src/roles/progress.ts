import type { MapResult, ReduceResult } from "../task/task.ts";
import type { JobState, TaskState } from "./job-state.ts";
import type { PhaseProgress, Progress } from "./subject.ts";
import type { RunningAttempt } from "./task-schedule.ts";

/** When the phase at hand was first seen, and how much of it was done then: for what remains. */
interface PhaseStart {
  readonly phase: string;
  readonly at: number;
  readonly bytesDone: number;
}

/** Makes of a job's state, and of what its attempts tell, what people want to know. */
export class ProgressReport {
  readonly #state: JobState;
  readonly #since = Date.now();
  #start: PhaseStart | undefined;

  constructor(state: JobState) {
    this.#state = state;
  }

  /** `committing`: the tasks are done, their parts not all in place. */
  progress({
    running,
    committing,
  }: {
    readonly running: readonly RunningAttempt[];
    readonly committing: boolean;
  }): Progress {
    const state = this.#state;
    const map = phaseOf(state.maps, "map", running, (index) => state.splits[index]?.bytes ?? 0);
    const shuffled = bytesByPartition(state);
    const reduce = phaseOf(state.reduces, "reduce", running, (index) => shuffled[index] ?? 0);
    const phase = this.#phase(committing);
    const elapsedMs = (state.endedAt ?? Date.now()) - (state.submittedAt || this.#since);
    return {
      job: state.job,
      name: state.submission?.reference.module ?? "",
      phase,
      round: state.round,
      map,
      reduce,
      workers: new Set(running.map(({ beat }) => beat.worker)).size,
      failures: state.failures,
      skipped: state.skipped.length,
      counters: state.counters,
      elapsedMs: Math.max(elapsedMs, 0),
      remainingMs:
        phase === "map" ? this.#remaining(phase, map) : phase === "reduce" ? this.#remaining(phase, reduce) : undefined,
    };
  }

  #phase(committing: boolean): Progress["phase"] {
    const { outcome, planned, mapsDone } = this.#state;
    if (outcome !== undefined) return outcome;
    if (committing) return "committing";
    if (!planned) return "planning";
    return mapsDone ? "reduce" : "map";
  }

  #remaining(phase: string, { bytes, bytesDone }: PhaseProgress): number | undefined {
    const at = performance.now();
    const name = `${this.#state.round}.${phase}`;
    if (this.#start?.phase !== name) this.#start = { phase: name, at, bytesDone };
    const done = bytesDone - this.#start.bytesDone;
    return done > 0 ? Math.round(((at - this.#start.at) / done) * Math.max(bytes - bytesDone, 0)) : undefined;
  }
}

function phaseOf(
  tasks: readonly TaskState<MapResult | ReduceResult>[],
  kind: "map" | "reduce",
  running: readonly RunningAttempt[],
  bytesOf: (index: number) => number,
): PhaseProgress {
  const begun = new Map<number, number>();
  for (const { beat } of running) {
    const [of, index] = beat.task.split("-");
    const at = Number(index);
    if (of !== kind || tasks[at]?.result !== undefined || tasks[at] === undefined) continue;
    begun.set(at, Math.max(begun.get(at) ?? 0, Math.min(beat.progress.bytes, bytesOf(at))));
  }
  let bytes = 0;
  let bytesDone = 0;
  let done = 0;
  for (const [index, { result }] of tasks.entries()) {
    bytes += bytesOf(index);
    bytesDone += result === undefined ? (begun.get(index) ?? 0) : bytesOf(index);
    if (result !== undefined) done++;
  }
  return { tasks: tasks.length, done, running: begun.size, bytes, bytesDone };
}

/** Of the runs that are there so far. */
export function bytesByPartition(state: JobState): readonly number[] {
  const sums = state.reduces.map(() => 0);
  for (const { result } of state.maps) {
    for (const { partition, bytes } of result?.runs ?? []) sums[partition]! += bytes;
  }
  return sums;
}
