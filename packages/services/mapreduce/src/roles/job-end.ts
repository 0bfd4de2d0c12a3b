import type { JobFailure, Outcome } from "./transition.ts";

/** What ends a job otherwise than by being done. */
export class JobEnd extends Error {
  override readonly name = "JobEnd";
  readonly outcome: Outcome;
  readonly failure: JobFailure | undefined;

  constructor(outcome: Outcome, failure?: JobFailure) {
    super(failure?.message ?? outcome);
    this.outcome = outcome;
    this.failure = failure;
  }
}
