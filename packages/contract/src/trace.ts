import { AsyncLocalStorage } from "node:async_hooks";
import { type Headers, noHeaders } from "./headers.ts";

/** https://www.w3.org/TR/trace-context: the header that names the trace a message belongs to. */
const traceparent = "traceparent";
const wellFormed = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

const current = new AsyncLocalStorage<string>();

/** Runs `work` in the trace of the message that caused it. A malformed traceparent is ignored. */
export function inTraceOf<T>(headers: Headers, work: () => T): T {
  const trace = headers[traceparent];
  return trace !== undefined && wellFormed.test(trace) ? current.run(trace, work) : work();
}

/** The headers, with the caller's trace where they name none. */
export function withTrace(headers: Headers): Headers {
  const trace = current.getStore();
  if (trace === undefined || traceparent in headers) return headers;
  return headers === noHeaders ? { traceparent: trace } : { ...headers, traceparent: trace };
}
