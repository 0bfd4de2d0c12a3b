import type {
  Claim,
  FieldOf,
  Lease,
  Match,
  SpaceEvent,
  SpaceOps,
  Subscription,
  Template,
  Transaction,
  Tuple,
  TupleSpace,
  Wait,
} from "@quadrant/contract";
import type { Details } from "./event.ts";
import { templateText, tupleText } from "./fingerprint.ts";
import { RecordedClaim } from "./recorded-hold.ts";
import { type Leased, RecordedSpaceOps } from "./recorded-space-ops.ts";
import { RecordedSubscription } from "./recorded-subscription.ts";
import { originalOf, RecordedTransaction } from "./recorded-transaction.ts";
import type { Recorder } from "./recorder.ts";

function texts(tuples: unknown): readonly string[] {
  return Array.isArray(tuples) ? tuples.map((tuple) => tupleText(tuple) ?? "?") : [];
}

function templateTexts(templates: unknown): readonly string[] {
  return Array.isArray(templates) ? templates.map((template) => templateText(template) ?? "?") : [];
}

export class RecordedSpace implements TupleSpace {
  readonly name: string;
  readonly #recorder: Recorder;
  readonly #inner: TupleSpace;
  readonly #ops: RecordedSpaceOps;

  constructor(recorder: Recorder, inner: TupleSpace) {
    this.#recorder = recorder;
    this.#inner = inner;
    this.name = inner.name;
    this.#ops = new RecordedSpaceOps(recorder, inner, inner.name);
    originalOf.set(this, inner);
  }

  #run<T>(op: string, args: Details, operation: () => Promise<T>, detailsOf?: (result: T) => Details): Promise<T> {
    return this.#recorder.run(`space.${op}`, this.name, args, operation, detailsOf);
  }

  out<const T>(tuple: T & FieldOf<T>, options?: Leased): Promise<Lease> {
    return this.#ops.out<unknown>(tuple as never, options);
  }

  in<const P extends Template>(template: P, options?: Wait): Promise<Match<P>> {
    return this.#ops.in(template, options);
  }

  rd<const P extends Template>(template: P, options?: Wait): Promise<Match<P>> {
    return this.#ops.rd(template, options);
  }

  inp<const P extends Template>(template: P): Promise<Match<P> | undefined> {
    return this.#ops.inp(template);
  }

  rdp<const P extends Template>(template: P): Promise<Match<P> | undefined> {
    return this.#ops.rdp(template);
  }

  outMany(tuples: readonly Tuple[], options?: { readonly leaseMs?: number | undefined }): Promise<void> {
    const args = { tuples: texts(tuples), leaseMs: options?.leaseMs };
    return this.#run("outMany", args, () => this.#inner.outMany(tuples, options));
  }

  inMany<const P extends Template>(template: P, options: { readonly max: number }): Promise<readonly Match<P>[]> {
    return this.#run(
      "inMany",
      { template: templateText(template), max: options?.max },
      () => this.#inner.inMany(template, options),
      (tuples) => ({ tuples: texts(tuples) }),
    );
  }

  inAll<const P extends readonly Template[]>(
    templates: P,
    options?: Wait,
  ): Promise<{ readonly [K in keyof P]: Match<P[K]> }> {
    return this.#run(
      "inAll",
      { templates: templateTexts(templates), timeoutMs: options?.timeoutMs },
      () => this.#inner.inAll(templates, options),
      (tuples) => ({ tuples: texts(tuples) }),
    );
  }

  rdAll<const P extends Template>(template: P): Promise<readonly Match<P>[]> {
    return this.#run(
      "rdAll",
      { template: templateText(template) },
      () => this.#inner.rdAll(template),
      (tuples) => ({ tuples: texts(tuples) }),
    );
  }

  count(template: Template): Promise<number> {
    const args = { template: templateText(template) };
    return this.#run(
      "count",
      args,
      () => this.#inner.count(template),
      (count) => ({ count }),
    );
  }

  collect(template: Template, target: TupleSpace): Promise<number> {
    return this.#collect("collect", template, target);
  }

  copyCollect(template: Template, target: TupleSpace): Promise<number> {
    return this.#collect("copyCollect", template, target);
  }

  #collect(op: "collect" | "copyCollect", template: Template, target: TupleSpace): Promise<number> {
    return this.#run(
      op,
      { template: templateText(template), target: target?.name },
      () => this.#inner[op](template, (originalOf.get(target) as TupleSpace | undefined) ?? target),
      (count) => ({ count }),
    );
  }

  claim<const P extends Template>(template: P, options?: Leased): Promise<Claim<Match<P>>> {
    const { timeoutMs, leaseMs = 30_000, signal } = options ?? {};
    return this.#recorder.running(
      "space.claim",
      this.name,
      { template: templateText(template), leaseMs, ...(timeoutMs !== undefined && { timeoutMs }) },
      () => this.#inner.claim(template, options),
      (claim, n) => {
        this.#recorder.returned(n, { tuple: tupleText(claim.tuple) });
        return new RecordedClaim(this.#recorder, this.name, n, claim);
      },
      signal,
    );
  }

  /** Returns when what was put out is known. */
  eval(work: (signal: AbortSignal) => Tuple | Promise<Tuple>): Promise<{ readonly done: Promise<Tuple> }> {
    return this.#recorder.running(
      "space.eval",
      this.name,
      {},
      () => this.#inner.eval(work),
      (evaluation, n) => {
        evaluation.done.then(
          (tuple) => this.#recorder.returned(n, { tuple: tupleText(tuple) }),
          (error) => this.#recorder.failed(n, "space.eval", error),
        );
        return evaluation;
      },
    );
  }

  watch<const P extends Template>(
    template: P,
    options?: { readonly from?: number | undefined; readonly signal?: AbortSignal | undefined },
  ): Promise<Subscription<SpaceEvent<Match<P>>>> {
    return this.#recorder.running(
      "space.watch",
      this.name,
      { template: templateText(template), seq: options?.from },
      () => this.#inner.watch(template, options),
      (events, n) => {
        this.#recorder.returned(n);
        return new RecordedSubscription(this.#recorder, n, events, {
          details: ({ kind, seq, tuple }) => ({ what: kind, seq, tuple: tupleText(tuple) }),
        });
      },
    );
  }

  transaction(options?: { readonly leaseMs?: number | undefined }): Promise<Transaction & SpaceOps> {
    return this.#recorder.running(
      "transaction",
      this.name,
      { leaseMs: options?.leaseMs },
      () => this.#inner.transaction(options),
      (transaction, n) => {
        this.#recorder.returned(n);
        const recorded = new RecordedTransaction(this.#recorder, n, transaction);
        const ops = new RecordedSpaceOps(this.#recorder, transaction, this.name, n);
        return Object.assign(recorded, {
          out: ops.out.bind(ops),
          in: ops.in.bind(ops),
          rd: ops.rd.bind(ops),
          inp: ops.inp.bind(ops),
          rdp: ops.rdp.bind(ops),
        }) as Transaction & SpaceOps;
      },
    );
  }

  explain(template: Template): Promise<{ readonly index: string; readonly candidates: number }> {
    return this.#run("explain", { template: templateText(template) }, () => this.#inner.explain(template));
  }

  destroy(): Promise<void> {
    return this.#run("destroy", {}, () => this.#inner.destroy());
  }
}
