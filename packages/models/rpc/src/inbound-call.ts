import {
  type Bodies,
  BusError,
  type CallContext,
  type CallControl,
  type InboundCall as DriverCall,
  type Headers,
  inTraceOf,
  isBusError,
  type ReplyFrame,
} from "@quadrant/contract";
import { inCall } from "./call-scope.ts";
import { Deadline } from "./deadline.ts";
import { decodeArguments, encodeValue, failureFrame, refusalFrame } from "./frame.ts";
import type { Method } from "./method.ts";

const lastDate = 8.64e15;

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  if (typeof value !== "object" || value === null || !(Symbol.asyncIterator in value)) return false;
  // The result of a call to another server can be awaited or iterated: a method that returns it passes on its value.
  return !("then" in value);
}

/** What a `function*` returns: as a value it would be carried as {}. */
function isGenerator(value: unknown): boolean {
  return typeof value === "object" && value !== null && Symbol.iterator in value && "next" in value && "throw" in value;
}

/** The answer to a refusal by the codec: its code is the caller's to see. */
function encodingRefusal(error: unknown): ReplyFrame {
  if (isBusError(error)) return refusalFrame(error.code, error.message);
  return refusalFrame("codec", `the result cannot be carried: ${String(error)}`);
}

/** What a method sees of its call. */
class Scope implements CallContext {
  readonly address: string;
  readonly method: string;
  readonly headers: Headers;
  readonly #call: InboundCall;

  constructor(call: InboundCall, address: string, headers: Headers) {
    this.#call = call;
    this.address = address;
    this.method = call.method;
    this.headers = headers;
  }

  get signal(): AbortSignal {
    return this.#call.signal;
  }

  /** Of a stream: when the next item is due. */
  get deadline(): Date {
    return this.#call.deadline;
  }
}

/** A call that arrived: waits, runs, and answers, unless its caller has gone. */
export class InboundCall implements CallControl {
  readonly #call: DriverCall;
  readonly #bodies: Bodies;
  readonly #address: string;
  readonly #deadline: Deadline;
  /** By the clock that nobody sets. */
  #dueAt: number;
  #controller: AbortController | undefined;
  #reason: BusError | undefined;
  /** Whether the driver knows that the call has ended: by its last frame, a refusal, or the caller's leaving. */
  #over = false;
  #credit: number;
  #iterator: AsyncIterator<unknown> | undefined;
  #wake: (() => void) | undefined;
  /** Called when the caller leaves before the call was started. */
  onLeave: (() => void) | undefined;

  constructor(call: DriverCall, bodies: Bodies, address: string) {
    this.#call = call;
    this.#bodies = bodies;
    this.#address = address;
    this.#credit = call.request.credit;
    this.#dueAt = performance.now() + call.request.timeoutMs;
    this.#deadline = new Deadline(call.request.timeoutMs, () => this.#expire());
    call.onControl(this);
  }

  get method(): string {
    return this.#call.request.method;
  }

  /** Whether there is nobody left who waits for the answer. */
  get pointless(): boolean {
    return this.#over || performance.now() >= this.#dueAt;
  }

  // ------------------------------------------------------------ from the caller

  credit(items: number): void {
    if (Number.isSafeInteger(items) && items > 0) this.#credit += items;
    this.#wake?.();
  }

  cancel(): void {
    this.#over = true;
    this.onLeave?.();
    this.#stop(new BusError("aborted", "the caller gave up"));
  }

  // ------------------------------------------------------------ from the server

  /** Answers without running; `code` is what the caller gets. */
  refuse(code: "invalid" | "overflow" | "timeout", message: string): void {
    this.#last(refusalFrame(code, message));
  }

  /** Hands the call back: it goes to another server. */
  handBack(): void {
    if (this.#over) return;
    this.#over = true;
    this.#call.refuse();
  }

  /** The server ends before the method has: the caller learns it now. */
  abandon(): void {
    this.#last(refusalFrame("indefinite", "the server closed while the method ran; it may or may not have finished"));
    this.#stop(new BusError("closed", "the server has closed"));
  }

  /** Runs the method to its end. Never rejects; tells whether it succeeded. */
  async run(method: Method, service: object): Promise<boolean> {
    const headers = { ...this.#call.request.headers };
    let args: readonly unknown[];
    try {
      args = decodeArguments(this.#bodies, this.#call.request);
    } catch (error) {
      this.#last(encodingRefusal(error));
      return false;
    }
    this.#deadline.start();
    try {
      return await inCall(new Scope(this, this.#address, headers), () =>
        inTraceOf(headers, () => this.#execute(method, service, args)),
      );
    } finally {
      this.#deadline.clear();
    }
  }

  get deadline(): Date {
    return new Date(Math.min(Math.ceil(Date.now() + this.#dueAt - performance.now()), lastDate));
  }

  /** Made when it is first asked for: most methods never do. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  async #execute(method: Method, service: object, args: readonly unknown[]): Promise<boolean> {
    let result: unknown;
    try {
      result = method.apply(service, args as unknown[]);
      if (isAsyncIterable(result)) return await this.#stream(result);
      result = await result;
    } catch (error) {
      this.#last(failureFrame(error));
      return false;
    }
    if (isAsyncIterable(result) || isGenerator(result)) {
      this.#last(
        refusalFrame(
          "codec",
          "a method that streams is an `async *` method, or returns its AsyncIterable, not a promise of it",
        ),
      );
      return false;
    }
    return this.#answer("value", result);
  }

  // ------------------------------------------------------------ answers

  /** Sends a value or item; what cannot be encoded ends the call. */
  #answer(kind: "value" | "item", value: unknown): boolean {
    if (this.#over) return true;
    let frame: ReplyFrame;
    try {
      frame = { kind, ...encodeValue(this.#bodies, value) };
    } catch (error) {
      this.#last(encodingRefusal(error));
      return false;
    }
    if (kind === "value") this.#last(frame);
    else this.#call.reply(frame);
    return true;
  }

  #last(frame: ReplyFrame): void {
    if (this.#over) return;
    this.#over = true;
    this.#call.reply(frame);
  }

  async #stream(source: AsyncIterable<unknown>): Promise<boolean> {
    const iterator = source[Symbol.asyncIterator]();
    this.#iterator = iterator;
    while (true) {
      // Paused for the caller, not for the generator: no deadline runs.
      this.#deadline.stop();
      while (this.#credit === 0 && !this.#over) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
      if (this.#over) break;
      this.#dueAt = performance.now() + this.#call.request.timeoutMs;
      this.#deadline.start();
      const { value, done } = await iterator.next();
      if (done === true) {
        this.#last({ kind: "end", contentType: "", body: new Uint8Array(0) });
        return true;
      }
      this.#credit--;
      if (!this.#answer("item", value)) break;
    }
    await iterator.return?.();
    return false;
  }

  // ------------------------------------------------------------ the caller is gone

  #expire(): void {
    this.#last(refusalFrame("timeout", "the deadline passed on the server"));
    this.#stop(new BusError("timeout", "the caller's deadline has passed"));
  }

  /** Tells the method, and a generator that waits for credit or for a source of its own. */
  #stop(reason: BusError): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#deadline.clear();
    this.#controller?.abort(reason);
    this.#wake?.();
    // An async generator takes this up at its next yield; other iterators may end a pending `next` at once.
    void Promise.resolve(this.#iterator?.return?.()).catch(() => undefined);
  }
}
