import type { TaskFailure } from "../task/failure.ts";
import type { MapResult, MapTask, ReduceResult, ReduceTask } from "../task/task.ts";
import type { Done, TaskName } from "./transition.ts";

/** What a worker is to do; who does it gives the attempt its name. */
export type TaskOrder = { readonly round: number; readonly task: TaskName } & (
  | { readonly kind: "map"; readonly work: Omit<MapTask, "attempt"> }
  | { readonly kind: "reduce"; readonly work: Omit<ReduceTask, "attempt"> }
);

interface OfTask {
  readonly round: number;
  readonly task: TaskName;
}

/** What a worker says of an order. */
export type ReportBody =
  | ({ readonly kind: "mapped"; readonly result: MapResult } & OfTask & Done)
  | ({ readonly kind: "reduced"; readonly result: ReduceResult } & OfTask & Done)
  | ({
      readonly kind: "failed";
      readonly attempt: string;
      readonly worker: string;
      readonly failure: TaskFailure;
    } & OfTask)
  /** The task had been done already. */
  | { readonly kind: "moot" };
