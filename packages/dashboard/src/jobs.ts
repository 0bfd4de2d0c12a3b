/** Of one phase of a MapReduce job. */
export interface PhaseProgress {
  readonly tasks: number;
  readonly done: number;
  readonly running: number;
  readonly bytes: number;
  readonly bytesDone: number;
}

/** Where a MapReduce job stands. */
export interface JobProgress {
  readonly job: string;
  readonly name: string;
  /** "planning", "map", "reduce", "committing", or how it ended. */
  readonly phase: string;
  readonly map: PhaseProgress;
  readonly reduce: PhaseProgress;
  readonly workers: number;
  readonly failures: number;
  readonly counters: Readonly<Record<string, number>>;
  readonly elapsedMs: number;
  readonly remainingMs?: number | undefined;
}

export interface Jobs {
  /** What every job tells of itself, from now on until the signal. */
  follow(signal: AbortSignal): AsyncIterable<JobProgress>;
}
