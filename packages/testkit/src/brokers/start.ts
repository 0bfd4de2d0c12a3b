import type { BrokerKind, BrokerOptions, StartedBroker, Way } from "./broker.ts";
import { engineAnswers, NoImage } from "./docker.ts";
import type { Formation } from "./formation.ts";
import { HubProcess } from "./hub-process.ts";
import { planNats } from "./nats-formation.ts";
import { findProgram } from "./program.ts";
import { planRedis } from "./redis-formation.ts";
import { takeRunning, urlVariables } from "./running-broker.ts";
import { EarlyEnd, type Program, type Server, type ServerPlan } from "./server.ts";
import { type PreparedStage, ServerBroker } from "./server-broker.ts";
import { ServerContainer } from "./server-container.ts";
import { ServerProcess } from "./server-process.ts";

type ServerKind = "nats" | "redis";

const programs: Readonly<Record<ServerKind, Program>> = { nats: "nats-server", redis: "redis-server" };

function imageOf(kind: ServerKind, version: string | undefined): string {
  const named = kind === "nats" ? process.env.QUADRANT_NATS_IMAGE : process.env.QUADRANT_REDIS_IMAGE;
  if (named !== undefined && named !== "" && version === undefined) return named;
  return kind === "nats" ? `nats:${version ?? "2-alpine"}` : `redis:${version ?? "8"}`;
}

/** Why a broker cannot be had in one of the ways. The other ways are tried then. */
class NoWay extends Error {}

type Prepare = (plan: ServerPlan) => Promise<Server>;

async function preparation(kind: ServerKind, via: "docker" | "binary", options: BrokerOptions): Promise<Prepare> {
  if (via === "docker") {
    if (!(await engineAnswers())) throw new NoWay("no Docker engine answers on this machine");
    const image = imageOf(kind, options.version);
    const hostNetwork = options.cluster !== undefined && options.cluster !== false;
    return (plan) => ServerContainer.prepare(plan, { image, hostNetwork, data: options.data });
  }
  const binary = await findProgram(programs[kind]);
  if (binary === undefined) throw new NoWay(`no ${programs[kind]} on the PATH`);
  return (plan) => ServerProcess.prepare(plan, { binary, data: options.data });
}

/** A free port may be taken by another before the server listens: then all begins anew, with other ports. */
const attempts = 5;

async function startServers(
  kind: ServerKind,
  via: "docker" | "binary",
  options: BrokerOptions,
): Promise<StartedBroker> {
  const prepare = await preparation(kind, via, options);
  for (let attempt = 1; ; attempt += 1) {
    const formation: Formation = kind === "nats" ? await planNats(options) : await planRedis(options);
    const stages: PreparedStage[] = [];
    try {
      for (const stage of formation.stages)
        stages.push({ stage, servers: await Promise.all(stage.servers.map(prepare)) });
      return await ServerBroker.start(kind, via, formation, stages);
    } catch (error) {
      if (error instanceof NoImage) throw new NoWay(error.message, { cause: error });
      if (!(error instanceof EarlyEnd && error.portTaken) || attempt === attempts) throw error;
    }
  }
}

function checkHub({ tls, cluster, auth, permissions }: BrokerOptions): void {
  if (tls) throw new Error("zeromq has no tls: a hub encrypts with the keys of auth: curve");
  if (cluster) throw new Error("zeromq has no cluster: a hub is one process");
  if (auth !== undefined && auth !== "curve") throw new Error(`zeromq has no auth: ${auth}, only "curve"`);
  if (auth === undefined && permissions !== undefined) throw new Error("permissions need auth");
}

async function startIn(way: Way, kind: BrokerKind, options: BrokerOptions): Promise<StartedBroker> {
  const { version } = options;
  if (options.data !== undefined && options.cluster)
    throw new Error("a cluster's servers have folders of their own: leave out data");
  let broker: StartedBroker;
  if (way === "url") {
    const url = process.env[urlVariables[kind]];
    if (url === undefined || url === "") throw new NoWay(`${urlVariables[kind]} is not set`);
    const asked = (["durable", "data", "tls", "auth", "cluster"] as const).filter(
      (name) => options[name] !== undefined,
    );
    if (asked.length > 0)
      throw new NoWay(`the broker at ${urlVariables[kind]} is as it is: ${asked} cannot be asked for`);
    broker = await takeRunning(kind, url);
  } else if (kind === "zeromq") {
    if (way === "docker") throw new NoWay("a hub is started as a process here; brokers/zeromq makes an image of it");
    checkHub(options);
    broker = await HubProcess.start(options);
  } else {
    broker = await startServers(kind, way, options);
  }
  // The tag of an image need not begin with the version of what is in it.
  if (version === undefined || way === "docker" || `${broker.version}.`.startsWith(`${version}.`)) return broker;
  await broker[Symbol.asyncDispose]();
  throw new NoWay(`the ${kind} that is here is of version ${broker.version}, not ${version}`);
}

function waysFor(kind: BrokerKind, options: BrokerOptions): readonly Way[] {
  if (options.via !== undefined) return [options.via];
  const forced = process.env.QUADRANT_BROKERS;
  if (forced === undefined || forced === "") return ["url", "docker", "binary"];
  if (forced !== "url" && forced !== "docker" && forced !== "binary") {
    throw new Error(`QUADRANT_BROKERS is url, docker or binary, not ${forced}`);
  }
  // A hub is always a process of its own: there is nothing else to force.
  return kind === "zeromq" ? ["url", "binary"] : [forced];
}

/**
 * Starts a broker of the kind at 127.0.0.1, in the first of the ways that there is. Rejects with the list of ways, and why
 * each is none, where there is none. It ends with the process that started it, however that ends.
 */
export async function startBroker(kind: BrokerKind, options: BrokerOptions = {}): Promise<StartedBroker> {
  const ways = waysFor(kind, options);
  const why: string[] = [];
  for (const way of ways) {
    try {
      return await startIn(way, kind, options);
    } catch (error) {
      if (!(error instanceof NoWay)) throw error;
      why.push(`${way}: ${error.message}`);
    }
  }
  const program =
    kind === "zeromq" ? "" : `, or install ${programs[kind]} (Debian, Ubuntu: apt-get install ${programs[kind]})`;
  throw new Error(
    `no ${kind} broker can be had here. ${why.join("; ")}. Set ${urlVariables[kind]}, start a Docker engine${program}`,
  );
}

/** Whether `startBroker` has a way to try for this kind, without trying it. */
export async function hasWay(kind: ServerKind): Promise<boolean> {
  const ways = waysFor(kind, {});
  if (ways.includes("url") && (process.env[urlVariables[kind]] ?? "") !== "") return true;
  if (ways.includes("binary") && (await findProgram(programs[kind])) !== undefined) return true;
  return ways.includes("docker") && engineAnswers();
}
