import type { Driver, DriverOptions, OpenDriver } from "@quadrant/contract";
import { assertOptions, readLocation } from "./location.ts";
import { MemoryDriver } from "./memory-driver.ts";

/**
 * `memory:` is private to the call; `memory:NAME` is shared inside this process, until its last connection closes.
 * Rejects with "invalid" for unknown parameters, "unsupported" for require=durable, `auth` and `tls`.
 */
export const open: OpenDriver = async (url: URL, options: DriverOptions): Promise<Driver> => {
  const name = readLocation(url);
  assertOptions(options);
  return new MemoryDriver(name, url.href, options);
};
