import type { BusError } from "./errors.ts";
import type { Headers } from "./headers.ts";
import type { DeadLetter, Delivery, ReceiveOptions } from "./mailbox.ts";
import type { Message, Subscription } from "./message.ts";
import type { StandardSchema } from "./schema.ts";

/** Options of a log, mailbox or space that exists: those left out stay as they are; those that differ reject with "conflict". */
export interface LogOptions<T> {
  readonly maxAgeMs?: number | undefined;
  readonly maxBytes?: number | undefined;
  readonly maxMessages?: number | undefined;
  readonly schema?: StandardSchema<T> | undefined;
}

export interface Log<T> {
  readonly name: string;
  /** Resolves once stored. An `id` given again within two minutes stores nothing and returns the first sequence. `expectLast` is optimistic concurrency: the subject's last sequence (0 = none), else "conflict". */
  append(
    subject: string,
    data: T,
    options?: {
      readonly headers?: Headers | undefined;
      readonly id?: string | undefined;
      readonly expectLast?: number | undefined;
    },
  ): Promise<{ readonly seq: number; readonly duplicate: boolean }>;
  /** Reads in order, without acknowledgement, from "first" unless told. `to: "end"` stops at what was last when it began; otherwise it follows. */
  read(options?: ReadOptions): AsyncIterable<LogEntry<T>>;
  /** At-least-once: what is not acknowledged within leaseMs comes again, to any member. A durable (one token) resumes where its members left off; a new one begins at `from`, "new" unless told. */
  subscribe(options: DurableOptions<T>): Promise<Subscription<Delivery<T>>>;
  /** What a durable's members rejected, or failed maxAttempts times. */
  deadLetters(durable: string, limit?: number): Promise<readonly DeadLetter<T>[]>;
  redrive(
    durable: string,
    options?: { readonly ids?: readonly string[] | undefined; readonly limit?: number | undefined },
  ): Promise<number>;
  last(subject: string): Promise<LogEntry<T> | undefined>;
  info(): Promise<{ readonly first: number; readonly last: number; readonly count: number; readonly bytes: number }>;
  destroy(): Promise<void>;
}

export type Start = "first" | "new" | { readonly seq: number } | { readonly time: Date };
export interface ReadOptions {
  readonly from?: Start | undefined;
  readonly filter?: string | undefined;
  readonly to?: "end" | undefined;
  readonly signal?: AbortSignal | undefined;
}
// biome-ignore lint/correctness/noUnusedVariables: the type of a log's entries, part of the public shape
export interface DurableOptions<T> extends ReceiveOptions {
  readonly durable: string;
  readonly from?: Start | undefined;
  readonly filter?: string | undefined;
  /** Fixed when the durable is made. Default 30 000. */
  readonly leaseMs?: number | undefined;
  readonly maxAttempts?: number | undefined;
  readonly invalid?: ((message: Message<unknown>, error: BusError) => void) | undefined;
}
export interface LogEntry<T> extends Message<T> {
  readonly seq: number;
  readonly time: Date;
  readonly id?: string | undefined;
}
