import type { Claim, Delivery, Lease } from "@quadrant/contract";
import type { Recorder } from "./recorder.ts";

/** A lease of a tuple; `of` is the number of its `out`. */
export class RecordedLease implements Lease {
  readonly #recorder: Recorder;
  readonly #space: string;
  readonly #of: number;
  readonly #inner: Lease;

  constructor(recorder: Recorder, space: string, of: number, inner: Lease) {
    this.#recorder = recorder;
    this.#space = space;
    this.#of = of;
    this.#inner = inner;
  }

  get expiresInMs(): number {
    return this.#inner.expiresInMs;
  }

  renew(leaseMs: number): Promise<void> {
    const args = { of: this.#of, leaseMs };
    return this.#recorder.run("lease.renew", this.#space, args, () => this.#inner.renew(leaseMs));
  }

  cancel(): Promise<void> {
    return this.#recorder.run("lease.cancel", this.#space, { of: this.#of }, () => this.#inner.cancel());
  }
}

/** A tuple on loan; `of` is the number of its `claim`. */
export class RecordedClaim<T> implements Claim<T> {
  readonly tuple: T;
  readonly signal: AbortSignal;
  readonly #recorder: Recorder;
  readonly #space: string;
  readonly #of: number;
  readonly #inner: Claim<T>;

  constructor(recorder: Recorder, space: string, of: number, inner: Claim<T>) {
    this.#recorder = recorder;
    this.#space = space;
    this.#of = of;
    this.#inner = inner;
    this.tuple = inner.tuple;
    this.signal = inner.signal;
    this.signal.addEventListener("abort", () => recorder.signalled("lost", of), { once: true });
  }

  #settle(op: string, settle: () => PromiseLike<void>, leaseMs?: number | undefined): Promise<void> {
    const args = leaseMs === undefined ? { of: this.#of } : { of: this.#of, leaseMs };
    return this.#recorder.run(op, this.#space, args, settle as () => Promise<void>);
  }

  ack(): Promise<void> {
    return this.#settle("claim.ack", () => this.#inner.ack());
  }

  nak(): Promise<void> {
    return this.#settle("claim.nak", () => this.#inner.nak());
  }

  extend(leaseMs: number): Promise<void> {
    return this.#settle("claim.extend", () => this.#inner.extend(leaseMs), leaseMs);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#settle("claim.dispose", () => this.#inner[Symbol.asyncDispose]());
  }
}

/** A letter, or an entry of a log, on loan; `of` is the number of the operation that receives. */
export class RecordedDelivery<T> implements Delivery<T> {
  readonly subject: string;
  readonly data: T;
  readonly headers: Delivery<T>["headers"];
  readonly id: string;
  readonly attempt: number;
  readonly seq?: number | undefined;
  readonly signal: AbortSignal;
  readonly #recorder: Recorder;
  readonly #on: string;
  readonly #of: number;
  readonly #inner: Delivery<T>;

  constructor(recorder: Recorder, on: string, of: number, inner: Delivery<T>) {
    this.#recorder = recorder;
    this.#on = on;
    this.#of = of;
    this.#inner = inner;
    this.subject = inner.subject;
    this.data = inner.data;
    this.headers = inner.headers;
    this.id = inner.id;
    this.attempt = inner.attempt;
    if (inner.seq !== undefined) this.seq = inner.seq;
    this.signal = inner.signal;
    this.signal.addEventListener("abort", () => this.#lost(), { once: true });
  }

  #lost(): void {
    const { id, attempt } = this.#inner;
    const args = { of: this.#of, id, attempt };
    this.#recorder.returned(this.#recorder.invoke("delivery.lost", this.#on, args));
  }

  #settle(what: string, settle: () => Promise<void>, detail?: { leaseMs?: number; delayMs?: number }): Promise<void> {
    const { id, attempt, seq } = this.#inner;
    const args = { of: this.#of, id, attempt, ...(seq !== undefined && { seq }), ...detail };
    return this.#recorder.run(`delivery.${what}`, this.#on, args, settle);
  }

  ack(): Promise<void> {
    return this.#settle("ack", () => this.#inner.ack());
  }

  nak(options?: Parameters<Delivery<T>["nak"]>[0]): Promise<void> {
    return this.#settle("nak", () => this.#inner.nak(options));
  }

  reject(error?: Error): Promise<void> {
    return this.#settle("reject", () => this.#inner.reject(error));
  }

  extend(leaseMs: number): Promise<void> {
    return this.#settle("extend", () => this.#inner.extend(leaseMs), { leaseMs });
  }
}
