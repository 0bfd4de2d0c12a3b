import type { SpaceOps, Transaction, TupleSpace } from "@quadrant/contract";
import { RecordedSpaceOps } from "./recorded-space-ops.ts";
import type { Recorder } from "./recorder.ts";

/** Of a recorded space: the one below, which is what the bus knows. */
export const originalOf: WeakMap<object, object> = new WeakMap();

/** `of` is the number of the operation that began it. */
export class RecordedTransaction implements Transaction {
  readonly #recorder: Recorder;
  readonly #of: number;
  readonly #inner: Transaction;

  constructor(recorder: Recorder, of: number, inner: Transaction) {
    this.#recorder = recorder;
    this.#of = of;
    this.#inner = inner;
  }

  on(space: TupleSpace): SpaceOps {
    const original = (originalOf.get(space) as TupleSpace | undefined) ?? space;
    return new RecordedSpaceOps(this.#recorder, this.#inner.on(original), original.name, this.#of);
  }

  commit(): Promise<void> {
    return this.#recorder.run("transaction.commit", "", { of: this.#of }, () => this.#inner.commit());
  }

  abort(): Promise<void> {
    return this.#recorder.run("transaction.abort", "", { of: this.#of }, () => this.#inner.abort());
  }

  /** What ends a transaction that has not ended is an abort. */
  [Symbol.asyncDispose](): Promise<void> {
    const dispose = (): Promise<void> => this.#inner[Symbol.asyncDispose]() as Promise<void>;
    return this.#recorder.run("transaction.dispose", "", { of: this.#of }, dispose);
  }
}
