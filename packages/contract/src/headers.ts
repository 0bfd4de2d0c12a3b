import { BusError } from "./errors.ts";

/**
 * Names of headers are visible ASCII without a colon, values without CR, LF or NUL; names that begin with `nats-` or
 * `quadrant-` are "invalid". `traceparent` is carried from the caller's context by itself.
 */
export type Headers = Readonly<Record<string, string>>;

export const noHeaders: Headers = Object.freeze({});

/** All headers of one message together: names and values, in UTF-16 units. */
export const maxHeaderSize: number = 16_384;

const headerName = /^[\x21-\x39\x3B-\x7E]+$/;
const reserved = /^(nats|quadrant)-/i;
const forbiddenInValue = /[\r\n\0]/;

/** A checked copy of a caller's headers; throws "invalid". */
export function checkHeaders(headers: Headers | undefined): Headers {
  if (headers === undefined) return noHeaders;
  if (typeof headers !== "object" || headers === null) throw new BusError("invalid", "headers are a record of strings");
  const entries = Object.entries(headers);
  if (entries.length === 0) return noHeaders;
  let size = 0;
  for (const [name, value] of entries) {
    const shown = JSON.stringify(name.slice(0, 80));
    if (!headerName.test(name))
      throw new BusError("invalid", `header name ${shown}: use visible ASCII without a colon`);
    if (reserved.test(name))
      throw new BusError("invalid", `header name ${shown}: "nats-" and "quadrant-" are reserved`);
    if (typeof value !== "string" || forbiddenInValue.test(value) || !value.isWellFormed()) {
      throw new BusError(
        "invalid",
        `header ${shown}: its value is to be a string without CR, LF, NUL or lone surrogate`,
      );
    }
    size += name.length + value.length;
  }
  if (size > maxHeaderSize) throw new BusError("too-large", `headers of ${size} characters: at most ${maxHeaderSize}`);
  return Object.fromEntries(entries);
}
