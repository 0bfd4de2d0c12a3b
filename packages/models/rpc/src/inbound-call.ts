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
import type { InCall } from "./call-scope.ts";
import { Deadline, type Due } from "./deadline.ts";
import type { Deadlines } from "./deadlines.ts";
import { AnswerFrame, decodeArguments, encodeValue, failureFrame, refusalFrame } from "./frame.ts";
import type { Method } from "./method.ts";

const lastDate = 8.64e15;

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  if (typeof value !== "object" || value === null || !(Symbol.asyncIterator in value)) return false;
  // The result of a call to another server can be awaited or iterated: a method that returns it passes on its value.
  return !("then" in value);
}

/** Whether there is something to wait for. */
function isThenable(value: unknown): boolean {
  return ((typeof value === "object" && value !== null) || typeof value === "function") && "then" in value;
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
  readonly #call: InboundCall;
  #headers: Headers | undefined;

  constructor(call: InboundCall, address: string) {
    this.#call = call;
    this.address = address;
    this.method = call.method;
  }

  /** The method's own: what it does with them is nobody else's concern. */
  get headers(): Headers {
    this.#headers ??= { ...this.#call.headers };
    return this.#headers;
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
export class InboundCall implements CallControl, Due {
  readonly #call: DriverCall;
  readonly #bodies: Bodies;
  readonly #address: string;
  readonly #deadlines: Deadlines;
  /** Of one that goes on after the turn in which it was started. */
  #deadline: Deadline | undefined;
  /** By the clock that nobody sets. */
  #dueAt: number;
  #controller: AbortController | undefined;
  #reason: BusError | undefined;
  /** Whether the driver knows that the call has ended: by its last frame, a refusal, or the caller's leaving. */
  #over = false;
  #credit: number;
  #iterator: AsyncIterator<unknown> | undefined;
  #wake: (() => void) | undefined;
  seat: number | undefined = undefined;
  /** Called when the caller leaves before the call was started. */
  onLeave: (() => void) | undefined;

  constructor(call: DriverCall, bodies: Bodies, address: string, deadlines: Deadlines) {
    this.#call = call;
    this.#bodies = bodies;
    this.#address = address;
    this.#credit = call.request.credit;
    this.#dueAt = performance.now() + call.request.timeoutMs;
    this.#deadlines = deadlines;
    call.onControl(this);
  }

  get method(): string {
    return this.#call.request.method;
  }

  get headers(): Headers {
    return this.#call.request.headers;
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

  /** Runs the method to its end: undefined where that is reached at once. Never throws nor rejects. */
  run(method: Method, service: object, inCall: InCall): Promise<void> | undefined {
    let args: readonly unknown[];
    try {
      args = decodeArguments(this.#bodies, this.#call.request);
    } catch (error) {
      this.#last(encodingRefusal(error));
      return undefined;
    }
    return inCall(new Scope(this, this.#address), () =>
      inTraceOf(this.headers, () => this.#execute(method, service, args)),
    );
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

  #execute(method: Method, service: object, args: readonly unknown[]): Promise<void> | undefined {
    try {
      const result: unknown = method.apply(service, args as unknown[]);
      if (isAsyncIterable(result) || isThenable(result)) return this.#goOn(result);
      this.#result(result);
    } catch (error) {
      this.#last(failureFrame(error));
    }
    return undefined;
  }

  async #goOn(result: unknown): Promise<void> {
    try {
      if (isAsyncIterable(result)) await this.#stream(result);
      else {
        this.#startDeadline();
        this.#result(await result);
      }
    } catch (error) {
      this.#last(failureFrame(error));
    } finally {
      this.#deadline?.stop();
    }
  }

  #startDeadline(): void {
    if (this.#over) return;
    this.#deadline ??= new Deadline(this.#deadlines, this.#call.request.timeoutMs, this);
    this.#deadline.start();
  }

  #result(result: unknown): void {
    if (!isAsyncIterable(result) && !isGenerator(result)) this.#answer("value", result);
    else {
      const message = "a method that streams is an `async *` method, or returns its AsyncIterable, not a promise of it";
      this.#last(refusalFrame("codec", message));
    }
  }

  // ------------------------------------------------------------ answers

  /** Sends a value or item; what cannot be encoded ends the call. */
  #answer(kind: "value" | "item", value: unknown): boolean {
    if (this.#over) return true;
    let frame: ReplyFrame;
    try {
      frame = new AnswerFrame(kind, encodeValue(this.#bodies, value));
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

  async #stream(source: AsyncIterable<unknown>): Promise<void> {
    const iterator = source[Symbol.asyncIterator]();
    this.#iterator = iterator;
    while (true) {
      // Paused for the caller, not for the generator: no deadline runs.
      this.#deadline?.stop();
      while (this.#credit === 0 && !this.#over) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
      if (this.#over) break;
      this.#dueAt = performance.now() + this.#call.request.timeoutMs;
      this.#startDeadline();
      const { value, done } = await iterator.next();
      if (done === true) {
        this.#last({ kind: "end", contentType: "", body: new Uint8Array(0) });
        return;
      }
      this.#credit--;
      if (!this.#answer("item", value)) break;
    }
    await iterator.return?.();
  }

  // ------------------------------------------------------------ the caller is gone

  /** Called by its deadline. */
  expired(): void {
    this.#last(refusalFrame("timeout", "the deadline passed on the server"));
    this.#stop(new BusError("timeout", "the caller's deadline has passed"));
  }

  /** Tells the method, and a generator that waits for credit or for a source of its own. */
  #stop(reason: BusError): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#deadline?.stop();
    this.#controller?.abort(reason);
    this.#wake?.();
    // An async generator takes this up at its next yield; other iterators may end a pending `next` at once.
    void Promise.resolve(this.#iterator?.return?.()).catch(() => undefined);
  }
}
