import type { Bus } from "@quadrant/contract";
import { awaitJob, cancelJob, type SubmissionRequest, type Summary, submitJob } from "@quadrant/mapreduce";
import { connected, type Session } from "../session.ts";
import { showProgress } from "./progress-display.ts";
import { type Crew, isPrivate, startHere, startProcesses } from "./roles.ts";

export interface JobRunOptions {
  readonly url: string;
  readonly request: SubmissionRequest & { readonly workers: number };
  /** Resolves when the hub that was started for this is gone. */
  readonly hubDied?: Promise<Error> | undefined;
}

/** What a job that has ended gives, while its bus is still up. */
export interface Finished {
  readonly bus: Bus;
  readonly summary: Summary;
}

/** How long a job may take to end once it was asked to. */
const cancelMs = 5_000;

/**
 * Runs a job with roles of its own over the bus at `url`; calls `use` when it has ended, however; leaves nothing running. Cancels
 * the job and rejects with "aborted" by the session's signal.
 */
export async function runWithRoles(
  session: Session,
  { url, request, hubDied }: JobRunOptions,
  use: (finished: Finished) => Promise<void>,
): Promise<void> {
  const { output } = session;
  // A hub of this command's own has none.
  const keys = hubDied === undefined ? session.keys : {};
  const failure = new AbortController();
  const signal = AbortSignal.any([session.signal, failure.signal]);
  const onFailure = (error: unknown): void => failure.abort(error);
  const options = { url, keys, workers: request.workers, output, onFailure };
  let hubless = false;
  // Before all else: processes take their time to start.
  const processes = isPrivate(url) ? undefined : startProcesses(options);
  try {
    await connected(
      { url, name: "quadrant mapreduce", connectTimeoutMs: undefined, keys, signal, output },
      async (bus) => {
        void hubDied?.then((error) => {
          hubless = true;
          onFailure(error);
          // Whoever waits for an answer need not wait for a deadline.
          return bus.close({ drainMs: 0 });
        });
        const crew: Crew = processes ?? startHere(bus, options);
        try {
          const { job } = await submitJob(bus, request);
          await use({ bus, summary: await follow(bus, job, session, signal) });
        } finally {
          await crew.stop(hubless);
        }
      },
    );
  } catch (error) {
    throw failure.signal.aborted && !session.signal.aborted ? failure.signal.reason : error;
  } finally {
    await processes?.stop(hubless);
  }
}

/** Shows how a job goes on until it has ended; cancels it when the session is to end. */
export async function follow(bus: Bus, job: string, session: Session, signal: AbortSignal): Promise<Summary> {
  const display = await showProgress(bus, job, session.output);
  try {
    return await awaitJob(bus, job, signal);
  } catch (error) {
    if (session.signal.aborted) await cancel(bus, job);
    throw error;
  } finally {
    await display[Symbol.asyncDispose]();
  }
}

/** Gives the master the time to see to it that nothing is left. */
async function cancel(bus: Bus, job: string): Promise<void> {
  const late = AbortSignal.timeout(cancelMs);
  try {
    await cancelJob(bus, job);
    await awaitJob(bus, job, late);
  } catch {
    // Without a master, or a bus, there is nobody to see to it.
  }
}
