import {
  after,
  BusError,
  type BusStatus,
  type Driver,
  type DriverOptions,
  type OpenDriver,
  type Support,
} from "@quadrant/contract";
import { endpointOf } from "../address.ts";
import { Operation } from "../wire/operation.ts";
import { RecordKind } from "../wire/record.ts";
import { ClientCalls } from "./calls.ts";
import { Connection } from "./connection.ts";
import { ClientLogs } from "./logs.ts";
import { Outbox } from "./outbox.ts";
import { ClientQueues } from "./queues.ts";
import { Requests } from "./requests.ts";
import { Restorer } from "./restorer.ts";
import { support } from "./support.ts";
import { ClientTopics } from "./topics.ts";
import { ClientTuples } from "./tuples.ts";

/** How long a closing client waits at most for the hub to hear its goodbye. */
const goodbyeMs = 1_000;

/** Opens `zmq://HOST:PORT` or `zmq+ipc:///path`. */
export const open: OpenDriver = async (url, options) => {
  const endpoint = endpointOf(url);
  if (options.auth !== undefined) {
    throw new BusError("unsupported", `auth: ${support.auth!.note}`, { driver: "zeromq" });
  }
  if (options.tls !== undefined) throw new BusError("unsupported", `tls: ${support.tls!.note}`, { driver: "zeromq" });
  const require = url.searchParams.get("require");
  if (require === "durable") {
    throw new BusError("unsupported", `require=durable: ${support.durability!.note}`, { driver: "zeromq" });
  }
  if (require !== null)
    throw new BusError("invalid", `require=${require}: only require=durable is known`, { driver: "zeromq" });
  const driver = new ZeromqDriver(url.href, endpoint, options);
  await driver.connect(options);
  return driver;
};

class ZeromqDriver implements Driver {
  readonly name = "zeromq" as const;
  readonly url: string;
  readonly support: Support = support;
  readonly topics: ClientTopics;
  readonly queues: ClientQueues;
  readonly logs: ClientLogs;
  readonly tuples: ClientTuples;
  readonly calls: ClientCalls;
  readonly #connection: Connection;
  readonly #requests: Requests;
  readonly #outbox: Outbox;
  readonly #restorer = new Restorer();
  readonly #payloadLimit: number;
  readonly #timeoutMs: number;
  #listener: ((status: BusStatus) => void) | undefined;
  #closing: Promise<void> | undefined;

  constructor(url: string, endpoint: string, options: DriverOptions) {
    this.url = url;
    this.#payloadLimit = options.maxPayloadBytes;
    this.#timeoutMs = options.requestTimeoutMs;
    this.#connection = new Connection(endpoint, options.name, {
      record: (kind, body) => this.#record(kind, body),
      renewed: (sameHub) => this.#renew(sameHub),
      progress: () => this.#outbox.progress(),
      status: (status) => this.#listener?.(status),
    });
    this.#requests = new Requests(this.#connection, options.requestTimeoutMs);
    this.#outbox = new Outbox(this.#connection, options.outboxBytes, options.requestTimeoutMs);
    this.topics = new ClientTopics(this.#requests, this.#outbox, this.#restorer);
    this.queues = new ClientQueues(this.#requests, this.#restorer);
    this.logs = new ClientLogs(this.#requests, this.#restorer);
    this.tuples = new ClientTuples(this.#requests, this.#restorer);
    this.calls = new ClientCalls(this.#connection, this.#requests, this.#restorer);
  }

  get maxPayloadBytes(): number {
    return Math.min(this.#payloadLimit, this.#connection.about.maxPayloadBytes);
  }

  async connect(options: DriverOptions): Promise<void> {
    try {
      await this.#connection.open(options.timeoutMs, options.signal);
    } catch (error) {
      await this.#connection.close(0);
      if (options.signal?.aborted) {
        throw new BusError("aborted", "connecting was aborted by its signal", {
          cause: options.signal.reason,
          driver: "zeromq",
        });
      }
      if (error instanceof BusError && error.code !== "unavailable") throw error;
      const message = `no hub answers at ${this.url} within ${options.timeoutMs} ms: start one with \`quadrant hub --url ${this.url}\``;
      throw new BusError("unavailable", message, { cause: error, driver: "zeromq" });
    }
  }

  #record(kind: number, body: Buffer): void {
    if (kind === RecordKind.response) this.#requests.respond(body);
    else if (!this.topics.record(kind, body) && !this.calls.record(kind, body))
      throw new Error(`unknown record ${kind}`);
  }

  async #renew(sameHub: boolean): Promise<void> {
    // What an older loss wanted set up is dropped first; what is set up now goes out before everything else.
    this.#requests.forgetRestores();
    const restored: Promise<void>[] = [];
    this.#restorer.each((operation, values, failed) => {
      restored.push(this.#requests.restore(operation, values, failed));
    });
    this.#requests.renew(sameHub, this.#connection.about.durable);
    this.calls.renew();
    await Promise.all(restored);
  }

  async list(kind: "mailbox" | "log" | "space" | "blobs"): Promise<readonly string[]> {
    return (await this.#requests.request(Operation.list, `list of ${kind}`, "reads", [kind])).strings(0);
  }

  async flush(): Promise<void> {
    const written = this.#outbox.written();
    const sync = (): Promise<unknown> => this.#requests.request(Operation.sync, "flush", "reads", []);
    await (written === undefined ? sync() : this.#withinDeadline(written.then(sync)));
  }

  async #withinDeadline(work: Promise<unknown>): Promise<void> {
    let cancel: (() => void) | undefined;
    const late = new Promise<never>((_, reject) => {
      const message = "flush: the hub has not taken all within requestTimeoutMs; what is left is still sent";
      cancel = after(this.#timeoutMs, () => reject(new BusError("unavailable", message, { driver: "zeromq" })));
    });
    await Promise.race([work, late]).finally(cancel);
  }

  onStatus(listener: (status: BusStatus) => void): void {
    this.#listener = listener;
  }

  async describe(): Promise<Readonly<Record<string, unknown>>> {
    const hub = (await this.#requests.request(Operation.describe, "description of the hub", "reads", [])).string(0);
    return {
      client: {
        node: process.versions.node,
        outboxBytes: this.#connection.pendingBytes,
        outboxWaiting: this.#outbox.waiting,
        requests: this.#requests.size,
        malformed: this.#connection.malformed,
      },
      hub: JSON.parse(hub) as unknown,
    };
  }

  close(drainMs: number): Promise<void> {
    this.#closing ??= this.#close(drainMs);
    return this.#closing;
  }

  async #close(drainMs: number): Promise<void> {
    const end = performance.now() + drainMs;
    if (drainMs > 0 && this.#connection.attached) {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, drainMs);
      });
      await Promise.race([this.flush().catch(() => undefined), late]);
      clearTimeout(timer);
    }
    const left = Math.max(0, Math.min(goodbyeMs, end - performance.now()));
    this.#outbox.close();
    this.#requests.close();
    const goodbye = this.#connection.close(left);
    this.calls.close();
    await goodbye;
  }
}
