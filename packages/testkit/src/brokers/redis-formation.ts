/** Redis servers: one; a primary with a replica and three Sentinels; a Redis Cluster of three primaries. */
import { randomBytes } from "node:crypto";
import type { BrokerOptions } from "./broker.ts";
import { type Certificates, clientTls, makeCertificates, pemsOf } from "./certificate.ts";
import type { Formation } from "./formation.ts";
import { freePort } from "./port.ts";
import { linked, sharded, watched } from "./redis-assembly.ts";
import { askRedis, type RedisAccess } from "./redis-command.ts";
import type { Place, ServerPlan } from "./server.ts";

/** What the servers of one broker have in common. */
interface Ground {
  readonly certificates: Certificates | undefined;
  readonly mutual: boolean;
  readonly password: string | undefined;
  readonly permissions: string;
  /** When the append-only file is on the disk; undefined: there is none. */
  readonly fsync: "everysec" | "always" | undefined;
}

/** A user for the servers among themselves, so that what the test's own user may do does not matter. */
const inner = "quadrant-servers";

function groundOf(options: BrokerOptions): Ground {
  const { auth, permissions } = options;
  if (auth !== undefined && auth !== "password") throw new Error(`Redis has no auth: ${auth}, only "password"`);
  if (auth === undefined && permissions !== undefined) throw new Error("permissions need auth");
  return {
    certificates: options.tls ? makeCertificates() : undefined,
    mutual: options.tls === "mutual",
    password: auth === undefined ? undefined : randomBytes(18).toString("base64url"),
    permissions: permissions ?? "~* &* +@all",
    fsync: options.durable === false ? undefined : options.durable === "always" ? "always" : "everysec",
  };
}

function accessOf(ground: Ground, port: number): RedisAccess {
  const { certificates, password } = ground;
  return {
    port,
    tls: certificates === undefined ? undefined : clientTls(certificates, true),
    login: password === undefined ? undefined : { user: inner, password },
  };
}

function listening(ground: Ground, port: number, { folder, host }: Place): string[] {
  const { certificates, password } = ground;
  const lines = [`bind ${host}`, "protected-mode no", "daemonize no", 'logfile ""', `dir "${folder}/data"`];
  if (certificates === undefined) lines.push(`port ${port}`);
  else {
    lines.push("port 0", `tls-port ${port}`, "tls-replication yes", "tls-cluster yes");
    lines.push(`tls-cert-file "${folder}/server.pem"`, `tls-key-file "${folder}/server.key"`);
    lines.push(`tls-ca-cert-file "${folder}/ca.pem"`, `tls-auth-clients ${ground.mutual ? "yes" : "no"}`);
  }
  if (password !== undefined) {
    lines.push("user default off", `user ${inner} on >${password} ~* &* +@all`);
    lines.push(`user quadrant on >${password} ${ground.permissions}`);
  }
  return lines;
}

function storing(ground: Ground): string[] {
  const aof = ground.fsync === undefined ? ["appendonly no"] : ["appendonly yes", `appendfsync ${ground.fsync}`];
  const masters = ground.password === undefined ? [] : [`masteruser ${inner}`, `masterauth ${ground.password}`];
  return [
    ...aof,
    'save ""',
    "shutdown-timeout 1",
    "repl-diskless-sync-delay 0",
    "maxmemory-policy noeviction",
    ...masters,
  ];
}

function server(ground: Ground, role: string, port: number, more: readonly string[], bus?: number): ServerPlan {
  const lines = (place: Place): string[] => [...listening(ground, port, place), ...storing(ground), ...more];
  return {
    role,
    program: "redis-server",
    port,
    otherPorts: bus === undefined ? [] : [bus],
    args: ({ folder }) => [`${folder}/server.conf`],
    files: (place) => ({ "server.conf": `${lines(place).join("\n")}\n`, ...pemsOf(ground.certificates) }),
    probe: () => probe(accessOf(ground, port)),
  };
}

async function probe(access: RedisAccess): Promise<string> {
  const info = await askRedis(access, "INFO", "server");
  // While its data is being loaded it answers INFO, and nothing else.
  await askRedis(access, "PING");
  const version = /^valkey_version:(.*)$/m.exec(info) ?? /^redis_version:(.*)$/m.exec(info);
  if (version === null) throw new Error(`no Redis answers at port ${access.port}: ${info}`);
  return version[1]!.trim();
}

const primaryName = "quadrant";

function sentinel(ground: Ground, port: number, primary: number): ServerPlan {
  const login =
    ground.password === undefined
      ? []
      : [
          `sentinel auth-user ${primaryName} ${inner}`,
          `sentinel auth-pass ${primaryName} ${ground.password}`,
          `sentinel sentinel-user ${inner}`,
          `sentinel sentinel-pass ${ground.password}`,
        ];
  const lines = (place: Place): string[] => [
    ...listening(ground, port, place),
    `sentinel monitor ${primaryName} 127.0.0.1 ${primary} 2`,
    `sentinel down-after-milliseconds ${primaryName} 3000`,
    `sentinel failover-timeout ${primaryName} 10000`,
    ...login,
  ];
  return {
    role: "sentinel",
    program: "redis-server",
    port,
    otherPorts: [],
    args: ({ folder }) => [`${folder}/server.conf`, "--sentinel"],
    files: (place) => ({ "server.conf": `${lines(place).join("\n")}\n`, ...pemsOf(ground.certificates) }),
    probe: () => probe(accessOf(ground, port)),
  };
}

async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(await freePort());
  return [...ports];
}

/** `scheme://HOST:PORT,…`; TLS inside of a cluster is said by the options. */
function urlOf(scheme: string, ports: readonly number[]): string {
  return `${scheme}://${ports.map((port) => `127.0.0.1:${port}`).join(",")}`;
}

export async function planRedis(options: BrokerOptions): Promise<Formation> {
  const ground = groundOf(options);
  const { certificates, password } = ground;
  const access = (port: number): RedisAccess => accessOf(ground, port);
  const forClients: Formation["options"] = {
    ...(password !== undefined && { auth: { user: "quadrant", password } }),
    ...(certificates !== undefined && { tls: clientTls(certificates, ground.mutual) }),
  };
  if (options.cluster === "sharded") {
    const [a, b, c, ...buses] = (await freePorts(6)) as [number, number, number, ...number[]];
    const ports = [a, b, c];
    const servers = ports.map((port, at) => {
      const more = ["cluster-enabled yes", `cluster-port ${buses[at]}`, "cluster-node-timeout 5000"];
      return server(ground, "primary", port, more, buses[at]);
    });
    const nodes = ports.map((port, at) => ({ ...access(port), bus: buses[at]! }));
    const stages = [{ servers, settle: () => sharded(nodes) }];
    return { stages, url: urlOf("redis+cluster", ports), options: forClients };
  }
  if (options.cluster) {
    const [primary, replica, ...sentinels] = (await freePorts(5)) as [number, number, ...number[]];
    const follows = [`replicaof 127.0.0.1 ${primary}`];
    const servers = [server(ground, "primary", primary, []), server(ground, "replica", replica, follows)];
    // A Sentinel looks for replicas when it begins, and then every ten seconds: so the replica comes first.
    const stages = [
      { servers, settle: () => linked([access(primary), access(replica)]) },
      {
        servers: sentinels.map((port) => sentinel(ground, port, primary)),
        settle: () => watched(sentinels.map(access)),
      },
    ];
    return { stages, url: `${urlOf("redis+sentinel", sentinels)}/${primaryName}`, options: forClients };
  }
  const port = await freePort();
  const url = urlOf(certificates === undefined ? "redis" : "rediss", [port]);
  return { stages: [{ servers: [server(ground, "server", port, [])] }], url, options: forClients };
}
