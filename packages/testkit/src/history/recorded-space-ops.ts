import type { FieldOf, Lease, Match, SpaceOps, Template, Wait } from "@quadrant/contract";
import type { Details } from "./event.ts";
import { templateText, tupleText } from "./fingerprint.ts";
import { RecordedLease } from "./recorded-hold.ts";
import type { Recorder } from "./recorder.ts";

export type Leased = Wait & { readonly leaseMs?: number | undefined };

/** The operations that a space and a transaction on one share. */
export class RecordedSpaceOps implements SpaceOps {
  readonly #recorder: Recorder;
  readonly #inner: SpaceOps;
  readonly #name: string;
  readonly #transaction: number | undefined;

  constructor(recorder: Recorder, inner: SpaceOps, name: string, transaction?: number | undefined) {
    this.#recorder = recorder;
    this.#inner = inner;
    this.#name = name;
    this.#transaction = transaction;
  }

  #args(details: Details, options?: Leased | undefined): Details {
    const { timeoutMs, leaseMs } = options ?? {};
    const transaction = this.#transaction;
    return {
      ...details,
      ...(timeoutMs !== undefined && { timeoutMs }),
      ...(leaseMs !== undefined && { leaseMs }),
      ...(transaction !== undefined && { transaction }),
    };
  }

  out<const T>(tuple: T & FieldOf<T>, options?: Leased): Promise<Lease> {
    return this.#recorder.running(
      "space.out",
      this.#name,
      this.#args({ tuple: tupleText(tuple) }, options),
      () => this.#inner.out<unknown>(tuple as never, options),
      (lease, n) => {
        this.#recorder.returned(n);
        return new RecordedLease(this.#recorder, this.#name, n, lease);
      },
      options?.signal,
    );
  }

  #find<T>(op: string, template: unknown, options: Wait | undefined, operation: () => Promise<T>): Promise<T> {
    return this.#recorder.running(
      op,
      this.#name,
      this.#args({ template: templateText(template) }, options),
      operation,
      (tuple, n) => {
        this.#recorder.returned(n, tuple === undefined ? {} : { tuple: tupleText(tuple) });
        return tuple;
      },
      options?.signal,
    );
  }

  in<const P extends Template>(template: P, options?: Wait): Promise<Match<P>> {
    return this.#find("space.in", template, options, () => this.#inner.in(template, options));
  }

  rd<const P extends Template>(template: P, options?: Wait): Promise<Match<P>> {
    return this.#find("space.rd", template, options, () => this.#inner.rd(template, options));
  }

  inp<const P extends Template>(template: P): Promise<Match<P> | undefined> {
    return this.#find("space.inp", template, undefined, () => this.#inner.inp(template));
  }

  rdp<const P extends Template>(template: P): Promise<Match<P> | undefined> {
    return this.#find("space.rdp", template, undefined, () => this.#inner.rdp(template));
  }
}
