/** NATS servers with JetStream on file, one or three that are routed to each other. */
import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { createUser } from "@nats-io/nkeys";
import type { Auth } from "@quadrant/contract";
import type { BrokerOptions } from "./broker.ts";
import { type Certificates, clientTls, makeCertificates, pemsOf } from "./certificate.ts";
import { exchange } from "./exchange.ts";
import type { Formation } from "./formation.ts";
import { makeOperatorCredentials } from "./nats-operator.ts";
import { freePort } from "./port.ts";
import type { Place, ServerPlan } from "./server.ts";

interface Credentials {
  readonly auth: Auth;
  /** What the configuration says of them. */
  readonly configuration: string;
  /** Takes back what they have left on this machine. */
  remove?(): Promise<void>;
}

interface UserCredentials {
  readonly auth: Auth;
  /** Of the user, in the configuration. */
  readonly user: string;
}

async function makeCredentials(options: BrokerOptions): Promise<Credentials | undefined> {
  const { auth, permissions } = options;
  if (auth === "curve") throw new Error('NATS has no auth: curve, only "password", "token", "nkey" and "creds"');
  if (auth === "creds") {
    if (permissions !== undefined) throw new Error("creds have no permissions here: use auth: password or nkey");
    const { configuration, credsFile, remove } = await makeOperatorCredentials();
    return { auth: { credsFile }, configuration, remove };
  }
  if (auth !== undefined) {
    const credentials = makeUser(auth);
    return { auth: credentials.auth, configuration: authorization(options, credentials) };
  }
  if (permissions !== undefined) throw new Error("permissions need auth");
  return undefined;
}

function makeUser(kind: "password" | "token" | "nkey"): UserCredentials {
  const secret = randomBytes(18).toString("base64url");
  switch (kind) {
    case "password":
      return { auth: { user: "quadrant", password: secret }, user: `user: quadrant, password: "${secret}"` };
    case "token":
      return { auth: { token: secret }, user: `token: "${secret}"` };
    case "nkey": {
      const pair = createUser();
      return {
        auth: { nkeySeed: new TextDecoder().decode(pair.getSeed()) },
        user: `nkey: ${pair.getPublicKey()}`,
      };
    }
  }
}

/** A slow machine is no reason to refuse a client: it has a minute to say who it is. */
function authorization(options: BrokerOptions, credentials: UserCredentials): string {
  const { permissions } = options;
  if (options.auth === "token") {
    if (permissions !== undefined) throw new Error("a token has no permissions in NATS: use auth: password or nkey");
    return `authorization { timeout: 60, ${credentials.user} }`;
  }
  const may = permissions === undefined ? "" : `, permissions: ${permissions}`;
  return `authorization { timeout: 60, users: [ { ${credentials.user}${may} } ] }`;
}

interface Member {
  readonly name: string;
  readonly port: number;
  readonly monitor: number;
  readonly route: number;
}

async function ask(port: number, path: string): Promise<unknown> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(2_000) });
  return response.json();
}

interface ClusterState {
  readonly meta_cluster?: {
    readonly leader?: string;
    readonly replicas?: readonly { readonly current?: boolean }[];
  };
}

/** Whether all name one leader, and the leader finds all others up to date. What they say of the size may be old for good (2.9). */
function isSettled(states: readonly ClusterState[], members: readonly Member[]): boolean {
  const leaders = new Set(states.map(({ meta_cluster: cluster }) => cluster?.leader));
  const [leader] = leaders;
  if (leaders.size !== 1 || leader === undefined || leader === "") return false;
  const { replicas = [] } = states[members.findIndex(({ name }) => name === leader)]?.meta_cluster ?? {};
  return replicas.filter(({ current }) => current).length === members.length - 1;
}

/** Resolves once the servers have chosen who leads JetStream. After a restart they take 4 to 9 seconds, or twice that. */
async function leaderKnown(members: readonly Member[]): Promise<void> {
  const end = Date.now() + 60_000;
  for (;;) {
    const asked = members.map(({ monitor }) => ask(monitor, "/jsz").catch(() => ({})));
    const states = (await Promise.all(asked)) as ClusterState[];
    if (isSettled(states, members)) return;
    if (Date.now() > end)
      throw new Error(`the NATS servers chose no leader within a minute: ${JSON.stringify(states)}`);
    await pause(50);
  }
}

async function probe(port: number): Promise<string> {
  const info = await exchange({ port, say: "" }, (heard) => /^INFO (.*)\r\n/.exec(heard)?.[1]);
  return String((JSON.parse(info) as { version: unknown }).version);
}

export async function planNats(options: BrokerOptions): Promise<Formation> {
  if (options.cluster === "sharded") throw new Error("NATS has no sharded cluster: use cluster: true");
  const durable = options.durable !== false;
  const certificates = options.tls ? makeCertificates() : undefined;
  const credentials = await makeCredentials(options);
  const members: Member[] = [];
  for (let at = 0; at < (options.cluster ? 3 : 1); at += 1) {
    const [port, monitor, route] = [await freePort(), await freePort(), await freePort()];
    members.push({ name: `n${at + 1}`, port, monitor, route });
  }
  const servers = members.map((member): ServerPlan => {
    const configure = ({ folder, host }: Place): string =>
      [
        `server_name: ${member.name}`,
        `listen: "${host}:${member.port}"`,
        // As much as a connection takes by default: the server's own limit of 1 MiB counts the headers, too.
        "max_payload: 8MB",
        durable ? `jetstream { store_dir: "${folder}/data" }` : "",
        credentials?.configuration ?? "",
        tlsOf(certificates, folder, options.tls === "mutual"),
        members.length === 1 ? "" : clusterOf(member, members),
      ].join("\n");
    return {
      role: "server",
      program: "nats-server",
      port: member.port,
      otherPorts: members.length === 1 ? [] : [member.monitor, member.route],
      args: ({ folder }) => ["-c", `${folder}/server.conf`],
      files: (place) => ({ "server.conf": configure(place), ...pemsOf(certificates) }),
      probe: () => probe(member.port),
    };
  });
  const scheme = certificates === undefined ? "nats" : "tls";
  return {
    stages: [{ servers, ...(members.length > 1 && durable && { settle: () => leaderKnown(members) }) }],
    url: `${scheme}://${members.map(({ port }) => `127.0.0.1:${port}`).join(",")}`,
    options: {
      ...(credentials && { auth: credentials.auth }),
      ...(certificates && { tls: clientTls(certificates, options.tls === "mutual") }),
    },
    ...(credentials?.remove && { remove: credentials.remove }),
  };
}

function tlsOf(certificates: Certificates | undefined, folder: string, mutual: boolean): string {
  if (certificates === undefined) return "";
  const files = `cert_file: "${folder}/server.pem", key_file: "${folder}/server.key", ca_file: "${folder}/ca.pem"`;
  return `tls { ${files}, verify: ${mutual}, timeout: 60 }`;
}

function clusterOf(member: Member, members: readonly Member[]): string {
  // Its own route too: a server takes their number for the size of the cluster until it has heard from the others.
  const routes = members.map(({ route }) => `"nats://127.0.0.1:${route}"`);
  return [
    `http: "127.0.0.1:${member.monitor}"`,
    `cluster { name: quadrant, listen: "127.0.0.1:${member.route}", routes: [ ${routes.join(", ")} ] }`,
  ].join("\n");
}
