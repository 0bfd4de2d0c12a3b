import type { Context } from "./context.ts";
import type { FetchRequest, Leased, LocalQueue, Settled, Settlement } from "./driver.ts";
import type { BusError } from "./errors.ts";
import type { Delivery, ReceiveOptions } from "./mailbox.ts";
import type { Message, Subscription } from "./message.ts";
import type { StandardSchema } from "./schema.ts";

/** Where letters on loan come from: a mailbox, or a durable of a log. */
export interface LoanSource {
  /** For messages: `mailbox "jobs"`, `durable "billing" of log "orders"`. */
  readonly what: string;
  /** The lease that the mailbox or durable was made with. */
  readonly leaseMs: number;
  fetch(request: FetchRequest): Promise<readonly Leased[]>;
  /** One result a settlement, in order. */
  settle(settlements: readonly Settlement[]): Promise<readonly Settled[]>;
  /** Of a mailbox in this process: letters are settled there one by one. */
  readonly local?: Pick<LocalQueue, "acknowledge" | "settle" | "stable" | "turn"> | undefined;
}

export interface LoanOptions<T> extends ReceiveOptions {
  readonly schema?: StandardSchema<T> | undefined;
  /** Is told of what could not be decoded ("codec"; `data` is the bytes) or failed the schema ("invalid"), on its way to the dead letters. */
  readonly invalid?: ((message: Message<unknown>, error: BusError) => void) | undefined;
}

/**
 * Receives letters on loan: fetched ahead, kept alive, settled together. Implemented by the mailbox model and handed to
 * the log, whose durables are received alike. Throws "invalid" and "aborted" at once.
 */
export type ReceiveLeased = <T>(
  context: Context,
  source: LoanSource,
  options: LoanOptions<T>,
) => Subscription<Delivery<T>>;
