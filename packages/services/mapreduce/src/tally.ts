import type { JobEvent, Outcome } from "./job.ts";

/** Where a job stands. Counts of what is done come from events, which may get lost: they are for showing. */
export interface Progress {
  readonly job: string;
  readonly phase: "splitting" | "counting" | Outcome;
  readonly files: number;
  readonly bytes: number;
  readonly bytesDone: number;
  readonly tasks: number;
  readonly tasksDone: number;
  readonly partitions: number;
  readonly partitionsDone: number;
  /** Taking part now, as far as they told. */
  readonly workers: number;
  /** Pieces of partials in the mailboxes. */
  readonly letters: number;
  /** Of these, ignored because their task had been counted already. */
  readonly repeats: number;
  /** That came in. */
  readonly events: number;
  readonly elapsedMs: number;
}

/** What the coordinator knows of the whole. */
export interface Extent {
  readonly files: number;
  readonly bytes: number;
  readonly tasks: number;
  readonly partitions: number;
}

/** Adds up a job's events. A task or partition that is done twice counts once. */
export class Tally {
  phase: Progress["phase"] = "splitting";
  extent: Extent = { files: 0, bytes: 0, tasks: 0, partitions: 0 };
  readonly #job: string;
  readonly #since = performance.now();
  readonly #tasks = new Set<number>();
  readonly #partitions = new Set<number>();
  readonly #workers = new Set<string>();
  #bytes = 0;
  #letters = 0;
  #repeats = 0;
  #events = 0;
  #ended: number | undefined;

  constructor(job: string) {
    this.#job = job;
  }

  add(event: JobEvent): void {
    this.#events++;
    switch (event.kind) {
      case "task":
        this.#letters += event.letters;
        if (this.#tasks.has(event.task)) return;
        this.#tasks.add(event.task);
        this.#bytes += event.bytes;
        return;
      case "partition":
        if (this.#partitions.has(event.partition)) return;
        this.#partitions.add(event.partition);
        this.#repeats += event.repeats;
        return;
      case "worker":
        if (event.state === "joined") this.#workers.add(event.worker);
        else this.#workers.delete(event.worker);
    }
  }

  /** The job has come to its end; with "done", all of it is done, whether or not each event of it came in. */
  end(outcome: Outcome): void {
    this.phase = outcome;
    this.#ended = performance.now();
  }

  progress(): Progress {
    const done = this.phase === "done";
    const { files, bytes, tasks, partitions } = this.extent;
    return {
      job: this.#job,
      phase: this.phase,
      files,
      bytes,
      bytesDone: done ? bytes : this.#bytes,
      tasks,
      tasksDone: done ? tasks : this.#tasks.size,
      partitions,
      partitionsDone: done ? partitions : this.#partitions.size,
      workers: this.#workers.size,
      letters: this.#letters,
      repeats: this.#repeats,
      events: this.#events,
      elapsedMs: Math.round((this.#ended ?? performance.now()) - this.#since),
    };
  }
}
