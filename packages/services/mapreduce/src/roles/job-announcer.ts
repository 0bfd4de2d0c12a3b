import type { Bus, Server } from "@quadrant/bus";
import type { JobState } from "./job-state.ts";
import { ProgressReport } from "./progress.ts";
import {
  type Demand,
  demandSubject,
  eventSubject,
  masterAddress,
  progressSubject,
  type StatusService,
} from "./subject.ts";
import type { RunningAttempt } from "./task-schedule.ts";
import type { Transition } from "./transition.ts";

/** What a master knows and its job's log does not. */
export interface Moment {
  readonly running: readonly RunningAttempt[];
  readonly committing: boolean;
}

/** Tells everybody how a job stands. What is lost of it is told again, or was of no consequence: nothing here rejects. */
export class JobAnnouncer {
  readonly #bus: Bus;
  readonly #job: string;
  readonly #report: ProgressReport;
  readonly #moment: () => Moment;

  constructor(bus: Bus, state: JobState, moment: () => Moment) {
    this.#bus = bus;
    this.#job = state.job;
    this.#report = new ProgressReport(state);
    this.#moment = moment;
  }

  /** Answers whoever asks. Rejects as `bus.serve` does. */
  serve(): Promise<Server> {
    const service: StatusService = { status: () => this.#report.progress(this.#moment()) };
    return this.#bus.serve(masterAddress(this.#job), service, { description: "where a MapReduce job stands" });
  }

  happened(transition: Transition): Promise<void> {
    return this.#tell(eventSubject(this.#job), transition);
  }

  progress(): Promise<void> {
    return this.#tell(progressSubject(this.#job), this.#report.progress(this.#moment()));
  }

  /** How many slots the job could use now. */
  wants(slots: number): Promise<void> {
    const demand: Demand = { job: this.#job, slots };
    return this.#tell(demandSubject(this.#job), demand);
  }

  async #tell(subject: string, data: object): Promise<void> {
    await this.#bus.publish(subject, data).catch(() => undefined);
  }
}
