import type { BusError } from "./errors.ts";
import type { Headers } from "./headers.ts";
import type { StandardSchema } from "./schema.ts";

export interface PublishOptions {
  readonly headers?: Headers | undefined;
}

export interface SubscribeOptions<T> {
  /** Members of one group share the messages, each to exactly one of them. One token. */
  readonly group?: string | undefined;
  /** How many undelivered messages are held for this subscription. Default 1 024. */
  readonly buffer?: number | undefined;
  /** What happens when the buffer is full. Default "drop-oldest". Drops are counted, never silent. "error" ends the subscription with "overflow". */
  readonly overflow?: "drop-oldest" | "drop-newest" | "error" | undefined;
  /** Any Standard Schema (zod, valibot, arktype). */
  readonly schema?: StandardSchema<T> | undefined;
  /** Gets what could not be decoded ("codec"; `data` is the bytes) or failed the schema ("invalid"); the iterator goes on. */
  readonly invalid?: ((message: Message<unknown>, error: BusError) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Message<T> {
  /** For a letter: the mailbox's address. */
  readonly subject: string;
  readonly data: T;
  readonly headers: Headers;
}

/** Iterate once. Leaving the loop, disposing, or aborting the signal ends it and unsubscribes. */
export interface Subscription<M> extends AsyncIterable<M>, AsyncDisposable {
  /** Messages lost to this subscription so far: dropped here, or known by their sequence to be lost on the way. */
  readonly dropped: number;
}
