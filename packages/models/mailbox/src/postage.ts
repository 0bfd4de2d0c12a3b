import {
  assertSupported,
  BusError,
  checkDuration,
  checkHeaders,
  checkId,
  type Driver,
  noHeaders,
  type QueueLetter,
  type SendOptions,
  withTrace,
} from "@quadrant/contract";

/** What the letters of one call have in common, checked. */
export type Postage = Pick<QueueLetter, "headers" | "delayMs" | "ttlMs" | "key">;

const plain: Postage = { headers: noHeaders, delayMs: undefined, ttlMs: undefined, key: undefined };

/** Throws "invalid", or "unsupported" where the driver refuses an option. */
export function checkPostage(driver: Driver, options: SendOptions | undefined): Postage {
  if (options === undefined) {
    const headers = withTrace(noHeaders);
    return headers === noHeaders ? plain : { ...plain, headers };
  }
  const { delayMs, ttlMs, key } = options;
  checkDuration("delayMs", delayMs);
  if (delayMs === Number.POSITIVE_INFINITY)
    throw new BusError("invalid", "delayMs: Infinity is never; give milliseconds");
  checkDuration("ttlMs", ttlMs, 1);
  checkId("key", key);
  const headers = withTrace(checkHeaders(options.headers));
  if (delayMs !== undefined) assertSupported(driver, "mailbox.delay");
  if (ttlMs !== undefined) assertSupported(driver, "mailbox.ttl");
  if (key !== undefined) assertSupported(driver, "mailbox.keys");
  return {
    headers,
    delayMs: delayMs === 0 ? undefined : delayMs,
    ttlMs: ttlMs === Number.POSITIVE_INFINITY ? undefined : ttlMs,
    key,
  };
}
