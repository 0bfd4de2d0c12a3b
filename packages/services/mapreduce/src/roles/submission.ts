import { randomBytes } from "node:crypto";
import { BusError } from "@quadrant/bus";
import { type Coupling, couplings } from "../dispatch/dispatch.ts";
import type { JobReference } from "../job/reference.ts";

/** How map output comes to the reduce tasks: as files of a folder that all workers see, or as blobs of the bus. */
export type Shuffle = "files" | "bus";

/** A job as it is asked for. JSON. */
export interface Submission {
  /** Its id: up to 64 letters, digits and hyphens. */
  readonly job: string;
  readonly reference: JobReference;
  /** Files and folders, as the application master sees them; `NAME=PATH` gives an input a name. */
  readonly inputs: readonly string[];
  /** Only files whose names end so; without it, every text file. */
  readonly endings?: readonly string[] | undefined;
  /** The result's folder. With the shuffle "bus" nobody but the one who submits need see it. */
  readonly out: string;
  readonly reducers: number;
  /** How many slots it wants at most. */
  readonly workers: number;
  readonly coupling: Coupling;
  readonly shuffle: Shuffle;
  /** About so many bytes a map task. Default: so many that each worker gets eight, from 256 KiB to 64 MiB. */
  readonly splitBytes?: number | undefined;
  readonly compression?: "none" | "zstd" | "gzip" | undefined;
  /** What a task may hold in memory beside the runtime itself. */
  readonly memoryBytes: number;
  /** How long a task stays with a worker that has died: the price of a crash. */
  readonly leaseMs: number;
  /** A task that has failed so often fails the job. */
  readonly maxAttempts: number;
  /** So many records that map or reduce fails on twice are left out; one more fails the job. */
  readonly maxSkipped: number;
  /** Whether a second worker begins a task that takes much longer than the others did. */
  readonly speculative: boolean;
}

/** What must be said of a job; for the rest there are defaults. */
export type SubmissionRequest = Pick<Submission, "reference" | "inputs" | "out"> & {
  readonly [Name in keyof Submission]?: Submission[Name] | undefined;
};

const defaults = {
  reducers: 1,
  workers: 1,
  coupling: "mailbox",
  shuffle: "files",
  memoryBytes: 96 << 20,
  leaseMs: 10_000,
  maxAttempts: 4,
  maxSkipped: 16,
  speculative: true,
} as const satisfies Partial<Submission>;

export function newJobId(): string {
  return randomBytes(4).toString("hex");
}

/** With the defaults; "invalid" where something is no such value. */
export function completeSubmission(request: SubmissionRequest): Submission {
  const given = Object.fromEntries(Object.entries(request).filter(([, value]) => value !== undefined));
  const submission: Submission = { job: newJobId(), ...defaults, ...(given as typeof request & Partial<Submission>) };
  const { job, coupling, shuffle } = submission;
  if (!/^[A-Za-z0-9-]{1,64}$/.test(job)) {
    throw new BusError("invalid", `${JSON.stringify(job)} is no job id: up to 64 letters, digits and hyphens`);
  }
  if (!couplings.includes(coupling)) throw new BusError("invalid", `${coupling} is none of ${couplings.join(", ")}`);
  if (shuffle !== "files" && shuffle !== "bus") throw new BusError("invalid", `${shuffle} is none of files, bus`);
  for (const name of ["reducers", "workers", "splitBytes", "memoryBytes", "leaseMs", "maxAttempts"] as const) {
    const value = submission[name];
    if (value === undefined || (Number.isSafeInteger(value) && value >= 1)) continue;
    throw new BusError("invalid", `${name}: ${value} is no whole number of at least 1`);
  }
  return submission;
}
