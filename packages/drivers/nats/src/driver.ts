import type { BusStatus, Driver, DriverOptions, OpenDriver, Support } from "@quadrant/contract";
import { NatsBlobs } from "./blobs/blobs.ts";
import { NatsCalls } from "./calls/calls.ts";
import type { NatsConnection } from "./connection.ts";
import { connectionOptions } from "./credentials.ts";
import { failed } from "./failure.ts";
import { JetStream } from "./jetstream.ts";
import { NatsLogs } from "./logs/logs.ts";
import { openConnection } from "./opening.ts";
import { Outbox } from "./outbox.ts";
import { Pulls } from "./pulls.ts";
import { NatsQueues } from "./queues/queues.ts";
import { type OwnerPolicy, ownerPolicyOf } from "./space/owner-watch.ts";
import { NatsTuples } from "./space/tuples.ts";
import { supportOf } from "./support.ts";
import { NatsTopics } from "./topics.ts";

/** How long a closing client waits at least for the server to hear its goodbye. */
const goodbyeMs = 50;

/** Opens `nats://HOST:PORT,…` or `tls://HOST:PORT,…`. */
export const open: OpenDriver = async (url, options) => {
  const replicas = replicasOf(url);
  const require = url.searchParams.get("require");
  if (require !== null && require !== "durable")
    throw failed("invalid", `require=${require}: only require=durable is known`);
  const owner = ownerPolicyOf(url);
  const connection = await openConnection(connectionOptions(url, options), options);
  if (!connection.isAtLeast(2, 9)) {
    const { serverVersion } = connection;
    await connection.close();
    throw failed("unsupported", `nats-server ${serverVersion} is too old for this driver: it needs 2.9 or newer`);
  }
  const driver = new NatsDriver(url, connection, options, replicas, owner);
  if (require === "durable" && driver.support.durability!.how === "refused") {
    const { note } = driver.support.durability!;
    await driver.close(0);
    throw failed("unsupported", `require=durable: ${note}`);
  }
  return driver;
};

function replicasOf(url: URL): number {
  const given = url.searchParams.get("replicas");
  if (given === null) return 1;
  if (!/^[1-5]$/.test(given)) throw failed("invalid", `replicas=${given}: give 1 to 5, an odd number for a cluster`);
  return Number(given);
}

class NatsDriver implements Driver {
  readonly name = "nats" as const;
  readonly url: string;
  readonly support: Support;
  readonly topics: NatsTopics;
  readonly queues: NatsQueues;
  readonly logs: NatsLogs;
  readonly calls: NatsCalls;
  readonly tuples: NatsTuples;
  readonly blobs: NatsBlobs;
  readonly #connection: NatsConnection;
  readonly #jetstream: JetStream;
  readonly #outbox: Outbox;
  readonly #pulls: Pulls;
  readonly #payloadLimit: number;
  readonly #timeoutMs: number;
  #closing: Promise<void> | undefined;

  constructor(url: URL, connection: NatsConnection, options: DriverOptions, replicas: number, owner: OwnerPolicy) {
    this.url = url.href;
    this.#connection = connection;
    this.#payloadLimit = options.maxPayloadBytes;
    this.#timeoutMs = options.requestTimeoutMs;
    this.support = supportOf(connection);
    this.#jetstream = new JetStream(connection, replicas);
    this.#outbox = new Outbox(connection, options.outboxBytes, options.requestTimeoutMs);
    this.topics = new NatsTopics(connection, this.#outbox);
    this.calls = new NatsCalls(connection);
    this.#pulls = new Pulls(connection);
    this.queues = new NatsQueues(this.#jetstream, this.#pulls);
    const able = this.support.space!.how !== "refused";
    this.tuples = new NatsTuples(connection, { url, options, replicas, policy: able ? owner : "never" });
    this.blobs = new NatsBlobs(this.#jetstream);
    const { how, note } = this.support["log.expectLast"]!;
    this.logs = new NatsLogs(this.#jetstream, this.#pulls, this.queues.services, how === "refused" ? note : undefined);
  }

  get maxPayloadBytes(): number {
    return Math.min(this.#payloadLimit, this.#connection.maxPayloadBytes);
  }

  async list(kind: "mailbox" | "log" | "space" | "blobs"): Promise<readonly string[]> {
    if (kind === "mailbox") return await this.queues.list();
    if (kind === "blobs") return await this.blobs.names();
    if (kind === "log") return await this.logs.list();
    if (kind === "space" && this.support.space!.how !== "refused") return await this.tuples.list();
    return [];
  }

  async flush(): Promise<void> {
    const deadline = performance.now() + this.#timeoutMs;
    await this.#connection.whenConnected("flush", deadline);
    await this.#outbox.emptied(deadline);
    const confirms = this.#outbox.mark();
    await this.#connection.sync("flush", Math.max(1, deadline - performance.now()));
    confirms();
  }

  onStatus(listener: (status: BusStatus) => void): void {
    this.#connection.onStatus(listener);
  }

  async describe(): Promise<Readonly<Record<string, unknown>>> {
    const { info } = this.#connection;
    return {
      client: {
        node: process.versions.node,
        outboxBytes: this.#outbox.bytes,
        outboxWaiting: this.#outbox.waiting,
        requests: this.#connection.requestsWaiting,
        ...this.#connection.raw.stats(),
      },
      spaces: this.tuples.describe(),
      server: {
        version: this.#connection.serverVersion,
        name: info?.server_name,
        cluster: info?.cluster,
        jetstream: info?.jetstream === true,
        maxPayloadBytes: this.#connection.maxPayloadBytes,
      },
    };
  }

  close(drainMs: number): Promise<void> {
    this.#closing ??= this.#close(drainMs);
    return this.#closing;
  }

  async #close(drainMs: number): Promise<void> {
    const deadline = performance.now() + drainMs;
    const { connected } = this.#connection;
    if (drainMs > 0 && connected) await this.#outbox.emptied(deadline).catch(() => undefined);
    this.calls.close();
    const last = Math.max(deadline, performance.now() + goodbyeMs);
    await this.#pulls.close(deadline - goodbyeMs, last);
    await this.queues.close(last);
    this.logs.close();
    await this.tuples.close(last);
    // What was said last is to be heard, also by those who were told to hurry.
    const left = Math.max(goodbyeMs, deadline - performance.now());
    if (connected) await this.#connection.sync("close", left).catch(() => undefined);
    this.#outbox.close();
    await this.#connection.close();
  }
}
