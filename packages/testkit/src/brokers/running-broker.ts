/** A broker that runs already: its URL is in the environment. */
import type { BrokerKind, StartedBroker } from "./broker.ts";
import { exchange } from "./exchange.ts";
import { askRedis } from "./redis-command.ts";

/** The variable that holds the URL of a broker that runs already. */
export const urlVariables: Readonly<Record<BrokerKind, string>> = {
  nats: "QUADRANT_NATS_URL",
  redis: "QUADRANT_REDIS_URL",
  zeromq: "QUADRANT_ZEROMQ_URL",
};

/** The first server that a URL lists. */
function firstServer(url: string, defaultPort: number): URL {
  const first = new URL(url.replace(/^([^/]*:\/\/[^/,]*),[^/]*/, "$1").replace(/^[^:]*/, "http"));
  if (first.port === "") first.port = String(defaultPort);
  return first;
}

async function versionAt(kind: BrokerKind, url: string): Promise<string> {
  switch (kind) {
    case "nats": {
      const { hostname: host, port } = firstServer(url, 4222);
      const info = await exchange({ host, port: Number(port), say: "" }, (heard) => /^INFO (.*)\r\n/.exec(heard)?.[1]);
      return String((JSON.parse(info) as { version: unknown }).version);
    }
    case "redis": {
      const { hostname: host, port, username, password } = firstServer(url, 6379);
      const info = await askRedis(
        {
          host,
          port: Number(port),
          tls: url.startsWith("rediss:") ? {} : undefined,
          login:
            password === ""
              ? undefined
              : { user: decodeURIComponent(username) || "default", password: decodeURIComponent(password) },
        },
        ...["INFO", "server"],
      );
      return (/^valkey_version:(.*)$/m.exec(info) ?? /^redis_version:(.*)$/m.exec(info))?.[1]?.trim() ?? "unknown";
    }
    case "zeromq":
      return "unknown";
  }
}

function notOurs(kind: BrokerKind): () => Promise<never> {
  return () => {
    throw new Error(
      `the broker at ${urlVariables[kind]} was not started here, so it is not stopped or paused: use QUADRANT_BROKERS=docker or binary`,
    );
  };
}

/** Takes it as it is. Rejects when nothing answers there. */
export async function takeRunning(kind: BrokerKind, url: string): Promise<StartedBroker> {
  const fault = notOurs(kind);
  return {
    kind,
    via: "url",
    url,
    version: await versionAt(kind, url).catch((cause: unknown) => {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new Error(`nothing that is ${kind} answers at ${urlVariables[kind]}: ${why}`, { cause });
    }),
    options: {},
    members: [],
    pid: undefined,
    stop: fault,
    kill: fault,
    restart: fault,
    pause: fault,
    resume: fault,
    [Symbol.asyncDispose]: async () => undefined,
  };
}
