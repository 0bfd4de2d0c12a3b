import { BusError, type DriverOptions } from "@quadrant/contract";

const driver = "memory";

/** Reads a `memory:` URL: the name that connections share, "" for a private one. Throws "invalid" and "unsupported". */
export function readLocation(url: URL): string {
  if (url.username !== "" || url.password !== "") {
    throw new BusError("unsupported", "memory: takes no user and password: nothing leaves the process", { driver });
  }
  for (const [name, value] of url.searchParams) {
    if (name !== "require") {
      throw new BusError("invalid", `memory: knows no parameter "${name}": there is require=durable alone`, { driver });
    }
    if (value !== "durable") {
      throw new BusError("invalid", `require=${value}: the one thing to require is "durable"`, { driver });
    }
    throw new BusError(
      "unsupported",
      "require=durable: memory: holds everything in memory, gone with the process; connect to a durable broker",
      { driver },
    );
  }
  if (url.hash !== "") throw new BusError("invalid", "a memory: URL has no fragment (#…)", { driver });
  return url.href.slice(url.protocol.length).replace(/\?.*$/, "");
}

/** Throws "unsupported" for options that would have no effect, "aborted" for a signal that was aborted before. */
export function assertOptions(driver: "memory" | "file", { auth, tls, signal }: DriverOptions): void {
  if (auth !== undefined) {
    const message = `${driver}: has no authentication: nothing leaves the process; leave \`auth\` out`;
    throw new BusError("unsupported", message, { driver });
  }
  if (tls !== undefined) {
    throw new BusError("unsupported", `${driver}: has no TLS: nothing leaves the process; leave \`tls\` out`, {
      driver,
    });
  }
  if (signal?.aborted)
    throw new BusError("aborted", "connect was aborted by its signal", { driver, cause: signal.reason });
}
