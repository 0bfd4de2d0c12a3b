import { type Bus, BusError, type Log, type LogEntry } from "@quadrant/bus";
import { persist } from "../persistence.ts";
import { JobState } from "./job-state.ts";
import type { Submission } from "./submission.ts";
import type { Transition } from "./transition.ts";

/** The log of all jobs: a job is a subject of it, its entries are what happened to it, and nothing else is remembered. */
const logName = "mapreduce";
/** Jobs are remembered so long. */
const maxAgeMs = 7 * 24 * 3_600_000;

/** What is appended at once holds together: all of it happened, or nothing. */
export interface Entry {
  /** The sequence of the entry with which the master that wrote this one took over; left out by whoever is no master. */
  readonly epoch?: number | undefined;
  readonly transitions: readonly Transition[];
}

export function openLog(bus: Bus): Promise<Log<Entry>> {
  return bus.log<Entry>(logName, { maxAgeMs });
}

function epochAfter({ data, seq }: LogEntry<Entry>): number | undefined {
  return data.transitions.some(({ kind }) => kind === "taken-over") ? seq : data.epoch;
}

/** Of the master that is in charge of a job; 0 where none has been so far. */
export async function epochOf(bus: Bus, job: string): Promise<number> {
  const log = await openLog(bus);
  const last = await log.last(job);
  const known = last === undefined ? 0 : epochAfter(last);
  if (known !== undefined) return known;
  let epoch = 0;
  for await (const entry of log.read({ filter: job, to: "end" })) epoch = epochAfter(entry) ?? epoch;
  return epoch;
}

/** Where a job stands, by its log; undefined where there is no such job. */
export async function readJob(bus: Bus, job: string): Promise<JobState | undefined> {
  const log = await openLog(bus);
  let state: JobState | undefined;
  for await (const { data } of log.read({ filter: job, to: "end" })) {
    state ??= new JobState(job);
    for (const transition of data.transitions) state.apply(transition);
  }
  return state;
}

/** What a job is to do; undefined where there is none, or it has ended. */
export async function readSubmission(bus: Bus, job: string): Promise<Submission | undefined> {
  const log = await openLog(bus);
  const last = await log.last(job);
  if (last === undefined || last.data.transitions.some(({ kind }) => kind === "ended")) return undefined;
  for await (const { data } of log.read({ filter: job, to: "end" })) {
    for (const transition of data.transitions) if (transition.kind === "submitted") return transition.submission;
  }
  return undefined;
}

interface Waiting {
  readonly transitions: readonly Transition[];
  readonly appended: PromiseWithResolvers<void>;
}

/** A master's view of its job's log, and the only way in which it changes anything. */
export class JobLog {
  readonly state: JobState;
  readonly #log: Log<Entry>;
  readonly #job: string;
  readonly #signal: AbortSignal;
  #last = 0;
  #epoch = 0;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;

  private constructor(log: Log<Entry>, job: string, signal: AbortSignal) {
    this.#log = log;
    this.#job = job;
    this.#signal = signal;
    this.state = new JobState(job);
  }

  /** Reads all there is. */
  static async open(bus: Bus, job: string, signal: AbortSignal): Promise<JobLog> {
    const log = await persist(() => openLog(bus), signal);
    const opened = new JobLog(log, job, signal);
    await persist(() => opened.#catchUp((entry) => opened.#take(entry)), signal);
    return opened;
  }

  get epoch(): number {
    return this.#epoch;
  }

  /** From here on, whoever was in charge before can append nothing any more. */
  async takeOver(by: string): Promise<void> {
    await this.append([{ kind: "taken-over", by, at: Date.now() }]);
  }

  /**
   * Resolves once these have happened. What is appended meanwhile goes out together, with the next entry. "conflict" when
   * another master has taken over: this one is to end at once.
   */
  append(transitions: readonly Transition[]): Promise<void> {
    const appended = Promise.withResolvers<void>();
    this.#waiting.push({ transitions, appended });
    this.#writing ??= this.#write();
    return appended.promise;
  }

  /** Takes in what others have appended: a wish to cancel. "conflict" when it was a master. */
  async refresh(): Promise<void> {
    if (this.#writing !== undefined) return;
    this.#writing = this.#catchUp((entry) => this.#takeForeign(entry)).finally(() => {
      this.#writing = undefined;
      if (this.#waiting.length > 0) this.#writing = this.#write();
    });
    await this.#writing;
  }

  async #write(): Promise<void> {
    // In the next turn, so that what this turn appends goes out together.
    await undefined;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      try {
        await this.#appendEntry(batch.flatMap(({ transitions }) => transitions));
        for (const { appended } of batch) appended.resolve();
      } catch (error) {
        for (const { appended } of batch) appended.reject(error);
      }
    }
    this.#writing = undefined;
  }

  async #appendEntry(transitions: readonly Transition[]): Promise<void> {
    const data: Entry = { epoch: this.#epoch, transitions };
    const text = JSON.stringify(data);
    let stored = false;
    await persist(async () => {
      try {
        const { seq } = await this.#log.append(this.#job, data, { expectLast: this.#last });
        this.#take({ data, seq });
      } catch (error) {
        if (!(error instanceof BusError) || !["conflict", "indefinite", "timeout"].includes(error.code)) throw error;
        // Somebody else was quicker; or it was stored, and nobody could say so.
        await this.#catchUp((entry) => {
          if (JSON.stringify(entry.data) !== text) return this.#takeForeign(entry);
          stored = true;
          this.#take(entry);
        });
        if (!stored) throw new BusError("unavailable", "the entry is not in the log so far", { cause: error });
      }
    }, this.#signal);
  }

  async #catchUp(take: (entry: LogEntry<Entry>) => void): Promise<void> {
    const last = await this.#log.last(this.#job);
    if (last === undefined || last.seq <= this.#last) return;
    // This one's own last entry is there to begin at; "first" where there is none.
    const from = this.#last === 0 ? "first" : { seq: this.#last };
    for await (const entry of this.#log.read({ from, filter: this.#job, to: "end" })) {
      if (entry.seq > this.#last) take(entry);
    }
  }

  #takeForeign(entry: LogEntry<Entry>): void {
    if ((epochAfter(entry) ?? 0) > this.#epoch) {
      throw new BusError("conflict", `another master has taken the job ${this.#job} over`);
    }
    this.#take(entry);
  }

  #take({ data, seq }: Pick<LogEntry<Entry>, "data" | "seq">): void {
    for (const transition of data.transitions) this.state.apply(transition);
    this.#last = seq;
    if (data.transitions.some(({ kind }) => kind === "taken-over")) this.#epoch = seq;
  }
}
