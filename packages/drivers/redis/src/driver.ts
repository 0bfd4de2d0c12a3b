import { randomBytes } from "node:crypto";
import {
  BusError,
  type BusStatus,
  type Driver,
  type DriverOptions,
  type OpenDriver,
  type Support,
} from "@quadrant/contract";
import { RedisBlobs } from "./blobs/blobs.ts";
import { RedisCalls } from "./calls.ts";
import { Fetching } from "./fetching.ts";
import { Inbox } from "./inbox.ts";
import { Link } from "./link/link.ts";
import type { Wire } from "./link/wire.ts";
import { Loans } from "./loans.ts";
import { type Location, locationOf } from "./location.ts";
import { RedisLogs } from "./logs.ts";
import { inboxChannel, topicChannel } from "./names.ts";
import { Openings } from "./openings.ts";
import { RedisQueues } from "./queues.ts";
import { Requests } from "./requests.ts";
import { allLibraries } from "./scripts/all.ts";
import { tickSpace } from "./scripts/space-leases.ts";
import { supportOf } from "./support.ts";
import { RedisTopics } from "./topics.ts";
import { TupleWaits } from "./tuple-waits.ts";
import { RedisTuples } from "./tuples.ts";

const channelStart = topicChannel("").length;
/** How long a closing client waits at most for the server to take its goodbye. */
const goodbyeMs = 1_000;

/** Opens redis:, rediss:, redis+sentinel: and redis+cluster: URLs. */
export const open: OpenDriver = async (url, options) => {
  const location = locationOf(url, options);
  const driver = new RedisDriver(url.href, location, options);
  await driver.connect(options);
  const { durability } = driver.support;
  if (location.requiresDurable && durability!.how === "refused") {
    await driver.close(0);
    throw new BusError("unsupported", `require=durable: ${durability!.note}`, { driver: "redis" });
  }
  return driver;
};

class RedisDriver implements Driver {
  readonly name = "redis" as const;
  readonly url: string;
  readonly maxPayloadBytes: number;
  readonly topics: RedisTopics;
  readonly queues: RedisQueues;
  readonly tuples: RedisTuples;
  readonly logs: RedisLogs;
  readonly calls: RedisCalls;
  readonly blobs: RedisBlobs;
  readonly #link: Link;
  readonly #requests: Requests;
  readonly #openings: Openings;
  readonly #fetching: Fetching;
  readonly #loans = new Loans();
  readonly #waits: TupleWaits;
  readonly #inbox: Inbox;
  #listener: ((status: BusStatus) => void) | undefined;
  #closing: Promise<void> | undefined;

  constructor(url: string, location: Location, options: DriverOptions) {
    this.url = url;
    this.maxPayloadBytes = options.maxPayloadBytes;
    // In a cluster nobody can tell by a count of receivers whether a client is there: see scripts/waiters.ts.
    const client = `${location.kind === "cluster" ? "C" : "S"}${randomBytes(9).toString("base64url")}`;
    const terms = { location, name: options.name, inbox: inboxChannel(client), libraries: allLibraries };
    this.#link = new Link(terms, {
      restore: (push) => this.#restore(push),
      ready: (repeatable) => this.#ready(repeatable),
      lost: () => this.#lost(),
      message: (message) => this.#inbox.message(message),
      status: (status) => this.#listener?.(status),
    });
    this.#inbox = new Inbox(terms.inbox, {
      topic: (key, channel, body) => this.topics.subscriptions.message(key, channel.slice(channelStart), body),
      word: (word) => this.#word(word),
      flow: (open) => this.#link.session?.push.flow(open),
    });
    this.#requests = new Requests(this.#link, client, options.requestTimeoutMs);
    this.topics = new RedisTopics(this.#requests, this.#link, {
      outboxBytes: options.outboxBytes,
      timeoutMs: options.requestTimeoutMs,
      inOrder: (callback) => this.#inbox.inOrder(callback),
      status: (status) => this.#listener?.(status),
    });
    this.calls = new RedisCalls(this.#requests, this.#link);
    this.#openings = new Openings(this.#requests);
    this.#fetching = new Fetching(this.#link);
    this.blobs = new RedisBlobs(this.#requests, this.#openings);
    this.logs = new RedisLogs(this.#requests, this.#fetching, this.#loans, this.#openings);
    this.#waits = new TupleWaits(this.#link, client, (key, sweeps) => {
      const terms = { what: "look at the clock", writes: false };
      this.#requests.run(tickSpace, key, [sweeps ? "1" : "0"], terms).catch(() => undefined);
    });
    this.tuples = new RedisTuples(
      this.#requests,
      this.#waits,
      this.#openings,
      this.#fetching,
      () => this.support.durability?.how === "refused",
    );
    const now = (): number => Math.floor(Date.now() + this.#link.about.aheadMs);
    this.queues = new RedisQueues(this.#requests, this.#fetching, this.#loans, this.#openings, now);
  }

  get support(): Support {
    return supportOf(this.#link.about, this.#link.location);
  }

  async connect(options: DriverOptions): Promise<void> {
    try {
      await this.#link.open(options.timeoutMs, options.signal);
    } catch (error) {
      await this.#link.close(0);
      const detail = { cause: error, driver: "redis" };
      if (options.signal?.aborted) {
        const { reason } = options.signal;
        throw new BusError("aborted", "connecting was aborted by its signal", { ...detail, cause: reason });
      }
      if (error instanceof BusError && error.code !== "unavailable") throw error;
      const why = error instanceof Error ? error.message : String(error);
      throw new BusError("unavailable", `no server within ${options.timeoutMs} ms: ${why}`, detail);
    }
  }

  async #restore(push: Wire): Promise<void> {
    await Promise.all([this.topics.restore(push), this.topics.groups.restore(), this.calls.restore()]);
  }

  #ready(repeatable: boolean): void {
    this.#requests.ready(repeatable);
    this.calls.ready();
    this.#fetching.renew();
    this.#waits.renew();
    if (this.#link.reconnects > 0) this.topics.reconnected();
  }

  #lost(): void {
    this.#inbox.lost();
    this.topics.lost();
    this.calls.lost();
  }

  /** A message for this client alone. */
  #word(word: Buffer): number {
    const text = (): string => word.toString("utf8", 1);
    switch (word[0]) {
      case 0x77: // w: there may be something
        if (!this.#fetching.woken(text())) this.#passOn(text());
        return 0;
      case 0x63: // c: calls for a server of ours
        this.calls.inbound.placed(word);
        return 0;
      case 0x66: // f: what others say of calls
        this.calls.words(word);
        return 0;
      case 0x67: // g: a packet for a member of a group
        return this.topics.groups.message(word);
      case 0x74: // t: something was handed to a waiter
        this.#waits.told(text());
        return 0;
      case 0x64: {
        // d: there will be something
        const [key, ms] = text().split(" ");
        if (key!.startsWith("q:s:")) this.#waits.due(key!, Number(ms));
        else this.#fetching.due(key!, Number(ms));
        return 0;
      }
      default:
        return 0;
    }
  }

  #passOn(key: string): void {
    if (key.startsWith("q:m:")) this.queues.pass(key);
    else if (key.startsWith("q:l:")) this.logs.durables.pass(key);
  }

  async list(kind: "mailbox" | "log" | "space" | "blobs"): Promise<readonly string[]> {
    return this.#openings.names(kind);
  }

  flush(): Promise<void> {
    return this.topics.flush();
  }

  onStatus(listener: (status: BusStatus) => void): void {
    this.#listener = listener;
  }

  async describe(): Promise<Readonly<Record<string, unknown>>> {
    const { about, reconnects } = this.#link;
    return {
      client: {
        node: process.versions.node,
        outboxBytes: this.topics.pendingBytes,
        outboxWaiting: this.topics.outbox.waiting,
        requests: this.#requests.size,
        subscriptions: this.topics.subscriptions.size,
        calls: this.calls.outbound.size,
        served: this.calls.inbound.size,
        groupMembers: this.topics.groups.size,
        loans: this.#loans.size,
        fetches: this.#fetching.size,
        waits: this.#waits.size,
        reconnects,
      },
      server: { product: about.product, version: about.version, keeps: about.keeps, policy: about.policy },
    };
  }

  close(drainMs: number): Promise<void> {
    this.#closing ??= this.#close(drainMs);
    return this.#closing;
  }

  async #close(drainMs: number): Promise<void> {
    const end = performance.now() + drainMs;
    const fetched = this.#fetching.close();
    this.#waits.close();
    if (drainMs > 0 && this.#link.ready) await this.#within(drainMs, this.topics.flush());
    if (this.#link.ready) await this.#within(goodbyeMs, Promise.all([fetched, this.#link.answered()]));
    await this.#within(goodbyeMs, this.#goodbye());
    this.topics.close();
    this.#requests.close();
    await this.#link.close(Math.max(1, Math.min(goodbyeMs, end - performance.now())));
  }

  /** What is held here is given back. */
  async #goodbye(): Promise<void> {
    // Callers learn at once, whether or not the server can be told.
    const calls = this.calls.close();
    if (!this.#link.ready) return;
    await calls;
    await Promise.all([this.#loans.close(), this.tuples.close(), this.topics.groups.close()]);
    // What came too late has been sent back since.
    await this.#link.answered();
  }

  async #within(ms: number, work: Promise<unknown>): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms);
    });
    await Promise.race([work.catch(() => undefined), late]);
    clearTimeout(timer);
  }
}
