import type { Unread } from "../input/document.ts";
import type { InputFile, Split } from "../input/plan.ts";
import type { Json } from "../job/codec.ts";
import type { TaskFailure } from "../task/failure.ts";
import type { MapResult, ReduceResult, Skipped } from "../task/task.ts";
import type { Submission } from "./submission.ts";

export type TaskKind = "map" | "reduce";
/** `map-3`, `reduce-0`: a task of the round at hand. */
export type TaskName = `${TaskKind}-${number}`;

export type Outcome = "done" | "failed" | "cancelled";

/** Which attempt, of which worker, and how long it took. */
export interface Done {
  readonly attempt: string;
  readonly worker: string;
  readonly ms: number;
}

/** What became of the input. */
export interface Extent {
  readonly files: number;
  readonly bytes: number;
  /** Files left out because they are no text. */
  readonly binary: number;
  readonly unread: readonly Unread[];
}

/** Everything that can happen to a job. `at` is in milliseconds since 1970, by the clock of whoever wrote it. */
export type Transition =
  | { readonly kind: "submitted"; readonly at: number; readonly submission: Submission }
  /** A master is in charge from here on, and no other. */
  | { readonly kind: "taken-over"; readonly at: number; readonly by: string }
  /** Some of the round's splits, in order: more follow, until `planned`. */
  | { readonly kind: "split"; readonly splits: readonly Split[] }
  | { readonly kind: "planned"; readonly at: number; readonly extent: Extent; readonly options?: Json | undefined }
  /** Of several for one task the first counts. */
  | ({ readonly kind: "mapped"; readonly at: number; readonly result: MapResult } & Done)
  | ({ readonly kind: "reduced"; readonly at: number; readonly result: ReduceResult } & Done)
  /** A run or part of a task that was done is gone: the task is to be done again. */
  | { readonly kind: "lost"; readonly at: number; readonly task: TaskName; readonly name: string }
  | {
      readonly kind: "failed";
      readonly at: number;
      readonly task: TaskName;
      readonly failure: TaskFailure;
      readonly attempt: string;
      readonly worker: string;
    }
  /** From here on the task is done without this record. */
  | { readonly kind: "left-out"; readonly at: number; readonly task: TaskName; readonly skipped: Skipped }
  /** A round has ended, and another reads its parts. */
  | {
      readonly kind: "next-round";
      readonly at: number;
      readonly round: number;
      readonly options: Json;
      readonly files: readonly InputFile[];
    }
  /** Somebody wants the job cancelled. */
  | { readonly kind: "cancelling"; readonly at: number }
  /** It is not going to be done: what there is of it is being removed. */
  | ({ readonly kind: "ending"; readonly at: number } & Ending)
  | ({ readonly kind: "ended"; readonly at: number } & Ending);

/** How a job ends. */
export interface Ending {
  readonly outcome: Outcome;
  readonly error?: JobFailure | undefined;
}

/** Why a job failed: the message, and the stack where it was thrown. */
export interface JobFailure {
  readonly message: string;
  readonly stack?: string | undefined;
}
