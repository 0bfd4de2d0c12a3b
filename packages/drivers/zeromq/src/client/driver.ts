import {
  type Auth,
  after,
  BusError,
  type BusStatus,
  type Driver,
  type DriverOptions,
  type OpenDriver,
  Outbox,
  type Support,
} from "@quadrant/contract";
import { endpointOf } from "../address.ts";
import { publicKeyOf, rawKey } from "../curve-key.ts";
import { Operation } from "../wire/operation.ts";
import { Reader } from "../wire/reader.ts";
import { RecordKind } from "../wire/record.ts";
import { ClientBlobs } from "./blobs/client-blobs.ts";
import { ClientCalls } from "./calls.ts";
import { Connection } from "./connection.ts";
import type { LostSession } from "./connection-events.ts";
import type { CurveKeys } from "./dialer.ts";
import { ClientLogs } from "./logs.ts";
import { Publishing } from "./publishing.ts";
import { ClientQueues } from "./queues.ts";
import { Requests } from "./requests.ts";
import { Restorer } from "./restorer.ts";
import { durableSupport, support } from "./support.ts";
import { ClientTopics } from "./topics.ts";
import { ClientTuples } from "./tuples.ts";

/** How long a closing client waits at most for the hub to hear its goodbye. */
const goodbyeMs = 1_000;

/** Opens `zmq://HOST:PORT` or `zmq+ipc:///path`. */
export const open: OpenDriver = async (url, options) => {
  const endpoint = endpointOf(url);
  const curve = curveKeysOf(options.auth);
  if (options.tls !== undefined) throw new BusError("unsupported", `tls: ${support.tls!.note}`, { driver: "zeromq" });
  const require = url.searchParams.get("require");
  if (require !== null && require !== "durable")
    throw new BusError("invalid", `require=${require}: only require=durable is known`, { driver: "zeromq" });
  const driver = new ZeromqDriver(url.href, endpoint, options, curve);
  await driver.connect(options);
  if (require === "durable" && driver.support.durability!.how === "refused") {
    await driver.close(0);
    const message = `require=durable: ${support.durability!.note}; start it with --data DIR`;
    throw new BusError("unsupported", message, { driver: "zeromq" });
  }
  return driver;
};

/** Throws "unsupported" for credentials of another kind, "invalid" for keys that are none or do not belong together. */
function curveKeysOf(auth: Auth | undefined): CurveKeys | undefined {
  if (auth === undefined) return undefined;
  if (!("curve" in auth)) {
    const message = "a hub knows its clients by CURVE keys: give auth: { curve: { serverKey, publicKey, secretKey } }";
    throw new BusError("unsupported", message, { driver: "zeromq" });
  }
  const { serverKey, publicKey, secretKey } = auth.curve;
  rawKey("auth.curve.serverKey", serverKey);
  rawKey("auth.curve.publicKey", publicKey);
  if (publicKeyOf("auth.curve.secretKey", secretKey) !== publicKey) {
    const message = "auth.curve: the secret key is not that of the public key; `quadrant hub keygen` prints a pair";
    throw new BusError("invalid", message, { driver: "zeromq" });
  }
  return { serverKey, publicKey, secretKey };
}

/** What the old session had under way nobody can count any more: the numbers were the hub's. */
function liveGap(): BusStatus {
  const reason = "the session with the hub was lost: what was published, and not passed on by then, is not counted";
  return { kind: "gap", at: new Date(), detail: { reason } };
}

class ZeromqDriver implements Driver {
  readonly name = "zeromq" as const;
  readonly url: string;
  readonly topics: ClientTopics;
  readonly queues: ClientQueues;
  readonly logs: ClientLogs;
  readonly tuples: ClientTuples;
  readonly calls: ClientCalls;
  readonly blobs: ClientBlobs;
  readonly #connection: Connection;
  readonly #requests: Requests;
  readonly #publishing: Publishing;
  readonly #outbox: Outbox;
  readonly #restorer = new Restorer();
  readonly #payloadLimit: number;
  readonly #timeoutMs: number;
  #listener: ((status: BusStatus) => void) | undefined;
  #closing: Promise<void> | undefined;

  constructor(url: string, endpoint: string, options: DriverOptions, curve: CurveKeys | undefined) {
    this.url = url;
    this.#payloadLimit = options.maxPayloadBytes;
    this.#timeoutMs = options.requestTimeoutMs;
    this.#connection = new Connection(endpoint, options.name, curve, {
      record: (kind, packet, start, end) => this.#record(kind, packet, start, end),
      renewed: (lost) => this.#renew(lost),
      progress: () => this.#outbox.progress(),
      status: (status) => this.#listener?.(status),
    });
    this.#requests = new Requests(this.#connection, options.requestTimeoutMs);
    this.#publishing = new Publishing(this.#connection);
    this.#outbox = new Outbox(this.#publishing, options.outboxBytes, options.requestTimeoutMs);
    this.topics = new ClientTopics(this.#requests, this.#outbox, this.#restorer);
    this.queues = new ClientQueues(this.#requests, this.#restorer);
    this.logs = new ClientLogs(this.#requests, this.#restorer);
    this.tuples = new ClientTuples(this.#requests, this.#restorer);
    this.blobs = new ClientBlobs(this.#requests, this.#restorer);
    this.calls = new ClientCalls(this.#connection, this.#requests, this.#restorer);
  }

  get support(): Support {
    return this.#connection.about.durable ? durableSupport : support;
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

  #record(kind: number, packet: Buffer, start: number, end: number): void {
    if (this.calls.record(kind, packet, start, end)) return;
    const body = packet.subarray(start, end);
    if (kind === RecordKind.response) this.#requests.respond(body);
    else if (kind === RecordKind.publishDenied) this.#publishDenied(new Reader(body, 0).text());
    else if (!this.topics.record(kind, body)) throw new Error(`unknown record ${kind}`);
  }

  #publishDenied(subject: string): void {
    this.#publishing.deny(subject);
    this.#listener?.({ kind: "denied", at: new Date(), detail: { operation: "publish", subject } });
  }

  async #renew(lost: LostSession): Promise<void> {
    if (this.#publishing.renew() || this.topics.size > 0) this.#listener?.(liveGap());
    // What an older loss wanted set up is dropped first; what is set up now goes out before everything else.
    this.#requests.forgetRestores();
    const restored: Promise<void>[] = [];
    const { durable } = this.#connection.about;
    const first = durable ? lost.session : undefined;
    this.#restorer.each((operation, values, failed) => {
      restored.push(this.#requests.restore(operation, values, failed, first));
    });
    this.#requests.renew(lost, durable);
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
