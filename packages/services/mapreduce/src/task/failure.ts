import { BusError } from "@quadrant/bus";
import type { BadRecord } from "./task.ts";

/**
 * Why a task failed, in a form that travels.
 *   record    user code threw; after two failures of one record, give it in `skip`
 *   run       a run is gone or damaged: the map task that made it has to run again, then this one
 *   input     an input file cannot be read
 *   job       the job does not load, or does what no job may: trying again does not help
 *   aborted   the signal
 *   storage   everything else: a full disk, a store that does not answer
 */
export type TaskFailure =
  | { readonly kind: "record"; readonly record: BadRecord; readonly message: string; readonly stack: string }
  | { readonly kind: "run"; readonly run: string; readonly map: number; readonly message: string }
  | { readonly kind: "input" | "job" | "aborted" | "storage"; readonly message: string; readonly stack: string };

/** What a task rejects with. */
export class TaskError extends Error {
  override readonly name = "TaskError";
  readonly failure: TaskFailure;

  constructor(failure: TaskFailure, options?: ErrorOptions) {
    super(failure.message, options);
    this.failure = failure;
  }
}

/** User code threw on a record: the error's own stack is kept. */
export function recordError(record: BadRecord, error: unknown): TaskError {
  const where = "key" in record ? `key ${JSON.stringify(keyText(record.key))}` : `${record.path}:${record.offset}`;
  return new TaskError(
    { kind: "record", record, message: `${where}: ${messageOf(error)}`, stack: stackOf(error) },
    { cause: error },
  );
}

export function inputError(path: string, error: unknown): TaskError {
  const message = `${path} cannot be read: ${messageOf(error)}`;
  return new TaskError({ kind: "input", message, stack: stackOf(error) }, { cause: error });
}

/**
 * What a task wrote could not be written, to `where` if that is known: never the fault of the record at hand, though it was
 * user code's emit that had to make room in memory.
 */
export function storageError(error: unknown, where?: string): TaskError {
  const { code } = error as NodeJS.ErrnoException;
  const advice =
    code === "ENOSPC" || code === "EDQUOT"
      ? ": free room on that disk, or point TMPDIR (for what does not fit into memory) or the result's folder at a larger one; a larger memoryBytes writes less"
      : "";
  const message = `${where === undefined ? "" : `${where}: `}${messageOf(error)}${advice}`;
  return new TaskError({ kind: "storage", message, stack: stackOf(error) }, { cause: error });
}

/** Any error as that of a task. */
export function asTaskError(error: unknown, signal?: AbortSignal): TaskError {
  if (error instanceof TaskError) return error;
  const kind = signal?.aborted ? "aborted" : error instanceof BusError && error.code === "invalid" ? "job" : undefined;
  if (kind === undefined) return storageError(error);
  return new TaskError({ kind, message: messageOf(error), stack: stackOf(error) }, { cause: error });
}

/** What a task's error says to whoever schedules tasks. */
export function failureOf(error: unknown, signal?: AbortSignal): TaskFailure {
  return asTaskError(error, signal).failure;
}

/** The bytes of a key, where they are text. */
function keyText(base64: string): string {
  return Buffer.from(base64, "base64").toString();
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
