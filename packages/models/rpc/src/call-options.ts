import { BusError, type CallOptions, checkDuration, checkHeaders, type Headers, noHeaders } from "@quadrant/contract";

/** Checked options of calls, as far as they are given. */
export interface CallSettings {
  readonly timeoutMs: number | undefined;
  readonly signal: AbortSignal | undefined;
  readonly headers: Headers;
}

export const noSettings: CallSettings = { timeoutMs: undefined, signal: undefined, headers: noHeaders };

/** `base` with what `options` name in their place; headers of both. Throws "invalid" or "too-large". */
export function mergeOptions(base: CallSettings, options: CallOptions | undefined): CallSettings {
  if (options === undefined) return base;
  if (typeof options !== "object" || options === null)
    throw new BusError("invalid", "options of a call: give an object");
  checkDuration("timeoutMs", options.timeoutMs);
  if (options.signal !== undefined && !(options.signal instanceof AbortSignal)) {
    throw new BusError("invalid", "signal: give an AbortSignal");
  }
  return {
    timeoutMs: options.timeoutMs ?? base.timeoutMs,
    signal: options.signal ?? base.signal,
    headers:
      options.headers === undefined
        ? base.headers
        : checkHeaders({ ...base.headers, ...checkHeaders(options.headers) }),
  };
}
