import { BusError } from "@quadrant/contract";

/** Where a hub listens, and where clients look for one, unless told otherwise. */
export const defaultHubUrl = "zmq://127.0.0.1:7227";

const parameters: ReadonlySet<string> = new Set(["require"]);

/** The ZeroMQ endpoint of a `zmq://HOST:PORT` or `zmq+ipc:///path` URL; throws "invalid". */
export function endpointOf(url: URL): string {
  for (const name of url.searchParams.keys()) {
    if (!parameters.has(name))
      throw new BusError("invalid", `unknown parameter "${name}" in the URL`, { driver: "zeromq" });
  }
  if (url.username !== "" || url.password !== "") {
    throw new BusError(
      "unsupported",
      "a hub takes no user and password: it knows its clients by CURVE keys, see auth",
      { driver: "zeromq" },
    );
  }
  if (url.protocol === "zmq+ipc:") {
    const path = decodeURIComponent(url.pathname);
    if (path.length < 2 || url.host !== "")
      throw new BusError("invalid", "use zmq+ipc:///absolute/path", { driver: "zeromq" });
    // The length of sun_path in sockaddr_un, less its terminator.
    if (Buffer.byteLength(path) > 107)
      throw new BusError("invalid", `a socket path has at most 107 bytes: ${path}`, { driver: "zeromq" });
    return `ipc://${path}`;
  }
  if (url.hostname === "" || url.port === "" || (url.pathname !== "" && url.pathname !== "/")) {
    throw new BusError("invalid", "use zmq://HOST:PORT", { driver: "zeromq" });
  }
  return `tcp://${url.hostname}:${url.port}`;
}

/** The URL that clients use for an endpoint that a socket is bound to. */
export function urlOf(endpoint: string): string {
  if (endpoint.startsWith("ipc://")) return `zmq+ipc://${endpoint.slice(6)}`;
  return endpoint.replace(/^tcp:/, "zmq:");
}
