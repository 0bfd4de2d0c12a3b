import type { BusError, Deadlines, Timed } from "@quadrant/contract";
import type { PendingRecord } from "../wire/batch.ts";
import type { Values } from "../wire/values.ts";

/** What is known of an operation when its answer does not come. */
export type Effect =
  /** it changes nothing: it can be asked again */
  | "reads"
  /** it takes something, which the hub puts back when it learns that the answer came too late */
  | "captures"
  /** it settles loans, each named by a token: done twice is done once */
  | "settles"
  /** it changes something */
  | "writes"
  /** it ends something of the session: the hub is told also where nobody waits for the answer any more */
  | "ends"
  /** it sets up again what a lost session had, and is pointless in the next one */
  | "restores";

/** A request that has not been answered. */
export class Pending implements Timed {
  readonly id: number;
  readonly operation: number;
  readonly what: string;
  readonly effect: Effect;
  /** Kept, since they may have to be asked again. */
  readonly values: readonly unknown[];
  readonly answer: Promise<Values>;
  resolve!: (values: Values) => void;
  reject!: (error: BusError) => void;
  record!: PendingRecord;
  /** The session in which it was sent first, once that is lost. */
  first: string | undefined = undefined;
  /** Of what waits for another party. */
  signal: AbortSignal | undefined = undefined;
  timeoutMs: number | undefined = undefined;
  /** Why its wait was ended here; the hub has been asked what became of it. */
  ended: BusError | undefined = undefined;
  stopTimer: (() => void) | undefined = undefined;
  deadlines: Deadlines<Pending> | undefined = undefined;
  seat: number | undefined = undefined;
  due = 0;
  earlier: Timed | undefined = undefined;
  later: Timed | undefined = undefined;
  done = false;

  constructor(id: number, operation: number, what: string, effect: Effect, values: readonly unknown[]) {
    this.id = id;
    this.operation = operation;
    this.what = what;
    this.effect = effect;
    this.values = values;
    this.answer = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }
}
