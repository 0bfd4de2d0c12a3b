import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { BusError } from "@quadrant/contract";
import type { Location, Server } from "../location.ts";
import { ReplyError } from "../resp/reply-reader.ts";
import { Wire } from "./wire.ts";

/** What must end a try to connect: nobody needs to try again. */
export function refusal(error: ReplyError): BusError | undefined {
  const { code, message } = error;
  if (code === "NOAUTH")
    return new BusError("denied", "the server wants a user and password: give them in the URL or in auth", {
      driver: "redis",
    });
  if (code === "WRONGPASS" || message.includes("invalid password") || message.includes("without any password"))
    return new BusError("denied", "the server refuses this user and password", { driver: "redis" });
  if (code === "NOPERM") return new BusError("denied", `this user may not: ${message}`, { driver: "redis" });
  if (message.includes("unknown command") || message.includes("registering functions"))
    return new BusError("unsupported", `the server lacks what this driver needs: ${message}`, { driver: "redis" });
  return undefined;
}

/** A failed TLS handshake is the same the next time; a server that is just going down only looks like one. */
const transient = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
]);

function tlsRefusal(where: string, error: NodeJS.ErrnoException): BusError {
  const own = error.code?.includes("CERTIFICATE_REQUIRED") || error.code?.includes("ALERT_UNKNOWN_CA");
  const fix = own ? "give a certificate that it trusts as tls.cert and tls.key" : "give its authority as tls.ca";
  const message = `no TLS connection with ${where}: ${error.message}; ${fix}`;
  return new BusError("denied", message, { driver: "redis", cause: error });
}

function failure(server: Server, error: NodeJS.ErrnoException, secure: boolean): BusError {
  const where = `${server.host}:${server.port}`;
  const detail = { driver: "redis", cause: error };
  if (secure && !transient.has(error.code ?? "")) {
    return tlsRefusal(where, error);
  }
  return new BusError("unavailable", `no connection with ${where}: ${error.message}`, detail);
}

function socketTo(server: Server, tls: Location["tls"]): Socket {
  if (tls === undefined) return connectTcp({ host: server.host, port: server.port });
  const { ca, cert, key } = tls;
  const servername = /^[\d.:]+$|:/.test(server.host) ? "" : server.host;
  return connectTls({ host: server.host, port: server.port, servername, ca, cert, key });
}

/** A connection to one server, before anything was said on it. Rejects with "unavailable", or "denied" where TLS refuses. */
export function dial(server: Server, tls: Location["tls"], timeoutMs: number, signal: AbortSignal): Promise<Wire> {
  return new Promise((resolve, reject) => {
    const socket = socketTo(server, tls);
    const end = (error: BusError): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      socket.destroy();
      reject(error);
    };
    const onAbort = (): void => end(new BusError("unavailable", "given up", { driver: "redis" }));
    const timer = setTimeout(() => {
      end(new BusError("unavailable", `${server.host}:${server.port} does not answer`, { driver: "redis" }));
    }, timeoutMs);
    if (signal.aborted) {
      onAbort();
      return;
    }
    signal.addEventListener("abort", onAbort, { once: true });
    const onError = (error: Error): void => end(failure(server, error, tls !== undefined));
    socket.once("error", onError);
    socket.once(tls === undefined ? "connect" : "secureConnect", () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      socket.off("error", onError);
      resolve(new Wire(socket, `${server.host}:${server.port}`));
    });
  });
}

/** Runs what is said first on a connection, within a time. Rejects with "unavailable" or what the server refuses. */
export async function greet<T>(wire: Wire, timeoutMs: number, signal: AbortSignal, talk: () => Promise<T>): Promise<T> {
  const timer = setTimeout(() => wire.close(), Math.max(1, timeoutMs));
  const onAbort = (): void => wire.close();
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) wire.close();
  try {
    return await talk();
  } catch (error) {
    wire.close();
    if (error instanceof BusError) throw error;
    const refused = error instanceof ReplyError ? refusal(error) : undefined;
    if (refused !== undefined) throw refused;
    if (wire.failure?.code?.startsWith("ERR_SSL_")) throw tlsRefusal(wire.server, wire.failure);
    const why = error instanceof ReplyError ? error.message : "the connection broke, or was silent";
    throw new BusError("unavailable", `${wire.server}: ${why}`, { driver: "redis" });
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}
