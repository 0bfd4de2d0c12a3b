/** Over 300 lines: every operation of a space, one beside the other. */
import {
  type Answer,
  assertSupported,
  BusError,
  type Claim,
  type Context,
  checkCount,
  checkDuration,
  checkLease,
  checkSignal,
  type DirectTuples,
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
  TemplateParts,
  type Transaction,
  type Tuple,
  type TupleSpace,
  type Tuples,
  type Wait,
} from "@quadrant/contract";
import { directly } from "./directly.ts";
import { Evaluation } from "./evaluation.ts";
import { HeldClaim } from "./held-claim.ts";
import type { Origin } from "./origin.ts";
import { StoredLease } from "./stored-lease.ts";
import { Waits } from "./waits.ts";
import { Watcher } from "./watcher.ts";

const defaultClaimMs = 30_000;
const unlimited: Wait = {};
/** How many tuples `inAll` takes at most. */
const maxTemplates = 64;
/** What a length takes in a text, at most. */
const lengthDigits = 11;

/** Throws "invalid" unless it is undefined or an object. */
export function checkOptions(options: unknown): void {
  if (options !== undefined && (typeof options !== "object" || options === null)) {
    throw new BusError("invalid", "options: give an object");
  }
}

function match<P>(text: string): Match<P> {
  return decodeTuple(text) as Match<P>;
}

function found<P>(answer: Answer<string | undefined>): Promise<Match<P> | undefined> {
  if (answer instanceof Promise) return answer.then((text) => (text === undefined ? undefined : match<P>(text)));
  return Promise.resolve(answer === undefined ? undefined : match<P>(answer));
}

/**
 * The user's view of one space of the driver: values in, values out, each a copy. What is called most is not `async`: an
 * answer that is there at once then takes one promise and no more.
 */
export class Space implements TupleSpace {
  readonly name: string;
  readonly #context: Context;
  readonly #tuples: Tuples;
  readonly #direct: DirectTuples;
  readonly #waits: Waits;
  readonly #origin: Origin;

  constructor(context: Context, tuples: Tuples, name: string) {
    this.name = name;
    this.#context = context;
    this.#tuples = tuples;
    this.#direct = tuples.direct ?? directly(tuples);
    this.#waits = Waits.of(context);
    this.#origin = { context, tuples, space: name };
  }

  // ------------------------------------------------------------ putting out

  out<const T>(tuple: T & FieldOf<T>, options?: Wait & { readonly leaseMs?: number | undefined }): Promise<Lease> {
    try {
      this.#context.assertOpen();
      const text = this.#text(encodeTuple(tuple));
      if (options !== undefined) this.#checkWait(options, "out");
      const leaseMs = this.#leaseMs(options?.leaseMs);
      // One that does not end has no need of the time.
      const sentAt = leaseMs === undefined ? 0 : performance.now();
      const wait = options === undefined ? unlimited : { timeoutMs: options.timeoutMs, signal: options.signal };
      const answer = this.#direct.out(this.name, text, leaseMs, wait);
      if (answer instanceof Promise) return answer.then((granted) => new StoredLease(this.#origin, granted, sentAt));
      return Promise.resolve(new StoredLease(this.#origin, answer, sentAt));
    } catch (error) {
      return Promise.reject(error);
    }
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

  in<const P extends Template>(template: P, options?: Wait): Promise<Match<P>> {
    return this.#blocking<P>(template, options, "in");
  }

  rd<const P extends Template>(template: P, options?: Wait): Promise<Match<P>> {
    return this.#blocking<P>(template, options, "rd");
  }

  inp<const P extends Template>(template: P): Promise<Match<P> | undefined> {
    try {
      this.#context.assertOpen();
      return found<P>(this.#direct.takeNow(this.name, this.#parts(template)));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  rdp<const P extends Template>(template: P): Promise<Match<P> | undefined> {
    try {
      this.#context.assertOpen();
      return found<P>(this.#direct.readNow(this.name, this.#parts(template)));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async inMany<const P extends Template>(template: P, options: { readonly max: number }): Promise<readonly Match<P>[]> {
    this.#context.assertOpen();
    checkOptions(options);
    if (options?.max === undefined) throw this.#invalid("inMany(template, { max }): say how many at most");
    checkCount("max", options.max);
    const texts = await this.#tuples.takeMany(this.name, this.#template(template), options.max);
    return texts.map((text) => match<P>(text));
  }

  async rdAll<const P extends Template>(template: P): Promise<readonly Match<P>[]> {
    this.#context.assertOpen();
    const texts = await this.#tuples.readAll(this.name, this.#template(template));
    return texts.map((text) => match<P>(text));
  }

  async count(template: Template): Promise<number> {
    this.#context.assertOpen();
    return this.#tuples.count(this.name, this.#template(template));
  }

  async inAll<const P extends readonly Template[]>(
    templates: P,
    options?: Wait,
  ): Promise<{ readonly [K in keyof P]: Match<P[K]> }> {
    this.#context.assertIntake();
    assertSupported(this.#context.driver, "space.inAll");
    if (!Array.isArray(templates) || templates.length > maxTemplates)
      throw this.#invalid(`inAll(templates): give an array of at most ${maxTemplates} templates`);
    const texts = templates.map((template: Template) => this.#template(template));
    this.#checkSize(texts.reduce((sum, text) => sum + text.length, 0));
    this.#checkWait(options, "inAll");
    type Matches = { readonly [K in keyof P]: Match<P[K]> };
    if (texts.length === 0) return [] as unknown as Matches;
    const ending = this.#waits.ending(options?.signal);
    const taking = this.#tuples.takeAll!(this.name, texts, ending.within(options?.timeoutMs));
    const taken = await this.#waits.wait(ending, options?.signal, taking);
    return taken.map((text) => match(text)) as unknown as Matches;
  }

  async collect(template: Template, target: TupleSpace): Promise<number> {
    return this.#collect("collect", template, target, false);
  }

  async copyCollect(template: Template, target: TupleSpace): Promise<number> {
    return this.#collect("copyCollect", template, target, true);
  }

  async #collect(what: string, template: Template, target: TupleSpace, keep: boolean): Promise<number> {
    this.#context.assertOpen();
    assertSupported(this.#context.driver, "space.collect");
    if (!(target instanceof Space) || target.#context !== this.#context)
      throw this.#invalid(`${what}(template, target): give a space of the same bus`);
    return this.#tuples.collect!(this.name, this.#template(template), target.name, keep);
  }

  async explain(template: Template): Promise<{ readonly index: string; readonly candidates: number }> {
    this.#context.assertOpen();
    assertSupported(this.#context.driver, "space.explain");
    return this.#tuples.explain!(this.name, this.#template(template));
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
    const ending = this.#waits.ending(options?.signal);
    const claiming = this.#tuples.claim(this.name, text, leaseMs, ending.within(options?.timeoutMs));
    const claimed = await this.#waits.wait(ending, options?.signal, claiming);
    return new HeldClaim(this.#origin, match<P>(claimed.tuple), claimed.token, leaseMs);
  }

  /**
   * A tuple that is put out is an "out", also where it goes straight to who waits, "in" follows; one with leaseMs 0 that nobody
   * takes is "out" and "expire". A claim is an "in" when it takes the tuple and a "return" when the tuple goes back; so is an
   * in whose answer did not arrive. The end of a lease, by time or `cancel`, is an "expire", unless the tuple is claimed: then
   * it just does not come back. Replayed from 0, the events give what is in the space. A watch without `from` begins with what
   * happens once this has resolved, and `from: 0` with the first event there ever was.
   *
   * It goes on across reconnects and restarts. "gap" ends it, or rejects, where what follows is not held any more (`history`,
   * and at most 16 Mi characters of tuples), or the space was made anew or forgotten by its broker. "conflict" where it was
   * destroyed.
   */
  async watch<const P extends Template>(
    template: P,
    options?: { readonly from?: number | undefined; readonly signal?: AbortSignal | undefined },
  ): Promise<Subscription<SpaceEvent<Match<P>>>> {
    this.#context.assertIntake();
    assertSupported(this.#context.driver, "space.watch");
    const text = this.#template(template);
    checkOptions(options);
    const { from, signal } = options ?? {};
    if (from !== undefined) checkCount("from", from, 0);
    if (signal !== undefined) checkSignal(signal, `watch of space ${JSON.stringify(this.name)}`);
    return (await Watcher.open<P>(this.#origin, text, from, signal)).feed;
  }

  async destroy(): Promise<void> {
    this.#context.assertOpen();
    await this.#tuples.destroy(this.name);
  }

  // ------------------------------------------------------------ in a later release

  transaction(): Promise<Transaction & SpaceOps> {
    return this.#refuse("transaction");
  }

  async #refuse(what: string): Promise<never> {
    this.#context.assertOpen();
    throw new BusError("unsupported", `${what} of a space is not in this release, on any driver`, {
      driver: this.#context.driver.name,
    });
  }

  // ------------------------------------------------------------ checks and texts

  #blocking<P>(template: Template, options: Wait | undefined, what: "in" | "rd"): Promise<Match<P>> {
    try {
      this.#context.assertIntake();
      const parts = this.#parts(template);
      if (options !== undefined) this.#checkWait(options, what);
      const ending = this.#waits.ending(options?.signal);
      const wait = ending.within(options?.timeoutMs);
      const answer =
        what === "in" ? this.#direct.take(this.name, parts, wait) : this.#direct.read(this.name, parts, wait);
      if (answer instanceof Promise) return this.#waits.wait(ending, options?.signal, answer).then(match<P>);
      return Promise.resolve(match<P>(answer));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #template(template: Template): string {
    return this.#text(encodeTemplate(template));
  }

  #parts(template: Template): TemplateParts {
    const taken = TemplateParts.of(template);
    const { keys, parts } = taken;
    // No less than its text has; most are so short that it need not be made to see that.
    let length = lengthDigits;
    for (const part of parts) length += part.length + lengthDigits;
    if (keys !== undefined) for (const key of keys) length += key.length + lengthDigits;
    if (length > this.#context.bodies.maxPayloadBytes / 3) this.#text(taken.text);
    return taken;
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
    const signal = options?.signal;
    if (signal !== undefined) checkSignal(signal, `${what} in space ${JSON.stringify(this.name)}`);
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
