import type { Report } from "../dispatch/dispatch.ts";
import type { TaskFailure } from "../task/failure.ts";
import { JobEnd } from "./job-end.ts";
import type { JobState, TaskState } from "./job-state.ts";
import type { Submission } from "./submission.ts";
import type { ReportBody } from "./task-order.ts";
import type { TaskName, Transition } from "./transition.ts";
import { nodeOf } from "./worker-name.ts";

/** After so many failures a record is left out. */
const recordFailures = 2;
/** A task whose output was lost so often fails the job. */
const mostLosses = 16;
/** A task that cannot be stored on one node waits for another; in the end the job fails all the same. */
const storagePatience = 8;

/** What a report has changed. */
export interface Heard {
  readonly task: TaskName;
  readonly done: boolean;
}

/** Turns what workers report into what happens to the job: here it is decided which attempt counts. */
export class ReportBook {
  readonly #state: JobState;
  readonly #submission: Submission;
  readonly #append: (transitions: readonly Transition[]) => Promise<void>;
  readonly #atWork: () => readonly string[];
  readonly #keeping = new Map<string, Promise<Heard | undefined>>();

  /** `atWork`: the names of the workers that have been heard of lately. */
  constructor(
    state: JobState,
    submission: Submission,
    append: (transitions: readonly Transition[]) => Promise<void>,
    atWork: () => readonly string[],
  ) {
    this.#atWork = atWork;
    this.#state = state;
    this.#submission = submission;
    this.#append = append;
  }

  /**
   * Resolves once what the report says is in the log; undefined where it says nothing new. Rejects with a JobEnd where that was
   * one failure too many.
   */
  keep(report: Report): Promise<Heard | undefined> {
    const known = this.#keeping.get(report.attempt);
    if (known !== undefined) return known;
    const keeping = this.#keep(report.body as ReportBody, report.attempt);
    this.#keeping.set(report.attempt, keeping);
    const forget = (): void => void this.#keeping.delete(report.attempt);
    keeping.then(forget, forget);
    return keeping;
  }

  /** A JobEnd where there has been one failure too many. */
  assertWithinLimits(): void {
    const { maxAttempts, maxSkipped } = this.#submission;
    for (const task of [...this.#state.maps, ...this.#state.reduces]) {
      const { failures, losses, lastFailure } = task;
      const attempts = this.#mayBeStoredElsewhere(task) ? maxAttempts * storagePatience : maxAttempts;
      if (failures >= attempts || losses >= mostLosses || lastFailure?.kind === "job") {
        throw new JobEnd("failed", failureOf(lastFailure));
      }
    }
    if (this.#state.skipped.length <= maxSkipped) return;
    const message = `more than ${maxSkipped} records failed twice, the last one: ${this.#state.skipped.at(-1)?.message}`;
    throw new JobEnd("failed", { message, stack: this.#state.lastStack });
  }

  /** Whether it failed for want of room, and a node that has done something for this job, or does, has not tried it. */
  #mayBeStoredElsewhere({ lastFailure, fullOn }: TaskState<unknown>): boolean {
    if (lastFailure?.kind !== "storage") return false;
    const workers = [...this.#state.finished.map(({ worker }) => worker), ...this.#atWork()];
    return workers.some((worker) => !fullOn.has(nodeOf(worker)));
  }

  async #keep(body: ReportBody, attempt: string): Promise<Heard | undefined> {
    const state = this.#state;
    if (body.kind === "moot" || state.attempts.has(attempt) || body.round !== state.round || !state.planned)
      return undefined;
    const { task } = body;
    // Another attempt was quicker.
    if (state.task(task).result !== undefined) return undefined;
    const at = Date.now();
    if (body.kind !== "failed") {
      const { worker, ms } = body;
      const done = { at, attempt, worker, ms };
      await this.#append([
        body.kind === "mapped"
          ? { kind: "mapped", ...done, result: body.result }
          : { kind: "reduced", ...done, result: body.result },
      ]);
      return { task, done: true };
    }
    const { failure, worker } = body;
    await this.#append([
      { kind: "failed", at, task, failure, attempt, worker },
      ...this.#consequences(task, failure, at),
    ]);
    this.assertWithinLimits();
    return { task, done: false };
  }

  #consequences(task: TaskName, failure: TaskFailure, at: number): readonly Transition[] {
    if (failure.kind === "run") return [{ kind: "lost", at, task: `map-${failure.map}`, name: failure.run }];
    if (failure.kind !== "record") return [];
    const { badRecords, skip } = this.#state.task(task);
    const key = JSON.stringify(failure.record);
    const failures = (badRecords.get(key) ?? 0) + 1;
    if (failures < recordFailures || skip.some((record) => JSON.stringify(record) === key)) return [];
    return [{ kind: "left-out", at, task, skipped: { record: failure.record, message: failure.message } }];
  }
}

function failureOf(failure: TaskFailure | undefined): {
  readonly message: string;
  readonly stack?: string | undefined;
} {
  if (failure === undefined) return { message: "what a task had made was lost again and again" };
  return { message: failure.message, stack: "stack" in failure ? failure.stack : undefined };
}
