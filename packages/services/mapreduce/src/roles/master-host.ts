import { hostname } from "node:os";
import type { Bus, Delivery } from "@quadrant/bus";
import { keepDoing } from "../persistence.ts";
import { runApplicationMaster } from "./application-master.ts";
import { openSubmissions } from "./job-client.ts";
import type { SubmissionLetter } from "./subject.ts";

export interface MasterHostOptions {
  /** The end: other hosts resume the jobs. */
  readonly signal: AbortSignal;
  /** How many jobs it has a master for at once. Default 8. */
  readonly jobs?: number | undefined;
}

let serial = 0;
const retryMs = 500;

/**
 * An application master for each job that is submitted, until the signal. The letter that names the job is on loan to its master:
 * when that dies, the letter comes again, to whoever takes it, and another master resumes the job from its log.
 */
export async function runApplicationMasters(bus: Bus, { signal, jobs = 8 }: MasterHostOptions): Promise<void> {
  const running = new Set<Promise<void>>();
  await keepDoing(async () => {
    const submissions = await openSubmissions(bus);
    for await (const letter of await submissions.receive({ maxInFlight: jobs, signal })) {
      const master = runMaster(bus, letter, signal);
      running.add(master);
      void master.then(() => running.delete(master));
    }
  }, signal);
  await Promise.all(running);
}

async function runMaster(bus: Bus, letter: Delivery<SubmissionLetter>, given: AbortSignal): Promise<void> {
  const signal = AbortSignal.any([given, letter.signal]);
  const name = `${hostname()}-${process.pid}-${++serial}`;
  try {
    await runApplicationMaster(bus, letter.data.job, { name, signal });
    await letter.ack();
  } catch {
    // Another one has it, or the next one tries; where the letter was lost there is nothing to give back.
    await letter.nak({ delayMs: given.aborted ? 0 : retryMs }).catch(() => undefined);
  }
}
