import {
  abortedError,
  BusError,
  type Context,
  type Drainable,
  type OutboundCall as DriverCall,
  isBusError,
  type ReplyFrame,
  type ReplySink,
  withTrace,
} from "@quadrant/contract";
import type { CallSettings } from "./call-options.ts";
import { Deadline, type Due } from "./deadline.ts";
import { Deadlines } from "./deadlines.ts";
import { decodeValue, encodeArguments, errorOfFrame, streamWindow } from "./frame.ts";
import { inFlightOf, maxInFlight } from "./in-flight.ts";
import { checkMethodName } from "./method.ts";
import { OutgoingRequest } from "./outgoing-request.ts";

type Taker = Pick<PromiseWithResolvers<IteratorResult<unknown, undefined>>, "resolve" | "reject">;

/** How a call ended: with a value (its frame), as a stream, or with an error. */
type Outcome = { readonly value: ReplyFrame } | { readonly error: BusError } | "end";

/**
 * A call on its way. Whether it is awaited or iterated is its caller's choice, made after it was sent: so it asks for a
 * stream's first items at once, keeps them, and lets the frames decide what was called.
 */
export class OutboundCall implements ReplySink, Drainable, Due {
  readonly #context: Context;
  readonly #address: string;
  readonly #method: string;
  readonly #timeoutMs: number;
  readonly #signal: AbortSignal | undefined;
  readonly #deadline: Deadline;
  readonly #inFlight: { calls: number };
  readonly #untrack: (() => void) | undefined;
  #onAbort: (() => void) | undefined;
  #driverCall: DriverCall | undefined;
  #cancelled = false;
  #use: "undecided" | "awaited" | "iterated" = "undecided";
  #streams = false;
  /** Lists are made when there is something for them: most calls have none. */
  #items: ReplyFrame[] | undefined;
  /** Items that the server may still send. */
  #credit = streamWindow;
  /** Items taken since credit was last granted. */
  #taken = 0;
  #takers: Taker[] | undefined;
  #outcome: Outcome | undefined;
  /** Whether the iterator has been told how it ended. */
  #told = false;
  #settle: Taker | undefined;
  #promise: Promise<unknown> | undefined;
  #onEnd: (() => void)[] | undefined;

  constructor(context: Context, address: string, method: string, args: readonly unknown[], settings: CallSettings) {
    const timeoutMs = settings.timeoutMs ?? context.requestTimeoutMs;
    this.#context = context;
    this.#inFlight = inFlightOf(context);
    this.#address = address;
    this.#method = method;
    this.#timeoutMs = timeoutMs;
    this.#signal = settings.signal;
    this.#deadline = new Deadline(Deadlines.of(context), timeoutMs, this);
    try {
      context.assertOpen();
      checkMethodName(method);
      const calls = context.driver.calls;
      if (calls === undefined) throw this.#error("unsupported", `the driver ${context.driver.name} has no calls`);
      if (this.#signal?.aborted) throw abortedError(this.#signal, this.#what, context.driver.name);
      if (this.#inFlight.calls >= maxInFlight) {
        throw this.#error("overflow", `${maxInFlight} calls are unanswered already: await some before you make more`);
      }
      const carried = encodeArguments(context.bodies, args);
      const headers = withTrace(settings.headers);
      this.#untrack = context.track(this);
      this.#inFlight.calls++;
      if (this.#signal !== undefined) {
        this.#onAbort = () => this.#giveUp(abortedError(this.#signal!, this.#what, context.driver.name));
        this.#signal.addEventListener("abort", this.#onAbort, { once: true });
      }
      this.#deadline.start();
      this.#driverCall = calls.call(new OutgoingRequest(address, method, headers, carried, timeoutMs), this);
      // Its first frames may have come before the call to it returned.
      if (this.#cancelled) this.#driverCall.cancel();
    } catch (error) {
      this.#end({ error: this.#asBusError(error) });
    }
  }

  get #what(): string {
    return `${this.#address}.${this.#method}`;
  }

  // ------------------------------------------------------------ from the driver

  reply(frame: ReplyFrame): void {
    if (this.#outcome !== undefined) return;
    if (frame.kind === "item") this.#item(frame);
    else if (frame.kind === "value") this.#end({ value: frame });
    else if (frame.kind === "error") {
      this.#end({ error: errorOfFrame(frame, this.#what, this.#context.driver.name) });
    } else {
      this.#streams = true;
      this.#end("end");
    }
  }

  fail(error: BusError): void {
    this.#end({ error });
  }

  #item(frame: ReplyFrame): void {
    if (this.#credit === 0) {
      this.#giveUp(this.#error("overflow", `${this.#what} sent more items than it was granted; the call is cancelled`));
      return;
    }
    this.#credit--;
    if (this.#use === "awaited") {
      this.#giveUp(this.#streamed());
      return;
    }
    // A stream that nobody iterates has as long to be noticed as an item has to come.
    if (this.#use === "undecided" && !this.#streams) this.#deadline.start();
    this.#streams = true;
    const taker = this.#takers?.shift();
    if (taker === undefined) {
      if (this.#use === "iterated") this.#deadline.stop();
      this.#items ??= [];
      this.#items.push(frame);
      return;
    }
    if (this.#takers!.length > 0) this.#deadline.start();
    else this.#deadline.stop();
    this.#hand(frame, taker);
  }

  // ------------------------------------------------------------ to the caller

  /** The value, for a caller who awaits. One promise, made when it is asked for. */
  settled(): Promise<unknown> {
    if (this.#promise !== undefined) return this.#promise;
    if (this.#use === "undecided") this.#use = "awaited";
    this.#promise = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    if (this.#outcome !== undefined) this.#settlePromise(this.#outcome);
    else if (this.#streams && this.#use === "awaited") this.#giveUp(this.#streamed());
    else if (this.#streams) this.#settle!.reject(this.#streamed());
    return this.#promise;
  }

  /** The items, for a caller who iterates. */
  iterate(): AsyncIterableIterator<unknown, undefined> {
    if (this.#use === "iterated") throw this.#error("invalid", `${this.#what}: a call is iterated once; call again`);
    this.#use = "iterated";
    if (this.#streams) this.#deadline.stop();
    const iterator: AsyncIterableIterator<unknown, undefined> = {
      next: () => this.#next(),
      return: () => {
        this.#leave();
        return Promise.resolve({ value: undefined, done: true });
      },
      [Symbol.asyncIterator]: () => iterator,
    };
    return iterator;
  }

  #next(): Promise<IteratorResult<unknown, undefined>> {
    return new Promise((resolve, reject) => {
      const taker: Taker = { resolve, reject };
      const frame = this.#items?.shift();
      if (frame !== undefined) this.#hand(frame, taker);
      else if (this.#outcome !== undefined) this.#finish(taker);
      else {
        this.#takers ??= [];
        if (this.#takers.length === 0) this.#deadline.start();
        this.#takers.push(taker);
      }
    });
  }

  #hand(frame: ReplyFrame, taker: Taker): void {
    let value: unknown;
    try {
      value = decodeValue(this.#context.bodies, frame);
    } catch (error) {
      taker.reject(this.#asBusError(error));
      this.#leave();
      return;
    }
    taker.resolve({ value, done: false });
    // In halves of the window: the server always has some left while the grant is on its way.
    if (++this.#taken < streamWindow / 2 || this.#outcome !== undefined) return;
    this.#credit += this.#taken;
    this.#driverCall?.credit(this.#taken);
    this.#taken = 0;
  }

  /** Ends an iteration: with the error once, then as done. */
  #finish(taker: Taker): void {
    const outcome = this.#outcome!;
    const told = this.#told;
    this.#told = true;
    if (told || outcome === "end") taker.resolve({ value: undefined, done: true });
    else if ("error" in outcome) taker.reject(outcome.error);
    else taker.reject(this.#error("invalid", `${this.#what} returns a value: await it, do not iterate`));
  }

  /** The caller has left the loop. */
  #leave(): void {
    this.#items = undefined;
    this.#told = true;
    if (this.#outcome !== undefined) return;
    this.#cancel();
    this.#end("end");
  }

  // ------------------------------------------------------------ the end

  async drain(): Promise<void> {
    // A stream that nobody iterates is nobody's work.
    if (this.#streams && this.#use === "undecided") this.abandon();
    if (this.#outcome !== undefined) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onEnd = [...(this.#onEnd ?? []), resolve];
    await promise;
  }

  abandon(): void {
    this.#giveUp(this.#error("closed", `${this.#what}: the bus closed before the call ended`));
  }

  /** Called by its deadline. */
  expired(): void {
    const which = this.#streams ? "no further item within" : "no answer within";
    this.#cancel();
    this.#end({
      error: this.#error("timeout", `${this.#what}: ${which} ${this.#timeoutMs} ms; it may have been executed`),
    });
  }

  /** Ends the call here and now, and tells the server. */
  #giveUp(error: BusError): void {
    if (this.#outcome !== undefined) return;
    this.#items = undefined;
    this.#cancel();
    this.#end({ error });
  }

  #cancel(): void {
    this.#cancelled = true;
    this.#driverCall?.cancel();
  }

  #end(outcome: Outcome): void {
    if (this.#outcome !== undefined) return;
    this.#outcome = outcome;
    this.#deadline.stop();
    if (this.#onAbort !== undefined) this.#signal!.removeEventListener("abort", this.#onAbort);
    if (this.#untrack !== undefined) {
      this.#inFlight.calls--;
      this.#untrack();
    }
    if (this.#settle !== undefined) this.#settlePromise(outcome);
    if (this.#takers !== undefined) for (const taker of this.#takers.splice(0)) this.#finish(taker);
    if (this.#onEnd !== undefined) for (const ended of this.#onEnd.splice(0)) ended();
  }

  #settlePromise(outcome: Outcome): void {
    const { resolve, reject } = this.#settle!;
    if (outcome === "end") reject(this.#streamed());
    else if ("error" in outcome) reject(outcome.error);
    else {
      try {
        resolve(decodeValue(this.#context.bodies, outcome.value) as IteratorResult<unknown, undefined>);
      } catch (error) {
        reject(this.#asBusError(error));
      }
    }
  }

  #streamed(): BusError {
    return this.#error("invalid", `${this.#what} streams: iterate with \`for await\`, do not await`);
  }

  #error(code: "invalid" | "closed" | "timeout" | "overflow" | "unsupported", message: string): BusError {
    return new BusError(code, message, { driver: this.#context.driver.name });
  }

  #asBusError(error: unknown): BusError {
    if (isBusError(error)) return error;
    return new BusError("codec", `${this.#what}: ${String(error)}`, {
      cause: error,
      driver: this.#context.driver.name,
    });
  }
}
