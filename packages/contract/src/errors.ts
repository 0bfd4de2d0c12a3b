import type { Sent } from "./mailbox.ts";

/** Why an operation did not do what was asked. The texts beside the codes are what a user is to understand by them. */
export type BusErrorCode =
  /** used after close */
  | "closed"
  /** a bad argument: nothing was sent */
  | "invalid"
  /** nobody answers */
  | "unavailable"
  /** refused by the broker's authorisation */
  | "denied"
  /** this driver or server cannot */
  | "unsupported"
  /** nobody serves that address (at once, not after a timeout) */
  | "no-responder"
  /** timeoutMs passed */
  | "timeout"
  /** the signal was aborted */
  | "aborted"
  /** a bound was reached */
  | "overflow"
  /** over the payload limit */
  | "too-large"
  /** sent, outcome unknown: it may or may not have happened */
  | "indefinite"
  /** the lease was lost before settling */
  | "stale"
  /** an expectation, option or transaction did not hold */
  | "conflict"
  /** what was asked for is no longer held */
  | "gap"
  /** the value cannot be carried, or the bytes not read */
  | "codec"
  /** the far side threw: its name, message and own code are in `remote` */
  | "remote";

export const busErrorCodes: readonly BusErrorCode[] = [
  "closed",
  "invalid",
  "unavailable",
  "denied",
  "unsupported",
  "no-responder",
  "timeout",
  "aborted",
  "overflow",
  "too-large",
  "indefinite",
  "stale",
  "conflict",
  "gap",
  "codec",
  "remote",
];

/** What a thrown error of the far side looked like. */
export interface RemoteFailure {
  readonly name: string;
  readonly message: string;
  readonly code?: string | undefined;
}

export interface BusErrorDetail {
  readonly driver?: string | undefined;
  readonly cause?: unknown;
  readonly remote?: RemoteFailure | undefined;
  readonly sent?: readonly Sent[] | undefined;
}

const retryableCodes: ReadonlySet<BusErrorCode> = new Set([
  "unavailable",
  "no-responder",
  "timeout",
  "overflow",
  "indefinite",
]);

/** Every rejection of Quadrant. Branch on `code`; `message` says what to do about it; `cause` is what lay below. */
export class BusError extends Error {
  override readonly name = "BusError";
  readonly code: BusErrorCode;
  /** Whether the same call may succeed later. */
  readonly retryable: boolean;
  /** The driver it happened on, or "bus" where no driver was reached. */
  readonly driver: string;
  /** With code "remote": what the far side threw. */
  readonly remote?: RemoteFailure | undefined;
  /** With a `sendMany` that failed part-way: what was accepted. */
  readonly sent?: readonly Sent[] | undefined;

  constructor(code: BusErrorCode, message: string, detail: BusErrorDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.code = code;
    this.retryable = retryableCodes.has(code);
    this.driver = detail.driver ?? "bus";
    this.remote = detail.remote;
    this.sent = detail.sent;
  }
}

export function isBusError(value: unknown, code?: BusErrorCode): value is BusError {
  return value instanceof BusError && (code === undefined || value.code === code);
}

/** An abort signal's error, as "aborted". */
export function abortedError(signal: AbortSignal, what: string, driver?: string): BusError {
  return new BusError("aborted", `${what} was aborted by its signal`, { cause: signal.reason, driver });
}
