import { type Bus, BusError, type Mailbox } from "@quadrant/bus";
import { openOutputFolder } from "../output/output-folder.ts";
import { persist } from "../persistence.ts";
import { destroyBlobs, openBlobStore } from "../shuffle/blob-store.ts";
import { openLog, readJob } from "./job-log.ts";
import { JobState } from "./job-state.ts";
import { type SubmissionLetter, submissionsAddress } from "./subject.ts";
import { completeSubmission, type Submission, type SubmissionRequest } from "./submission.ts";
import { type Summary, summarize } from "./summary.ts";
import type { Transition } from "./transition.ts";

/** How long a job is without a master when that has died. */
const masterLeaseMs = 5_000;
/** A job outlives any number of masters: how many is in its log. */
const maxAttempts = 1_000_000;

export function openSubmissions(bus: Bus): Promise<Mailbox<SubmissionLetter>> {
  return bus.mailbox<SubmissionLetter>(submissionsAddress, { leaseMs: masterLeaseMs, maxAttempts });
}

/**
 * Submits a job: it is in the log, and a letter that names it waits for an application master. "invalid" where something of it
 * cannot be; "conflict" where there is a job of that id.
 */
export async function submitJob(bus: Bus, request: SubmissionRequest): Promise<Submission> {
  const submission = completeSubmission(request);
  const { job } = submission;
  const never = new AbortController().signal;
  const transition: Transition = { kind: "submitted", at: Date.now(), submission };
  await persist(async () => {
    try {
      await (await openLog(bus)).append(job, { transitions: [transition] }, { expectLast: 0 });
    } catch (error) {
      const own = (await readJob(bus, job))?.submission;
      if (JSON.stringify(own) !== JSON.stringify(submission)) throw error;
    }
  }, never);
  const submissions = await openSubmissions(bus);
  // What may have been sent is not sent twice; were it, the second master would find the job ended.
  await persist(() => submissions.send({ job }, { id: job }), never);
  return submission;
}

/** Asks for a job's end: its master sees to it. False where it has ended already; "invalid" where there is none. */
export async function cancelJob(bus: Bus, job: string): Promise<boolean> {
  const state = await assertJob(bus, job);
  if (state.outcome !== undefined) return false;
  await (await openLog(bus)).append(job, { transitions: [{ kind: "cancelling", at: Date.now() }] });
  return true;
}

/** Where a job stands, by its log. "invalid" where there is none. */
export async function assertJob(bus: Bus, job: string): Promise<JobState> {
  const state = await readJob(bus, job);
  if (state !== undefined) return state;
  throw new BusError("invalid", `there is no job ${job}, or it is no longer remembered`);
}

/** What happens to a job, from its beginning until it has ended: also to those who come when it has. Outlasts a broker's restart. */
export async function* followJob(bus: Bus, job: string, signal: AbortSignal): AsyncGenerator<Transition> {
  let seen = 0;
  for (;;) {
    const log = await persist(() => openLog(bus), signal);
    try {
      const from = seen === 0 ? "first" : { seq: seen };
      for await (const { data, seq } of log.read({ from, filter: job, signal })) {
        if (seq <= seen) continue;
        seen = seq;
        for (const transition of data.transitions) {
          yield transition;
          if (transition.kind === "ended") return;
        }
      }
    } catch (error) {
      if (!(error instanceof BusError && error.retryable) || signal.aborted) throw error;
    }
    if (signal.aborted) throw new BusError("aborted", `following the job ${job} was aborted by its signal`);
  }
}

/**
 * Waits for a job's end and puts its result into its folder, where that is the one's to do who submitted it. Rejects with
 * "aborted" by the signal; a job that failed is a summary that says so.
 */
export async function awaitJob(bus: Bus, job: string, signal: AbortSignal): Promise<Summary> {
  const state = new JobState(job);
  for await (const transition of followJob(bus, job, signal)) state.apply(transition);
  if (state.submission?.shuffle === "bus" && state.outcome === "done")
    await collectResult(bus, state, state.submission.out);
  return summarize(state);
}

/** Fetches the parts of a job that moved everything over the bus, commits them in the folder, and takes them from the bus. */
export async function collectResult(bus: Bus, state: JobState, out: string): Promise<void> {
  const store = await openBlobStore(bus, state.job);
  const output = await openOutputFolder(out);
  for (const { result } of state.reduces) await output.commit(result!.part, store);
  await output.succeed(`${JSON.stringify({ ...summarize(state), out })}\n`);
  await destroyBlobs(bus, state.job);
}

/** Every job that is remembered, the oldest first. */
export async function listJobs(bus: Bus): Promise<readonly JobState[]> {
  const jobs = new Map<string, JobState>();
  for await (const { subject, data } of (await openLog(bus)).read({ filter: "*", to: "end" })) {
    const state = jobs.get(subject) ?? new JobState(subject);
    jobs.set(subject, state);
    for (const transition of data.transitions) state.apply(transition);
  }
  return [...jobs.values()];
}
