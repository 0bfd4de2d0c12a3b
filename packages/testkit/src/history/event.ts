/** What became of an operation: done; failed, it did not happen; indefinite, it may have happened or may yet. */
export type Outcome = "done" | "failed" | "indefinite";

/**
 * What an operation was asked, or answered with. Which members an operation has stands in the README. Tuples and templates
 * are their canonical texts (@quadrant/contract), bodies their fingerprints.
 */
export interface Details {
  readonly tuple?: string | undefined;
  readonly tuples?: readonly string[] | undefined;
  readonly template?: string | undefined;
  readonly templates?: readonly string[] | undefined;
  /** Another space. */
  readonly target?: string | undefined;
  readonly pick?: string | undefined;
  readonly max?: number | undefined;
  readonly count?: number | undefined;
  readonly timeoutMs?: number | undefined;
  readonly leaseMs?: number | undefined;
  /** false: what is received is not kept alive. */
  readonly autoExtend?: boolean | undefined;
  readonly delayMs?: number | undefined;
  readonly ttlMs?: number | undefined;
  /** The number, in the same process, of the operation that this one goes on with: a claim's, a lease's, a receiver's. */
  readonly of?: number | undefined;
  /** The number, in the same process, of the transaction that the operation is part of. */
  readonly transaction?: number | undefined;
  readonly subject?: string | undefined;
  readonly pattern?: string | undefined;
  readonly group?: string | undefined;
  readonly data?: string | undefined;
  readonly bodies?: readonly string[] | undefined;
  readonly id?: string | undefined;
  readonly ids?: readonly string[] | undefined;
  readonly key?: string | undefined;
  readonly attempt?: number | undefined;
  readonly maxAttempts?: number | undefined;
  readonly seq?: number | undefined;
  /** Of a log that keeps only some of its entries. */
  readonly limited?: boolean | undefined;
  readonly duplicate?: boolean | undefined;
  readonly expectLast?: number | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly durable?: string | undefined;
  readonly dropped?: number | undefined;
  readonly method?: string | undefined;
  readonly what?: string | undefined;
  readonly error?: string | undefined;
  readonly waiting?: number | undefined;
  readonly held?: number | undefined;
  readonly delayed?: number | undefined;
  readonly dead?: number | undefined;
}

interface Moment {
  /** Who recorded it: one connection of one process. */
  readonly process: string;
  /** The monotonic clock of the machine in whole microseconds: what `clock` of its process names is comparable. */
  readonly us: number;
  /** The wall clock, in milliseconds since 1970. For people: no checker looks at it. */
  readonly at: number;
}

/** The first line of a process. */
export interface ProcessEvent extends Moment {
  readonly kind: "process";
  readonly pid: number;
  /** Which monotonic clock it reads. */
  readonly clock: string;
  readonly driver: string;
}
export interface InvokeEvent extends Moment {
  readonly kind: "invoke";
  /** Counts the operations of the process, from 1. */
  readonly n: number;
  /** Such as "space.in". */
  readonly op: string;
  /** The space, mailbox, log, subject or address. */
  readonly on: string;
  readonly args: Details;
}
export interface ReturnEvent extends Moment {
  readonly kind: "return";
  readonly n: number;
  readonly outcome: Outcome;
  /** Of the BusError. */
  readonly code?: string | undefined;
  readonly value?: Details | undefined;
}
/** What an operation goes on to hand over: a message, a letter, an entry, an item, an execution. */
export interface GotEvent extends Moment {
  readonly kind: "got";
  readonly n: number;
  readonly value: Details;
}
/** Its signal was aborted, or the lease of what it got was lost. */
export interface SignalEvent extends Moment {
  readonly kind: "aborted" | "lost";
  readonly n: number;
}
/** A transition of the connection; "end": it was closed; "cut": the recording was full, what followed is not in it. */
export interface StateEvent extends Moment {
  readonly kind: "disconnected" | "reconnected" | "end" | "cut";
}

/** A line of a history. */
export type HistoryEvent = ProcessEvent | InvokeEvent | ReturnEvent | GotEvent | SignalEvent | StateEvent;
