import type { BusError } from "@quadrant/contract";
import type { Value, Values } from "./bytes.ts";

/** What is known of an operation when its answer does not come. */
export type Effect =
  /** it changes nothing, or done twice it is done once: it can be asked again */
  | "reads"
  | "settles"
  /** it takes something, which the owner puts back when it learns that the answer came too late */
  | "captures"
  /** it changes something */
  | "writes";

/** A request that has not been answered. */
export class Pending {
  readonly id: number;
  readonly operation: number;
  readonly what: string;
  readonly effect: Effect;
  /** Kept, since they may have to be asked again. */
  readonly values: readonly Value[];
  readonly answer: Promise<Values>;
  resolve!: (values: Values) => void;
  reject!: (error: BusError) => void;
  /** The owner that was asked last; 0: none yet. */
  epoch = 0;
  /** In which frame it was asked last. */
  frame = 0;
  /** The server has said that nobody got that frame, nor any that it was asked in before: it has not happened. */
  unheard = false;
  /** It was asked in an earlier frame as well, of which the server has not said that. */
  mayHaveCome = false;
  /** Of performance.now(): when it has waited too long for an owner that answers. */
  deadline: number = Number.POSITIVE_INFINITY;
  /** It waits for another party as long as it likes, but only at an owner. */
  endless = false;
  doubted = false;
  timeoutMs: number | undefined = undefined;
  /** Why its wait was ended here; the owner has been asked what became of it. */
  ended: BusError | undefined = undefined;
  stopTimer: (() => void) | undefined = undefined;
  stopAbort: (() => void) | undefined = undefined;
  done = false;

  constructor(id: number, operation: number, what: string, effect: Effect, values: readonly Value[]) {
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
