import { type Bus, BusError, type Server } from "@quadrant/bus";
import { dispatchOf, type Report, type TaskBoard } from "../dispatch/dispatch.ts";
import { loadJob } from "../job/reference.ts";
import { openOutputFolder, removeTemporary } from "../output/output-folder.ts";
import { keepDoing, persist } from "../persistence.ts";
import { destroyBlobs } from "../shuffle/blob-store.ts";
import { TaskError } from "../task/failure.ts";
import { JobAnnouncer } from "./job-announcer.ts";
import { JobEnd } from "./job-end.ts";
import { JobLog } from "./job-log.ts";
import type { JobState } from "./job-state.ts";
import { planRound } from "./planning.ts";
import { ReportBook } from "./report-book.ts";
import { type AttemptBeat, attemptSubject, beatMs } from "./subject.ts";
import type { Submission } from "./submission.ts";
import { summarize } from "./summary.ts";
import { TaskSchedule } from "./task-schedule.ts";
import type { JobFailure, Outcome, Transition } from "./transition.ts";

/** A job that has worn out so many masters is given up. */
const mostMasters = 50;
const progressMs = 200;

export interface MasterOptions {
  /** Of this master. */
  readonly name: string;
  /** The end of this master, not of the job: another one resumes it. */
  readonly signal: AbortSignal;
}

/**
 * Sees a job through, from wherever its log says it is: plans, offers tasks, decides which attempts count, commits. Resolves when
 * the job has ended, whatever its outcome. "conflict" when another master has taken over meanwhile; any other rejection leaves
 * the job to the next master.
 */
export async function runApplicationMaster(bus: Bus, job: string, options: MasterOptions): Promise<void> {
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const log = await JobLog.open(bus, job, signal);
  const { submission } = log.state;
  if (submission === undefined) return;
  const master = new ApplicationMaster(bus, log, submission, options.name, signal);
  try {
    if (log.state.outcome === undefined) await master.run();
    await master.clear();
  } finally {
    stop.abort();
  }
}

class ApplicationMaster {
  readonly #bus: Bus;
  readonly #log: JobLog;
  readonly #state: JobState;
  readonly #submission: Submission;
  readonly #name: string;
  readonly #signal: AbortSignal;
  readonly #announcer: JobAnnouncer;
  #board: TaskBoard | undefined;
  #schedule: TaskSchedule | undefined;
  #committing = false;
  /** Resolves when the round at hand is done; rejects with what ends the job, or this master. */
  #round: PromiseWithResolvers<void> = Promise.withResolvers();

  constructor(bus: Bus, log: JobLog, submission: Submission, name: string, signal: AbortSignal) {
    this.#bus = bus;
    this.#log = log;
    this.#state = log.state;
    this.#submission = submission;
    this.#name = name;
    this.#signal = signal;
    this.#announcer = new JobAnnouncer(bus, log.state, () => ({
      running: this.#schedule?.running ?? [],
      committing: this.#committing,
    }));
    this.#expectRound();
  }

  async run(): Promise<void> {
    const giveUp = (): void => this.#round.reject(new BusError("aborted", "this master was asked to end"));
    this.#signal.addEventListener("abort", giveUp, { once: true });
    let server: Server | undefined;
    const beating = [
      this.#every(beatMs, () => this.#beat()),
      this.#every(progressMs, () => this.#announcer.progress()),
    ];
    try {
      await this.#log.takeOver(this.#name);
      server = await persist(() => this.#announcer.serve(), this.#signal);
      if (this.#state.masters > mostMasters)
        throw new JobEnd("failed", { message: "too many masters have died on it" });
      const { ending } = this.#state;
      if (ending !== undefined) throw new JobEnd(ending.outcome, ending.error);
      await this.#work();
    } catch (error) {
      await this.#fail(error);
    } finally {
      this.#signal.removeEventListener("abort", giveUp);
      for (const timer of beating) clearInterval(timer);
      this.#schedule?.close();
      await this.#board?.close();
      await server?.[Symbol.asyncDispose]();
      await this.#announcer.progress();
      await this.#announcer.wants(0);
    }
  }

  /** What nobody needs once the job has ended. Repeating it is harmless. */
  async clear(): Promise<void> {
    await this.#removeTraces();
    await persist(() => dispatchOf(this.#submission.coupling).clear(this.#bus, this.#state.job), this.#signal);
  }

  /** What attempts have stored. A file that one of them is about to write has no folder any more. */
  async #removeTraces(): Promise<void> {
    const { job, out, shuffle } = this.#submission;
    // With the shuffle "bus" the parts of a job that is done wait for whoever submitted it.
    if (shuffle === "files") await removeTemporary(out);
    else if (this.#state.outcome !== "done") await persist(() => destroyBlobs(this.#bus, job), this.#signal);
  }

  async #work(): Promise<void> {
    const { job, leaseMs, coupling } = this.#submission;
    const append = (transitions: readonly Transition[]): Promise<void> => this.#append(transitions);
    const atWork = (): readonly string[] => (this.#schedule?.running ?? []).map(({ beat }) => beat.worker);
    const reports = new ReportBook(this.#state, this.#submission, append, atWork);
    this.#board = await dispatchOf(coupling).board(this.#bus, job, {
      epoch: this.#log.epoch,
      leaseMs,
      onReport: (report) => this.#hear(reports, report),
    });
    reports.assertWithinLimits();
    this.#schedule = new TaskSchedule(this.#state, this.#submission, this.#board);
    const following = this.#followAttempts(this.#schedule);
    try {
      for (;;) {
        if (!this.#state.planned) await this.#plan();
        await this.#roundDone();
        if (!(await this.#beginNextRound()) && (await this.#commit())) break;
      }
      await this.#end("done");
    } finally {
      await following[Symbol.asyncDispose]();
    }
  }

  async #plan(): Promise<void> {
    await this.#assertPossible();
    // Nobody's result is overwritten; what a master before this one has put there is this job's own.
    if (this.#submission.shuffle === "files") {
      await openOutputFolder(this.#submission.out, { resume: this.#state.masters > 1 || this.#state.round > 1 });
    }
    for (const entry of await planRound(this.#state, this.#submission, this.#signal)) await this.#append(entry);
  }

  /** Before anything is done of it. */
  async #assertPossible(): Promise<void> {
    const { reference, shuffle } = this.#submission;
    if (shuffle !== "bus" || (await loadJob({ ...reference, options: this.#state.options })).next === undefined) return;
    throw new JobEnd("failed", {
      message: `${reference.module} is iterated, and reads files that it has written: it needs the shuffle "files"`,
    });
  }

  #expectRound(): void {
    this.#round = Promise.withResolvers();
    // Whoever waits for it hears of a failure; it may come before anybody does.
    this.#round.promise.catch(() => undefined);
  }

  async #roundDone(): Promise<void> {
    await this.#schedule!.fill();
    // At once: slots are wanted now.
    await this.#beat();
    await this.#round.promise;
  }

  async #hear(reports: ReportBook, report: Report): Promise<void> {
    try {
      const heard = await reports.keep(report);
      this.#schedule?.settle(report.offer, report.attempt);
      if (heard?.done === true) await this.#schedule?.finish(heard.task);
      else if (heard !== undefined) this.#schedule?.pause(heard.task);
      await this.#schedule?.fill();
      this.#look();
    } catch (error) {
      this.#round.reject(error);
      throw error;
    }
  }

  /** Whether the round, or the job, is to end. */
  #look(): void {
    if (this.#state.cancelling) this.#round.reject(new JobEnd("cancelled"));
    else if (this.#state.reducesDone) this.#round.resolve();
  }

  /** Of an iterated job: whether there is one. */
  async #beginNextRound(): Promise<boolean> {
    const { reference } = this.#submission;
    const { round, roundCounters: counters, options, reduces } = this.#state;
    const job = await loadJob({ ...reference, options });
    const next = job.next?.({ round, counters, options });
    if (next === undefined) return false;
    const output = await openOutputFolder(this.#submission.out, { resume: true });
    const files = reduces.map(({ result }) => ({
      path: output.parts.pathOf!(result!.part.name),
      bytes: result!.part.bytes,
    }));
    this.#expectRound();
    await this.#append([{ kind: "next-round", at: Date.now(), round: round + 1, options: next, files }]);
    return true;
  }

  /**
   * Which attempts' parts are the result is in the log; here they are put into their places. False where one of them is gone:
   * its task is to be done again.
   */
  async #commit(): Promise<boolean> {
    if (this.#submission.shuffle === "bus") return true;
    this.#committing = true;
    const output = await openOutputFolder(this.#submission.out, { resume: true });
    for (const { result } of this.#state.reduces) {
      const { partition, part } = result!;
      try {
        await output.commit(part);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
        this.#committing = false;
        this.#expectRound();
        await this.#append([{ kind: "lost", at: Date.now(), task: `reduce-${partition}`, name: part.name }]);
        return false;
      }
    }
    await output.succeed(`${JSON.stringify(summarize(this.#state))}\n`);
    return true;
  }

  async #fail(error: unknown): Promise<void> {
    if (error instanceof JobEnd) return this.#end(error.outcome, error.failure);
    // The job is somebody else's, or has to wait for somebody else.
    if (this.#signal.aborted || (error instanceof BusError && error.code !== "invalid" && error.code !== "conflict"))
      throw error;
    if (error instanceof BusError && error.code === "conflict" && this.#state.planned) throw error;
    const { message, stack } = error instanceof Error ? error : new Error(String(error));
    const failure = error instanceof TaskError && "stack" in error.failure ? error.failure : { message, stack };
    await this.#end("failed", { message: failure.message, stack: failure.stack });
  }

  /** Whoever hears of the end finds nothing left; and nothing is removed before it is certain that it ends so. */
  async #end(outcome: Outcome, error?: JobFailure): Promise<void> {
    if (outcome !== "done") {
      if (this.#state.ending === undefined) await this.#append([{ kind: "ending", at: Date.now(), outcome, error }]);
      await this.#removeTraces();
    }
    await this.#append([{ kind: "ended", at: Date.now(), outcome, error }]);
  }

  async #append(transitions: readonly Transition[]): Promise<void> {
    if (transitions.length === 0) return;
    await this.#log.append(transitions);
    for (const transition of transitions) void this.#announcer.happened(transition);
  }

  #followAttempts(schedule: TaskSchedule): AsyncDisposable {
    const stop = new AbortController();
    const following = keepDoing(async () => {
      const subject = attemptSubject(this.#state.job);
      for await (const { data } of await this.#bus.subscribe<AttemptBeat>(subject, { signal: stop.signal })) {
        schedule.hear(data);
      }
    }, stop.signal);
    return {
      [Symbol.asyncDispose]: () => {
        stop.abort();
        return following;
      },
    };
  }

  async #beat(): Promise<void> {
    await this.#announcer.wants(Math.min(this.#schedule?.wanted ?? 0, this.#submission.workers));
    // A wish to cancel, or another master.
    await this.#log.refresh().catch((error: unknown) => {
      if (error instanceof BusError && error.code === "conflict") this.#round.reject(error);
    });
    this.#look();
    await this.#schedule?.speculate();
  }

  #every(ms: number, act: () => Promise<void>): NodeJS.Timeout {
    return setInterval(() => void act().catch(() => undefined), ms).unref();
  }
}
