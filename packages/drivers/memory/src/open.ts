import type { Driver, DriverOptions, OpenDriver } from "@quadrant/contract";
import { EngineDriver } from "./engine-driver.ts";
import { readFileLocation } from "./file-location.ts";
import { assertOptions, readLocation } from "./location.ts";
import { joinEngine, joinFileEngine } from "./shared-engine.ts";
import { fileSupport, memorySupport } from "./support.ts";

/**
 * `memory:` is private to the call; `memory:NAME` is shared inside this process, until its last connection closes.
 * `file:DIR` is kept in the folder and shared inside this process; another process gets "unavailable". Rejects with
 * "invalid" for unknown parameters, "unsupported" for `auth`, `tls` and, in memory, require=durable.
 */
export const open: OpenDriver = async (url: URL, options: DriverOptions): Promise<Driver> => {
  if (url.protocol === "file:") return await openFile(url, options);
  const name = readLocation(url);
  assertOptions("memory", options);
  return new EngineDriver("memory", url.href, memorySupport, joinEngine(name), options);
};

async function openFile(url: URL, options: DriverOptions): Promise<Driver> {
  const { folder, sync } = readFileLocation(url);
  assertOptions("file", options);
  const { timeoutMs, requestTimeoutMs } = options;
  const joined = await joinFileEngine(folder, { sync, timeoutMs, requestTimeoutMs });
  return new EngineDriver("file", url.href, fileSupport(sync), joined, options);
}
