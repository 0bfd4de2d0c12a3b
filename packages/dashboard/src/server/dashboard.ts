import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { getRequestListener } from "@hono/node-server";
import { BusError } from "@quadrant/contract";
import { WebSocketServer } from "ws";
import type { Games } from "../games.ts";
import type { Jobs } from "../jobs.ts";
import { Access } from "./access.ts";
import { News } from "./news.ts";
import { routes } from "./routes.ts";
import { Seats } from "./seats.ts";
import { readSite } from "./site.ts";
import { Visit } from "./visit.ts";

export interface DashboardOptions {
  readonly games: Games;
  readonly jobs: Jobs;
  /** Whether the bus behind them is connected, shown on the page. Default: it is. */
  readonly hasBus?: (() => boolean) | undefined;
  /** Default 127.0.0.1: nobody but this machine. */
  readonly host?: string | undefined;
  /** Default 0: a free one. */
  readonly port?: number | undefined;
  /** Default: a new one, of 24 random bytes. */
  readonly token?: string | undefined;
  /** How long a page may leave what it is sent unread before it is dropped. Default 15 000. */
  readonly slowMs?: number | undefined;
}

export interface Dashboard extends AsyncDisposable {
  /** What to open in a browser: it holds the token. */
  readonly url: string;
  readonly port: number;
}

const maxPages = 128;
/** A move, or a name: nothing that a page sends is longer. */
const maxAskedBytes = 16 << 10;

/** Serves the page until disposed. Rejects with "unavailable" where the port is taken. */
export async function startDashboard(options: DashboardOptions): Promise<Dashboard> {
  const host = options.host ?? "127.0.0.1";
  const token = options.token ?? randomBytes(24).toString("base64url");
  if (!/^[\w-]{16,}$/.test(token)) throw new BusError("invalid", "a token is 16 or more letters, digits, - and _");
  const site = await readSite();
  const server = createServer({
    headersTimeout: 10_000,
    requestTimeout: 10_000,
    connectionsCheckingInterval: 5_000,
    maxHeaderSize: 16 << 10,
  });
  server.maxConnections = 2 * maxPages;
  const port = await listen(server, host, options.port ?? 0);
  const access = new Access(token, [host, "localhost", "127.0.0.1", "[::1]"], port);
  server.on("request", getRequestListener(routes(site, access).fetch));
  const news = new News(options.games, options.jobs);
  const visits = new Set<Visit>();
  const sockets = new WebSocketServer({ noServer: true, maxPayload: maxAskedBytes, perMessageDeflate: false });
  server.on("upgrade", (request, socket, head) => {
    const refusal = refusalOf(request, access, visits.size);
    if (refusal !== undefined) return refuse(socket, refusal);
    sockets.handleUpgrade(request, socket, head, (opened) => {
      const { games, slowMs = 15_000, hasBus = () => true } = options;
      const visit = new Visit(opened, { desk: { games, news, seats: new Seats(games) }, hasBus, slowMs });
      visits.add(visit);
      void visit.ended.finally(() => visits.delete(visit));
    });
  });
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve));
    await Promise.all([...visits].map((visit) => visit.close()));
    server.closeAllConnections();
    await Promise.all([closed, news[Symbol.asyncDispose]()]);
  };
  const shown = host.includes(":") ? `[${host}]` : host;
  return {
    url: `http://${shown}:${port}/?token=${token}`,
    port,
    [Symbol.asyncDispose]: () => {
      closing ??= close();
      return closing;
    },
  };
}

async function listen(server: Server, host: string, port: number): Promise<number> {
  try {
    server.listen(port, host);
    await once(server, "listening");
  } catch (cause) {
    const message = `nothing can listen at ${host}:${port}: ${(cause as Error).message}; name another port, or 0 for a free one`;
    throw new BusError("unavailable", message, { cause });
  }
  return (server.address() as AddressInfo).port;
}

function refusalOf({ url, headers }: IncomingMessage, access: Access, pages: number): string | undefined {
  if (url !== "/socket") return "404 Not Found";
  if (!access.knowsHost(headers.host)) return "421 Misdirected Request";
  if (!access.knowsOrigin(headers.origin, headers.host)) return "403 Forbidden";
  if (!access.isLetIn(headers.cookie)) return "401 Unauthorized";
  return pages >= maxPages ? "503 Service Unavailable" : undefined;
}

function refuse(socket: Duplex, status: string): void {
  socket.on("error", () => socket.destroy());
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
