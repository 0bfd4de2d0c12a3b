/** What is wrong with a broker, by what the driver says of it and of its refusals, and what mends it. */
import type { BusErrorCode, Support } from "@quadrant/contract";
import type { Answering } from "./answering.ts";
import type { Finding } from "./diagnosis.ts";

export type Broker = "NATS" | "Redis" | "ZeroMQ";

/** By the scheme of its URL; undefined for what needs no broker. */
export function brokerOf(url: string): Broker | undefined {
  if (/^(nats|tls):/i.test(url)) return "NATS";
  if (/^redis/i.test(url)) return "Redis";
  return /^zmq/i.test(url) ? "ZeroMQ" : undefined;
}

const schemes: Readonly<Record<Broker, string>> = { NATS: "nats://", Redis: "redis://", ZeroMQ: "zmq://" };

const starting: Readonly<Record<Broker, string>> = {
  NATS: "start it (`nats-server -js`), or give the address where it listens",
  Redis: "start it (`redis-server --appendonly yes`), or give the address where it listens",
  ZeroMQ: "start a hub (`quadrant hub`), or give the address that it printed",
};

const admitting: Readonly<Record<Broker, string>> = {
  NATS: "give the user and password (or token, nkey) that stand under `authorization` in the server's configuration",
  Redis:
    "give user and password: redis://USER:PASSWORD@HOST; `ACL LIST` shows the users, `requirepass` the default one's",
  ZeroMQ: "give --key-file and --server-key; the hub's operator has to add the public key to its --clients",
};

const permitting: Readonly<Record<Broker, string>> = {
  NATS: "allow it under `permissions` of this user in the server's configuration, and let the server reload it",
  Redis: "allow it: ACL SETUSER <user> ~* &* +@all, or only the keys and channels that are used",
  ZeroMQ: "let the hub's operator add it to this key's permissions in --clients",
};

const making: Readonly<Record<Broker, string>> = {
  NATS: "free some disk, or raise max_file_store of `jetstream` in the server's configuration",
  Redis: "free some disk or memory, or raise maxmemory; `redis-cli INFO persistence` says what could not be written",
  ZeroMQ: "free some disk under the hub's --data, or handle what waits",
};

const renewing: Readonly<Record<Broker, string>> = {
  NATS: "install nats-server 2.9.10 or newer",
  Redis: "install Redis 7.0 or newer, or Valkey",
  ZeroMQ: "use the same release of hub and client",
};

/** An error as it was met: while connecting, or by an operation that a working bus can do. */
export interface Refusal {
  readonly check: string;
  readonly code: BusErrorCode | undefined;
  readonly detail: string;
  readonly connecting: boolean;
}

function wrongScheme(broker: Broker, answering: Answering | undefined): string | undefined {
  if (answering === undefined || answering === broker || answering === "nobody") return undefined;
  if (answering === "NATS" || answering === "Redis" || answering === "ZeroMQ") {
    return `${answering === "ZeroMQ" ? "a ZeroMQ socket" : answering} listens there: use a URL that begins with ${schemes[answering]}, or the port of ${broker}`;
  }
  return `what listens there is no ${broker}: check host and port`;
}

/** Let in, and then refused something: while connecting, too, where a driver sets up what it needs. */
const lacksPermission = /\bmay not\b|permission/i;
/** Told by the server while a driver sets up what it needs. */
const isFull = /cannot write to its disk|MISCONF|memory is full|OOM command|insufficient storage|no space/i;

const notPermitted = /does not permit/i;
const lacksJetStream = /no JetStream/i;
const jetStream = "start nats-server with -js and --store_dir, or with a `jetstream` block in its configuration";

function fixOf(
  { code, detail, connecting }: Refusal,
  broker: Broker,
  answering: Answering | undefined,
): string | undefined {
  switch (code) {
    case "denied":
      return connecting && !lacksPermission.test(detail) ? admitting[broker] : permitting[broker];
    case "unavailable":
    case "timeout":
      if (isFull.test(detail)) return making[broker];
      // Of somebody who was to do it: the owner of the tuple spaces on NATS.
      if (notPermitted.test(detail)) return permitting[broker];
      return wrongScheme(broker, answering) ?? (connecting ? starting[broker] : undefined);
    case "overflow":
    case "indefinite":
      return making[broker];
    case "unsupported":
      if (lacksJetStream.test(detail)) return jetStream;
      return connecting ? renewing[broker] : undefined;
    default:
      return undefined;
  }
}

/** The finding that an error is. `answering`: who listens at the address, where connecting failed. */
export function findingOf(refusal: Refusal, url: string | undefined, answering?: Answering | undefined): Finding {
  const { check, detail } = refusal;
  const broker = url === undefined ? undefined : brokerOf(url);
  const fix = broker === undefined ? undefined : fixOf(refusal, broker, answering);
  return { check, level: "broken", detail, fix };
}

/** What the server was started without. */
export function checkSettings(support: Support): readonly Finding[] {
  const findings: Finding[] = [];
  const note = support.durability?.how === "refused" ? support.durability.note : "";
  if (lacksJetStream.test(note)) {
    findings.push({ check: "JetStream", level: "broken", detail: note, fix: jetStream });
  }
  if (/append-only/i.test(note)) {
    const fix = "`CONFIG SET appendonly yes`, and in redis.conf: appendonly yes, appendfsync everysec";
    findings.push({ check: "append-only file", level: "broken", detail: note, fix });
  }
  if (/maxmemory-policy/i.test(note)) {
    const fix = "`CONFIG SET maxmemory-policy noeviction`, and the same in redis.conf";
    findings.push({ check: "eviction", level: "broken", detail: note, fix });
  }
  return findings;
}
