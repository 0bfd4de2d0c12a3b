import {
  BusError,
  type Context,
  checkCount,
  checkLease,
  checkSchema,
  checkSignal,
  type Delivery,
  type LoanOptions,
  type LoanSource,
  type ReceiveLeased,
  type Subscription,
  type Worker,
} from "@quadrant/contract";
import { defaultMaxInFlight, Receiver } from "./receiver.ts";
import { LetterWorker } from "./worker.ts";

/** Throws "invalid" or "aborted". */
function checkReceive(source: LoanSource, options: LoanOptions<unknown>): void {
  checkLease("leaseMs", options.leaseMs);
  if (options.autoExtend !== undefined && typeof options.autoExtend !== "boolean")
    throw new BusError("invalid", "autoExtend: true or false");
  if (options.invalid !== undefined && typeof options.invalid !== "function")
    throw new BusError("invalid", "invalid: give a function");
  checkCount("maxInFlight", options.maxInFlight);
  checkSchema(options.schema);
  checkSignal(options.signal, `receiving from ${source.what}`);
}

/** Receives letters on loan from a mailbox or a durable: fetched ahead, kept alive, settled together. */
export const receiveLeased: ReceiveLeased = <T>(
  context: Context,
  source: LoanSource,
  options: LoanOptions<T>,
): Subscription<Delivery<T>> => {
  context.assertIntake();
  checkReceive(source, options);
  const receiver = new Receiver(context, source, options);
  const untrack = context.track(receiver);
  void receiver.whenClosed.then(untrack);
  return receiver.feed;
};

export type Handler<T> = (letter: Delivery<T>, signal: AbortSignal) => Promise<void> | void;

export interface ProcessOptions<T> extends LoanOptions<T> {
  readonly concurrency?: number | undefined;
  readonly backoff?: ((attempt: number) => number) | undefined;
}

/** Receives, runs the handler, settles by how it ended. Throws "invalid" and "aborted" at once. */
export function processLeased<T>(
  context: Context,
  source: LoanSource,
  handler: Handler<T>,
  options: ProcessOptions<T>,
): Worker {
  context.assertIntake();
  if (typeof handler !== "function") throw new BusError("invalid", "handler: give a function");
  const { concurrency = 1, backoff, maxInFlight = defaultMaxInFlight } = options;
  checkCount("concurrency", concurrency);
  if (backoff !== undefined && typeof backoff !== "function")
    throw new BusError("invalid", "backoff: give a function from the attempt to milliseconds");
  checkReceive(source, options);
  const receiver = new Receiver(context, source, { ...options, maxInFlight: Math.max(maxInFlight, concurrency) });
  return new LetterWorker(context, receiver, { handler, concurrency, backoff });
}
