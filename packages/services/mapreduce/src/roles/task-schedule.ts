import type { TaskBoard } from "../dispatch/dispatch.ts";
import type { JobState, TaskState } from "./job-state.ts";
import type { AttemptBeat } from "./subject.ts";
import type { Submission } from "./submission.ts";
import type { TaskOrder } from "./task-order.ts";
import type { TaskKind, TaskName } from "./transition.ts";

/** An attempt that was heard of. */
export interface RunningAttempt {
  readonly beat: AttemptBeat;
  readonly beganAt: number;
  readonly heardAt: number;
}

/** A task that takes so much longer than half of the others did is begun a second time. */
const slowFactor = 1.5;
/** And not before so long. */
const leastSlowMs = 1_000;
/** After a failure that may pass, so long, and twice as long each time. */
const firstPauseMs = 100;

/** Which tasks of a job are offered: every one that can be done, until it is done, and stragglers twice. */
export class TaskSchedule {
  readonly #state: JobState;
  readonly #submission: Submission;
  readonly #board: TaskBoard;
  /** Offers that nobody has reported on, by their ids. */
  readonly #offered = new Map<string, TaskName>();
  readonly #running = new Map<string, RunningAttempt>();
  readonly #paused = new Map<TaskName, NodeJS.Timeout>();
  #serial = 0;
  /** When a worker last began something, or reported; undefined before the first. */
  #changedAt: number | undefined;
  #round = 1;

  constructor(state: JobState, submission: Submission, board: TaskBoard) {
    this.#state = state;
    this.#submission = submission;
    this.#board = board;
    this.#round = state.round;
  }

  /** Attempts that have been heard of within a lease. */
  get running(): readonly RunningAttempt[] {
    const since = performance.now() - this.#submission.leaseMs;
    for (const [attempt, { heardAt }] of this.#running) if (heardAt < since) this.#running.delete(attempt);
    return [...this.#running.values()];
  }

  /** How many tasks are there to be worked on now, or will be soon: the last map task need not send other workers away. */
  get wanted(): number {
    const { planned, mapsDone, reduces } = this.#state;
    // Workers with a full disk hold slots to no purpose: others are wanted beside them.
    if (this.#open().some((task) => this.#state.task(task).fullOn.size > 0)) return this.#submission.workers;
    return Math.max(new Set(this.#offered.values()).size, planned && !mapsDone ? reduces.length : 0);
  }

  /** Offers what can be done and is not offered. */
  async fill(): Promise<void> {
    if (this.#round !== this.#state.round) {
      this.#round = this.#state.round;
      await this.#withdraw(() => true);
    }
    const offered = new Set(this.#offered.values());
    const open = this.#open().filter((task) => !offered.has(task) && !this.#paused.has(task));
    await Promise.all(open.map((task) => this.#offer(task)));
  }

  hear(beat: AttemptBeat): void {
    const now = performance.now();
    const known = this.#running.get(beat.attempt);
    if (known === undefined) this.#changedAt = now;
    this.#running.set(beat.attempt, { beat, beganAt: known?.beganAt ?? now, heardAt: now });
  }

  /** What was offered has been reported on. */
  settle(offer: string, attempt: string): void {
    this.#offered.delete(offer);
    this.#running.delete(attempt);
    this.#changedAt = performance.now();
  }

  /** The task is done: nobody need begin it any more. */
  async finish(task: TaskName): Promise<void> {
    await this.#withdraw((each) => each === task);
  }

  /** The task has failed: not at once again. */
  pause(task: TaskName): void {
    const { failures } = this.#state.task(task);
    const resume = (): void => {
      this.#paused.delete(task);
      void this.fill().catch(() => undefined);
    };
    clearTimeout(this.#paused.get(task));
    this.#paused.set(task, setTimeout(resume, firstPauseMs * 2 ** Math.max(failures - 1, 0)).unref());
  }

  /**
   * Offers a second time what is overdue: a task whose only attempt is slow, once there is nothing else left to begin; one that
   * nobody begins although there are workers for it, because its offer was handed to one that has just left.
   */
  async speculate(): Promise<void> {
    const { running } = this;
    const attemptsAt = (task: TaskName): readonly RunningAttempt[] => running.filter(({ beat }) => beat.task === task);
    const open = this.#open();
    const waiting = open.filter((task) => attemptsAt(task).length === 0);
    const overdue = waiting.length > 0 ? (this.#isStuck(open.length) ? waiting : []) : this.#slow(open, attemptsAt);
    for (const task of overdue) {
      const offers = [...this.#offered.values()].filter((each) => each === task).length;
      if (offers === 1) await this.#offer(task);
    }
  }

  close(): void {
    for (const timer of this.#paused.values()) clearTimeout(timer);
  }

  /** What can be done now, and is not done. */
  #open(): readonly TaskName[] {
    const state = this.#state;
    if (!state.planned || state.reducesDone) return [];
    const [kind, tasks]: [TaskKind, readonly TaskState<unknown>[]] = state.mapsDone
      ? ["reduce", state.reduces]
      : ["map", state.maps];
    return tasks.flatMap(({ result }, index) => (result === undefined ? [`${kind}-${index}` as const] : []));
  }

  /** Whether workers that were there do nothing for a third of a lease, though there is something to do. */
  #isStuck(open: number): boolean {
    const { workers, leaseMs } = this.#submission;
    if (this.#changedAt === undefined || this.running.length >= Math.min(workers, open)) return false;
    return performance.now() - this.#changedAt > leaseMs / 3;
  }

  #slow(open: readonly TaskName[], attemptsAt: (task: TaskName) => readonly RunningAttempt[]): readonly TaskName[] {
    if (!this.#submission.speculative) return [];
    const now = performance.now();
    return open.filter((task) => {
      const [first, second] = attemptsAt(task);
      return second === undefined && now - first!.beganAt > this.#slowMs(task.startsWith("map") ? "map" : "reduce");
    });
  }

  #slowMs(kind: TaskKind): number {
    const done = (kind === "map" ? this.#state.maps : this.#state.reduces).flatMap(({ done }) => done?.ms ?? []);
    done.sort((a, b) => a - b);
    // Nobody has shown yet how long it takes.
    if (done.length === 0) return Number.POSITIVE_INFINITY;
    return Math.max(done[done.length >> 1]! * slowFactor, leastSlowMs);
  }

  async #offer(task: TaskName): Promise<void> {
    const id = `${this.#round}.${task}.${++this.#serial}`;
    this.#offered.set(id, task);
    await this.#board.offer({ id, order: this.#orderOf(task) });
  }

  #orderOf(task: TaskName): TaskOrder {
    const { job, reference, reducers, compression, memoryBytes } = this.#submission;
    const state = this.#state;
    const index = Number(task.split("-")[1]);
    const of = { round: state.round, task };
    const { skip } = state.task(task);
    const common = { run: job, job: { ...reference, options: state.options }, memoryBytes, skip };
    if (task.startsWith("map")) {
      const split = state.splits[index]!;
      return { ...of, kind: "map", work: { ...common, index, split, partitions: reducers, compression } };
    }
    const runs = state.maps.flatMap(({ result }) => result!.runs.filter(({ partition }) => partition === index));
    return { ...of, kind: "reduce", work: { ...common, partition: index, partitions: reducers, runs } };
  }

  async #withdraw(which: (task: TaskName) => boolean): Promise<void> {
    for (const [id, task] of this.#offered) {
      if (!which(task)) continue;
      this.#offered.delete(id);
      // Best effort: what is begun in vain is refused in the end.
      await this.#board.withdraw(id).catch(() => undefined);
    }
  }
}
