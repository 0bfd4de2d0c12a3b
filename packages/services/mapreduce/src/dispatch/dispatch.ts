import type { Bus } from "@quadrant/bus";
import { directDispatch } from "./direct-dispatch.ts";
import { eventDispatch } from "./event-dispatch.ts";
import { mailboxDispatch } from "./mailbox-dispatch.ts";
import { spaceDispatch } from "./space-dispatch.ts";

/** How a job's tasks come to its workers: each of the bus's four models can do it. */
export type Coupling = "direct" | "mailbox" | "events" | "space";

/** A task, offered. `id` is new for each offer; `order` is for the worker alone, and JSON. */
export interface Offer {
  readonly id: string;
  readonly order: unknown;
}

/** What became of an offer. `body` is for the master alone, and JSON. */
export interface Report {
  /** The offer's. */
  readonly offer: string;
  /** New for each execution, so that a report that comes twice is known. */
  readonly attempt: string;
  readonly body: unknown;
}

export interface BoardOptions {
  /** Of this master, greater than that of every master before. */
  readonly epoch: number;
  /** How long an offer stays with a worker that has died. */
  readonly leaseMs: number;
  /**
   * Keeps a report: resolves once it is as safe as the master can make it. Where it rejects the report comes again, to this
   * master or to the next. A report may come more than once.
   */
  readonly onReport: (report: Report) => Promise<void>;
}

/**
 * The master's side. An offer is with one worker at a time, and goes to another when its lease ran out. Opening a board takes
 * down what masters before had offered and nobody has taken.
 */
export interface TaskBoard {
  offer(offer: Offer): Promise<void>;
  /** Nobody need begin it any more. What has begun goes on. */
  withdraw(id: string): Promise<void>;
  close(): Promise<void>;
}

export interface SourceOptions {
  /** Of this worker, on the whole bus. */
  readonly worker: string;
  readonly leaseMs: number;
  /** The end of all waiting. */
  readonly signal: AbortSignal;
}

/** A worker's side. */
export interface TaskSource {
  /** Waits for an offer; "aborted" by the signal. One at a time: settle it before the next. */
  take(signal: AbortSignal): Promise<TakenTask>;
  close(): Promise<void>;
}

/** An offer on loan. Its lease is kept until it is settled. */
export interface TakenTask {
  readonly offer: Offer;
  /** Aborts when the lease was lost: another worker has it. */
  readonly signal: AbortSignal;
  /**
   * Resolves once the report cannot be lost by this worker's death. Settles. "stale" when the lease was lost: nothing was
   * reported. After any other rejection it may have been.
   */
  report(report: Report): Promise<void>;
  /** Gives it back unfinished. Settles. */
  release(): Promise<void>;
}

/** One way of coupling: what a master opens, and what a worker. */
export interface Dispatch {
  board(bus: Bus, job: string, options: BoardOptions): Promise<TaskBoard>;
  source(bus: Bus, job: string, options: SourceOptions): Promise<TaskSource>;
  /** Takes from the bus what is left of a job that has ended. Repeating it is harmless. */
  clear(bus: Bus, job: string): Promise<void>;
}

const dispatches: Readonly<Record<Coupling, Dispatch>> = {
  direct: directDispatch,
  mailbox: mailboxDispatch,
  events: eventDispatch,
  space: spaceDispatch,
};

export const couplings: readonly Coupling[] = ["direct", "mailbox", "events", "space"];

export function dispatchOf(coupling: Coupling): Dispatch {
  return dispatches[coupling];
}
