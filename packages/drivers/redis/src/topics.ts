import {
  after,
  BusError,
  type BusStatus,
  type Envelope,
  Outbox,
  type Registration,
  type TopicSink,
  type Topics,
} from "@quadrant/contract";
import { Channels } from "./channels.ts";
import { GroupMembers } from "./group-members.ts";
import type { Link } from "./link/link.ts";
import { controlKey } from "./link/session.ts";
import type { Wire } from "./link/wire.ts";
import { Publisher } from "./publisher.ts";
import type { Requests } from "./requests.ts";
import { ping } from "./scripts/topics.ts";
import { Subscriptions, sourceOf } from "./subscriptions.ts";

export interface TopicTerms {
  readonly outboxBytes: number;
  readonly timeoutMs: number;
  status(status: BusStatus): void;
  /** Calls back once the messages that came before have been handed on. */
  inOrder(callback: () => void): void;
}

/** Live publish and subscribe. */
export class RedisTopics implements Topics {
  readonly subscriptions: Subscriptions = new Subscriptions();
  readonly groups: GroupMembers;
  readonly outbox: Outbox;
  readonly #publisher: Publisher;
  readonly #channels: Channels;
  readonly #requests: Requests;
  readonly #terms: TopicTerms;

  constructor(requests: Requests, link: Link, terms: TopicTerms) {
    this.#requests = requests;
    this.#terms = terms;
    this.groups = new GroupMembers(requests);
    this.#channels = new Channels(link, terms.timeoutMs, terms.inOrder);
    const events = { progress: () => this.outbox.progress(), status: terms.status };
    this.#publisher = new Publisher(requests, link, events);
    this.outbox = new Outbox(this.#publisher, terms.outboxBytes, terms.timeoutMs);
  }

  get pendingBytes(): number {
    return this.#publisher.pendingBytes;
  }

  publish(envelope: Envelope): Promise<void> | undefined {
    return this.outbox.publish(envelope);
  }

  async subscribe(pattern: string, group: string | undefined, sink: TopicSink): Promise<Registration> {
    const leave =
      group === undefined ? await this.#subscribe(pattern, sink) : await this.groups.join(pattern, group, sink);
    let closing: Promise<void> | undefined;
    return {
      close: () => {
        closing ??= leave();
        return closing;
      },
    };
  }

  async #subscribe(pattern: string, sink: TopicSink): Promise<() => Promise<void>> {
    const key = sourceOf(pattern);
    let remove: (() => void) | undefined;
    // In the turn in which it is effective: a first message may come in the same breath.
    await this.#channels.open(key, () => {
      remove = this.subscriptions.add(pattern, sink);
    });
    return async () => {
      remove?.();
      await this.#channels.close(key);
    };
  }

  /** On a new connection. */
  async restore(push: Wire): Promise<void> {
    this.#publisher.renew();
    const failed = await this.#channels.restore(push);
    for (const [key, error] of failed) this.subscriptions.end(key, error);
  }

  /** The connection was lost. */
  lost(): void {
    this.outbox.progress();
  }

  /** What was missed of publishers that were not heard before nobody can count. */
  reconnected(): void {
    if (this.subscriptions.size === 0) return;
    const reason =
      "the connection was cut; what publishers that were not heard before published meanwhile is not counted";
    this.#terms.status({ kind: "gap", at: new Date(), detail: { reason } });
  }

  async flush(): Promise<void> {
    const waiting = this.outbox.written();
    const settled = waiting === undefined ? this.#publisher.settled() : waiting.then(() => this.#publisher.settled());
    if (settled === undefined) {
      await this.#requests.run(ping, controlKey, [], { what: "flush", writes: false });
      return;
    }
    let cancel: (() => void) | undefined;
    const late = new Promise<never>((_, reject) => {
      const message = "flush: the server has not taken all within requestTimeoutMs; what is left is still sent";
      cancel = after(this.#terms.timeoutMs, () => reject(new BusError("unavailable", message, { driver: "redis" })));
    });
    await Promise.race([settled, late]).finally(cancel);
  }

  close(): void {
    this.outbox.close();
    this.#channels.shut();
    this.subscriptions.clear();
  }
}
