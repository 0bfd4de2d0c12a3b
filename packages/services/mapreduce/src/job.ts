import { randomBytes } from "node:crypto";
import { BusError } from "@quadrant/bus";
import type { Unread } from "./document.ts";

/**
 * What the parts of a job share: names on the bus, and what is found under them. Nobody knows anybody; each knows the
 * job's id.
 *
 *   space `mapreduce`   ["job", id, plan]                  read by every worker: how the job is to be done
 *                       ["task", id, number, ranges]       claimed by mappers
 *                       ["partition", id, number]          claimed by reducers
 *                       ["finished", id, outcome]          read by every worker: time to stop
 *   mailboxes           mapreduce.ID.partition.NUMBER      from the mappers, pieces of partials
 *                       mapreduce.ID.results               from the reducers, pieces of whole partitions
 *   subjects            mapreduce.ID.event.task|partition|worker, mapreduce.ID.progress
 *   service             mapreduce.ID
 */
export const spaceName = "mapreduce";

export const partitionAddress = (job: string, partition: number): string => `mapreduce.${job}.partition.${partition}`;
export const resultsAddress = (job: string): string => `mapreduce.${job}.results`;
export const eventSubject = (job: string, kind: JobEvent["kind"]): string => `mapreduce.${job}.event.${kind}`;
export const eventPattern = (job: string): string => `mapreduce.${job}.event.*`;
export const progressSubject = (job: string): string => `mapreduce.${job}.progress`;
export const serviceAddress = (job: string): string => `mapreduce.${job}`;

/** How a job is to be done. A tuple holds it, so everything in it is a field. */
export interface Plan {
  readonly [key: string]: number;
  readonly tasks: number;
  readonly partitions: number;
  /** How long a task or partition stays held by a worker that has died: the price of a crash. */
  readonly leaseMs: number;
  /** Letters carry so many characters at most, each at most three bytes. */
  readonly letterChars: number;
}

export type Outcome = "done" | "failed" | "cancelled";

/** How long workers that come late still learn that a job has finished. */
export const finishedLeaseMs = 60_000;

/** Letters outlive any number of dead reducers: none is ever put away as undeliverable. */
export const letterAttempts = 1_000_000;
/** All letters of a partition are on loan until its result is safe. */
export const lettersInFlight = 1_000_000;

/** What workers tell whoever listens. At most once: for showing, never for deciding. */
export type JobEvent = TaskEvent | PartitionEvent | WorkerEvent;

export interface TaskEvent {
  readonly kind: "task";
  readonly worker: string;
  readonly task: number;
  readonly bytes: number;
  /** Distinct ones. */
  readonly words: number;
  /** Sent for it. */
  readonly letters: number;
  readonly unread: readonly Unread[];
}

export interface PartitionEvent {
  readonly kind: "partition";
  readonly worker: string;
  readonly partition: number;
  readonly words: number;
  /** Received for it, by the reducer that finished it. */
  readonly letters: number;
  /** Of these, how many were ignored because the task had been counted. */
  readonly repeats: number;
}

export interface WorkerEvent {
  readonly kind: "worker";
  readonly worker: string;
  readonly state: "joined" | "left";
}

export function newJobId(): string {
  return randomBytes(4).toString("hex");
}

/** "invalid" unless `job` can be a part of every name. */
export function checkJobId(job: string): void {
  if (/^[A-Za-z0-9_-]{1,64}$/.test(job)) return;
  throw new BusError("invalid", `${JSON.stringify(job)} is no job id: up to 64 letters, digits, "-" and "_"`);
}
