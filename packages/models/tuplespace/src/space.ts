import {
  assertSupported,
  BusError,
  type Claim,
  type Context,
  checkCount,
  checkDuration,
  checkLease,
  checkSignal,
  decodeTuple,
  encodeTemplate,
  encodeTuple,
  type FieldOf,
  type Lease,
  type Match,
  type SpaceEvent,
  type SpaceOps,
  type Subscription,
  type Template,
  type Transaction,
  type Tuple,
  type TupleSpace,
  type Tuples,
  type Wait,
} from "@quadrant/contract";
import { Evaluation } from "./evaluation.ts";
import { HeldClaim } from "./held-claim.ts";
import { StoredLease } from "./stored-lease.ts";
import { Waits } from "./waits.ts";

const defaultClaimMs = 30_000;

/** Throws "invalid" unless it is undefined or an object. */
export function checkOptions(options: unknown): void {
  if (options !== undefined && (typeof options !== "object" || options === null)) {
    throw new BusError("invalid", "options: give an object");
  }
}

/** The user's view of one space of the driver: values in, values out, each a copy. */
export class Space implements TupleSpace {
  readonly name: string;
  readonly #context: Context;
  readonly #tuples: Tuples;
  readonly #waits: Waits;

  constructor(context: Context, tuples: Tuples, name: string) {
    this.name = name;
    this.#context = context;
    this.#tuples = tuples;
    this.#waits = Waits.of(context);
  }

  // ------------------------------------------------------------ putting out

  async out<const T>(
    tuple: T & FieldOf<T>,
    options?: Wait & { readonly leaseMs?: number | undefined },
  ): Promise<Lease> {
    this.#context.assertOpen();
    const text = this.#text(encodeTuple(tuple));
    this.#checkWait(options, "out");
    const leaseMs = this.#leaseMs(options?.leaseMs);
    const sentAt = performance.now();
    const wait = { timeoutMs: options?.timeoutMs, signal: options?.signal };
    const granted = await this.#tuples.out(this.name, text, leaseMs, wait);
    return new StoredLease(this.#context, this.#tuples, this.name, granted, sentAt);
  }

  async outMany(tuples: readonly Tuple[], options?: { readonly leaseMs?: number | undefined }): Promise<void> {
    this.#context.assertOpen();
    checkOptions(options);
    if (!Array.isArray(tuples)) throw this.#invalid("outMany(tuples): give an array of tuples");
    const leaseMs = this.#leaseMs(options?.leaseMs);
    let size = 0;
    const texts = tuples.map((tuple) => {
      const text = this.#text(encodeTuple(tuple));
      size += text.length;
      return text;
    });
    // All or none is one request, so it is bounded as one.
    this.#checkSize(size);
    if (texts.length > 0) await this.#tuples.outMany(this.name, texts, leaseMs);
  }

  async eval(work: (signal: AbortSignal) => Tuple | Promise<Tuple>): Promise<{ readonly done: Promise<Tuple> }> {
    this.#context.assertIntake();
    if (typeof work !== "function") throw this.#invalid("eval(work): give a function that returns a tuple");
    const { done } = new Evaluation(
      this.#context,
      work,
      (text) => this.#checkSize(text.length),
      async (text) => {
        this.#context.assertOpen();
        await this.#tuples.out(this.name, text, undefined, {});
      },
    );
    return { done };
  }

  // ------------------------------------------------------------ taking and reading

  async in<const P extends Template>(template: P, options?: Wait): Promise<Match<P>> {
    return this.#blocking<P>(template, options, "in", (text, wait) => this.#tuples.take(this.name, text, wait));
  }

  async rd<const P extends Template>(template: P, options?: Wait): Promise<Match<P>> {
    return this.#blocking<P>(template, options, "rd", (text, wait) => this.#tuples.read(this.name, text, wait));
  }

  async inp<const P extends Template>(template: P): Promise<Match<P> | undefined> {
    this.#context.assertOpen();
    const text = await this.#tuples.takeNow(this.name, this.#template(template));
    return text === undefined ? undefined : this.#match<P>(text);
  }

  async rdp<const P extends Template>(template: P): Promise<Match<P> | undefined> {
    this.#context.assertOpen();
    const text = await this.#tuples.readNow(this.name, this.#template(template));
    return text === undefined ? undefined : this.#match<P>(text);
  }

  async inMany<const P extends Template>(template: P, options: { readonly max: number }): Promise<readonly Match<P>[]> {
    this.#context.assertOpen();
    checkOptions(options);
    if (options?.max === undefined) throw this.#invalid("inMany(template, { max }): say how many at most");
    checkCount("max", options.max);
    const texts = await this.#tuples.takeMany(this.name, this.#template(template), options.max);
    return texts.map((text) => this.#match<P>(text));
  }

  async rdAll<const P extends Template>(template: P): Promise<readonly Match<P>[]> {
    this.#context.assertOpen();
    const texts = await this.#tuples.readAll(this.name, this.#template(template));
    return texts.map((text) => this.#match<P>(text));
  }

  async count(template: Template): Promise<number> {
    this.#context.assertOpen();
    return this.#tuples.count(this.name, this.#template(template));
  }

  async claim<const P extends Template>(
    template: P,
    options?: Wait & { readonly leaseMs?: number | undefined },
  ): Promise<Claim<Match<P>>> {
    this.#context.assertIntake();
    assertSupported(this.#context.driver, "space.claim");
    const text = this.#template(template);
    this.#checkWait(options, "claim");
    checkLease("leaseMs", options?.leaseMs);
    const leaseMs = options?.leaseMs ?? defaultClaimMs;
    const claimed = await this.#waits.run(options?.signal, (signal) =>
      this.#tuples.claim(this.name, text, leaseMs, { timeoutMs: options?.timeoutMs, signal }),
    );
    const origin = { context: this.#context, tuples: this.#tuples, space: this.name };
    return new HeldClaim(origin, this.#match<P>(claimed.tuple), claimed.token, leaseMs);
  }

  async destroy(): Promise<void> {
    this.#context.assertOpen();
    await this.#tuples.destroy(this.name);
  }

  // ------------------------------------------------------------ in a later release

  inAll<const P extends readonly Template[]>(): Promise<{ readonly [K in keyof P]: Match<P[K]> }> {
    return this.#refuse("inAll");
  }

  collect(): Promise<number> {
    return this.#refuse("collect");
  }

  copyCollect(): Promise<number> {
    return this.#refuse("copyCollect");
  }

  watch<const P extends Template>(): Promise<Subscription<SpaceEvent<Match<P>>>> {
    return this.#refuse("watch");
  }

  transaction(): Promise<Transaction & SpaceOps> {
    return this.#refuse("transaction");
  }

  explain(): Promise<{ readonly index: string; readonly candidates: number }> {
    return this.#refuse("explain");
  }

  async #refuse(what: string): Promise<never> {
    this.#context.assertOpen();
    throw new BusError("unsupported", `${what} of a space is not in this release, on any driver`, {
      driver: this.#context.driver.name,
    });
  }

  // ------------------------------------------------------------ checks and texts

  async #blocking<P>(
    template: Template,
    options: Wait | undefined,
    what: string,
    operation: (text: string, wait: Wait) => Promise<string>,
  ): Promise<Match<P>> {
    this.#context.assertIntake();
    const text = this.#template(template);
    this.#checkWait(options, what);
    const timeoutMs = options?.timeoutMs;
    return this.#match<P>(await this.#waits.run(options?.signal, (signal) => operation(text, { timeoutMs, signal })));
  }

  #match<P>(text: string): Match<P> {
    return decodeTuple(text) as Match<P>;
  }

  #template(template: Template): string {
    return this.#text(encodeTemplate(template));
  }

  #text(text: string): string {
    this.#checkSize(text.length > this.#context.bodies.maxPayloadBytes / 3 ? Buffer.byteLength(text) : 0);
    return text;
  }

  #checkSize(size: number): void {
    const { maxPayloadBytes } = this.#context.bodies;
    if (size <= maxPayloadBytes) return;
    throw new BusError("too-large", `${size} bytes of tuples: at most ${maxPayloadBytes} (maxPayloadBytes)`, {
      driver: this.#context.driver.name,
    });
  }

  #checkWait(options: Wait | undefined, what: string): void {
    checkOptions(options);
    checkDuration("timeoutMs", options?.timeoutMs);
    checkSignal(options?.signal, `${what} in space ${JSON.stringify(this.name)}`);
  }

  /** The lease to ask for; undefined for none. */
  #leaseMs(leaseMs: number | undefined): number | undefined {
    if (leaseMs === undefined) return undefined;
    checkDuration("leaseMs", leaseMs);
    assertSupported(this.#context.driver, "space.leases");
    return leaseMs === Number.POSITIVE_INFINITY ? undefined : leaseMs;
  }

  #invalid(message: string): BusError {
    return new BusError("invalid", message, { driver: this.#context.driver.name });
  }
}
