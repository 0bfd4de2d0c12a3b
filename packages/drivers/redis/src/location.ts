import { BusError, type DriverOptions } from "@quadrant/contract";

export interface Server {
  readonly host: string;
  readonly port: number;
}

/** Where the servers are, and who asks. */
export interface Location {
  readonly kind: "single" | "sentinel" | "cluster";
  /** The server, the sentinels, or some nodes of the cluster. */
  readonly servers: readonly Server[];
  /** Of a sentinel URL: what the sentinels call the master. */
  readonly master: string;
  readonly database: number;
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly sentinelPassword: string | undefined;
  readonly tls: DriverOptions["tls"];
  readonly requiresDurable: boolean;
}

const defaultPort = 6_379;
const sentinelPort = 26_379;
const known = new Set(["require", "sentinelPassword", "tls"]);

function invalid(message: string): BusError {
  return new BusError("invalid", message, { driver: "redis" });
}

/** `HOST:PORT`, `HOST` or `[::1]:PORT`. */
function serverOf(text: string, port: number): Server {
  const found = /^(\[[^\]]+\]|[^:]+)(?::(\d{1,5}))?$/.exec(text);
  if (found === null) throw invalid(`${text} is no server: give HOST:PORT`);
  return { host: found[1]!.replace(/^\[|\]$/g, ""), port: found[2] === undefined ? port : Number(found[2]) };
}

function databaseOf(path: string): number {
  if (path === "") return 0;
  if (!/^\d{1,5}$/.test(path)) throw invalid(`/${path}: give the number of a database, or nothing`);
  return Number(path);
}

interface Credentials {
  readonly user: string | undefined;
  readonly password: string | undefined;
}

function credentialsOf(url: URL, { auth }: DriverOptions): Credentials {
  if (auth === undefined) {
    const user = decodeURIComponent(url.username);
    const password = decodeURIComponent(url.password);
    // A lone word may be a password without its user.
    if (password === "") return { user: undefined, password: user === "" ? undefined : user };
    return { user: user === "" ? undefined : user, password };
  }
  if ("user" in auth) return auth;
  if ("token" in auth) return { user: undefined, password: auth.token };
  const message =
    "Redis knows its clients by user and password: give auth: { user, password }, or { token } for a password alone";
  throw new BusError("unsupported", message, { driver: "redis" });
}

function tlsOf(url: URL, { tls }: DriverOptions): DriverOptions["tls"] {
  const wanted = url.searchParams.get("tls");
  if (wanted !== null && wanted !== "true") throw invalid(`tls=${wanted}: only tls=true is known`);
  if (url.protocol === "rediss:" || wanted === "true") return tls ?? {};
  if (tls !== undefined && url.protocol === "redis:") throw invalid("tls: give a rediss: URL");
  return tls;
}

/** Throws "invalid" for what such a URL cannot say, "unsupported" for credentials of another kind. */
export function locationOf(url: URL, options: DriverOptions): Location {
  for (const name of url.searchParams.keys()) {
    if (!known.has(name)) throw invalid(`${name}: a redis URL knows ${[...known].join(", ")}`);
  }
  const require = url.searchParams.get("require");
  if (require !== null && require !== "durable") throw invalid(`require=${require}: only require=durable is known`);
  const kind =
    url.protocol === "redis+sentinel:" ? "sentinel" : url.protocol === "redis+cluster:" ? "cluster" : "single";
  const hosts = options.hosts !== undefined && options.hosts.length > 0 ? options.hosts : [url.host];
  if (hosts[0] === "") throw invalid(`${url.protocol}// names no server: give HOST:PORT`);
  if (kind === "single" && hosts.length > 1) throw invalid("several servers: give redis+cluster: or redis+sentinel:");
  const servers = hosts.map((host) => serverOf(host, kind === "sentinel" ? sentinelPort : defaultPort));
  const path = decodeURIComponent(url.pathname.replace(/^\//, ""));
  if (kind === "sentinel" && path === "") throw invalid("redis+sentinel://HOST:PORT/MASTER: name the master");
  const database = kind === "single" ? databaseOf(path) : 0;
  if (kind === "cluster" && path !== "") throw invalid("a cluster has one database: leave the path out");
  return {
    kind,
    servers,
    master: path,
    database,
    ...credentialsOf(url, options),
    sentinelPassword: url.searchParams.get("sentinelPassword") ?? undefined,
    tls: tlsOf(url, options),
    requiresDurable: require === "durable",
  };
}
