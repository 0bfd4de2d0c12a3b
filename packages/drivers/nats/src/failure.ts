import { BusError, type BusErrorCode } from "@quadrant/contract";

export function failed(code: BusErrorCode, message: string, cause?: unknown): BusError {
  return new BusError(code, message, { driver: "nats", cause });
}

export function isJetStreamError(error: unknown, ...codes: readonly number[]): error is JetStreamError {
  return error instanceof JetStreamError && codes.includes(error.errCode);
}

/** An answer of JetStream that says no; what it means for the caller is the caller's to say. */
export class JetStreamError extends Error {
  override readonly name = "JetStreamError";
  readonly code: number;
  readonly errCode: number;

  constructor(code: number, errCode: number, description: string) {
    super(description);
    this.code = code;
    this.errCode = errCode;
  }
}

/** What of JetStream's errors is left where nobody knows better. */
export function asBusError(error: unknown, what: string): BusError {
  if (error instanceof BusError) return error;
  const why = error instanceof Error ? error.message : String(error);
  if (!(error instanceof JetStreamError)) return failed("unavailable", `${what}: ${why}`, error);
  // No stream, no message, no consumer: what was looked for is gone.
  if (error.code === 404)
    return failed("unavailable", `${what}: ${why}; it may have been destroyed: open it again`, error);
  // With the code 503, as what only takes time.
  if (error.errCode === 10_077 || error.errCode === 10_047 || error.errCode === 10_023)
    return failed("overflow", `${what}: the server has no room: ${why}`, error);
  if (error.code === 503 || error.errCode === 10_008) return failed("unavailable", `${what}: JetStream: ${why}`, error);
  return failed("unsupported", `${what}: the server refuses it: ${why}`, error);
}
