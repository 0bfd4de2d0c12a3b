import type { Headers } from "./headers.ts";
import type { Message, Subscription } from "./message.ts";
import type { StandardSchema } from "./schema.ts";

export interface MailboxOptions<T> {
  /** How long a letter stays held by a receiver that has died: the price of a crash. Default 30 000. */
  readonly leaseMs?: number | undefined;
  /** After this many attempts a letter goes to the dead letters. Default 5. */
  readonly maxAttempts?: number | undefined;
  /** `send` rejects with "overflow" beyond this many waiting letters. Default: unbounded. */
  readonly capacity?: number | undefined;
  /** A letter that cannot be decoded, or fails the schema, goes to the dead letters. */
  readonly schema?: StandardSchema<T> | undefined;
}

export interface SendOptions {
  readonly headers?: Headers | undefined;
  /** Not delivered before this long. Survives restarts of broker and sender. */
  readonly delayMs?: number | undefined;
  /** Not delivered after this long. */
  readonly ttlMs?: number | undefined;
  /** An id given again within two minutes sends nothing. Without one, a fresh UUIDv7, which guards the driver's own retries only. */
  readonly id?: string | undefined;
  /** Letters of one key are handled one at a time, in order, also across retries; different keys in parallel. */
  readonly key?: string | undefined;
}

export interface ReceiveOptions {
  /** Shorter than the mailbox's, for this receiver. Runs from when the iterator hands the letter over; letters that still wait here are kept alive. */
  readonly leaseMs?: number | undefined;
  /** The lease is renewed while this process is alive. Default true. When false, nothing is fetched ahead of the iterator. */
  readonly autoExtend?: boolean | undefined;
  /** How many letters this receiver holds at once. Default 16. */
  readonly maxInFlight?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Sent {
  readonly id: string;
  readonly duplicate: boolean;
}

export interface Mailbox<T> {
  readonly address: string;
  /** Resolves once the broker holds the letter, as durably as `bus.support` says. Rejects with "indefinite" when it may or may not. */
  send(data: T, options?: SendOptions): Promise<Sent>;
  /** One send per element, pipelined, in order; resolves when all are held; the error of a partial failure lists in `sent` what was accepted. An `id` is "invalid" here. */
  sendMany(data: readonly T[], options?: Omit<SendOptions, "id">): Promise<readonly Sent[]>;
  receive(options?: ReceiveOptions): Promise<Subscription<Delivery<T>>>;
  /** Receive, run, acknowledge. A handler that throws causes a retry after `backoff(attempt)` ms (default exponential with full jitter), in the end the dead letters. */
  process(
    handler: (letter: Delivery<T>, signal: AbortSignal) => Promise<void> | void,
    options?: ReceiveOptions & {
      readonly concurrency?: number | undefined;
      readonly backoff?: ((attempt: number) => number) | undefined;
    },
  ): Promise<Worker>;
  /** Waiting, held, delayed and dead, now. */
  info(): Promise<{ readonly waiting: number; readonly held: number; readonly delayed: number; readonly dead: number }>;
  /** Looks at the oldest letters that are not yet settled, without taking them. */
  peek(limit?: number): Promise<readonly Letter<T>[]>;
  deadLetters(limit?: number): Promise<readonly DeadLetter<T>[]>;
  /** Moves dead letters back with a fresh attempt count; returns how many. */
  redrive(options?: {
    readonly ids?: readonly string[] | undefined;
    readonly limit?: number | undefined;
  }): Promise<number>;
  purge(): Promise<number>;
  destroy(): Promise<void>;
}

export interface Letter<T> {
  readonly id: string;
  readonly data: T;
  readonly headers: Headers;
  readonly sentAt: Date;
  readonly attempt: number;
}
export interface DeadLetter<T> extends Letter<T> {
  readonly error: { readonly code: string; readonly message: string };
  readonly diedAt: Date;
}

/** A message on loan. The first settlement wins and resolves once the broker has it; one after the lease was lost rejects with "stale" and changes nothing (how sharply, per driver: `support["mailbox.fencing"]`). */
export interface Delivery<T> extends Message<T> {
  readonly id: string;
  /** 1 for the first. Counts crashes too. */
  readonly attempt: number;
  readonly seq?: number | undefined;
  ack(): Promise<void>;
  nak(options?: { readonly delayMs?: number | undefined; readonly error?: Error | undefined }): Promise<void>;
  /** Straight to the dead letters. */
  reject(error?: Error): Promise<void>;
  extend(leaseMs: number): Promise<void>;
  /** Aborts when the lease is lost or the subscription closes. */
  readonly signal: AbortSignal;
}

export interface Worker extends AsyncDisposable {
  readonly processed: number;
  readonly failed: number;
  readonly done: Promise<void>;
  pause(): void;
  resume(): void;
}
