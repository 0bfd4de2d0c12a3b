import { after, BusError } from "@quadrant/contract";
import { failureOf } from "./failures.ts";
import type { Link } from "./link/link.ts";
import type { Wire } from "./link/wire.ts";
import { type Reply, ReplyError } from "./resp/reply-reader.ts";

/** Who waits for a channel to be effective. */
interface Waiting {
  /** In the turn in which it is: what comes from then on is his. */
  effective(): void;
  failed(error: BusError): void;
}

interface Channel {
  users: number;
  /** Whether the server has acknowledged it on this connection. */
  effective: boolean;
  waiting: Waiting[];
  failure: BusError | undefined;
}

/** What is subscribed on the connection for messages: channels and patterns, each once, again after every reconnect. */
export class Channels {
  readonly #link: Link;
  readonly #timeoutMs: number;
  /** Calls back once the messages that came before have been handed on. */
  readonly #inOrder: (callback: () => void) => void;
  readonly #channels = new Map<string, Channel>();

  constructor(link: Link, timeoutMs: number, inOrder: (callback: () => void) => void) {
    this.#link = link;
    this.#timeoutMs = timeoutMs;
    this.#inOrder = inOrder;
  }

  /** `key`: "c" or "p", then the channel or pattern. Resolves once effective; calls back in that very turn. */
  async open(key: string, effective: () => void): Promise<void> {
    let channel = this.#channels.get(key);
    const push = this.#link.session?.push;
    if (channel === undefined) {
      channel = { users: 0, effective: false, waiting: [], failure: undefined };
      this.#channels.set(key, channel);
      if (push !== undefined) void this.#subscribe(push, key, channel);
    }
    channel.users++;
    // Others have it already: what is under way from before is not for who comes now.
    if (channel.effective && push !== undefined) this.#fence(push, key, channel);
    try {
      await this.#within(channel, effective);
    } catch (error) {
      void this.close(key);
      throw error;
    }
  }

  #within(channel: Channel, effective: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        effective: () => {
          clearTimeout(timer);
          effective();
          resolve();
        },
        failed: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      };
      const timer = setTimeout(() => {
        channel.waiting = channel.waiting.filter((each) => each !== waiting);
        const message = "subscribe: the server did not answer within requestTimeoutMs";
        reject(new BusError("unavailable", message, { driver: "redis" }));
      }, this.#timeoutMs);
      channel.waiting.push(waiting);
    });
  }

  #fence(push: Wire, key: string, channel: Channel): void {
    const reply = (): void => this.#inOrder(() => this.#effective(key, channel));
    push.send({ reply, lost: () => undefined }, (writer) => writer.command(["PING"]));
  }

  #effective(key: string, channel: Channel): void {
    if (this.#channels.get(key) !== channel) return;
    channel.effective = true;
    channel.failure = undefined;
    for (const each of channel.waiting.splice(0)) each.effective();
  }

  /** Resolves once the server has answered, or the connection was lost: the next one subscribes it then. */
  #subscribe(push: Wire, key: string, channel: Channel): Promise<void> {
    const command = key[0] === "p" ? "PSUBSCRIBE" : "SUBSCRIBE";
    return new Promise((resolve) => {
      const reply = (answer: Reply): void => {
        this.#inOrder(() => {
          if (answer instanceof ReplyError) this.#refused(channel, failureOf(answer, "subscribe"));
          else this.#effective(key, channel);
        });
        resolve();
      };
      push.send({ reply, lost: resolve }, (writer) => writer.command([command, key.slice(1)]));
    });
  }

  #refused(channel: Channel, failure: BusError): void {
    channel.failure = failure;
    for (const each of channel.waiting.splice(0)) each.failed(failure);
  }

  /** One user less; resolves once the server knows, or within requestTimeoutMs. Never rejects. */
  async close(key: string): Promise<void> {
    const channel = this.#channels.get(key);
    if (channel === undefined || --channel.users > 0) return;
    this.#channels.delete(key);
    const command = key[0] === "p" ? "PUNSUBSCRIBE" : "UNSUBSCRIBE";
    const push = this.#link.session?.push;
    if (push === undefined) return;
    let cancel: (() => void) | undefined;
    const late = new Promise<void>((resolve) => {
      cancel = after(this.#timeoutMs, resolve);
    });
    const known = push.ask([command, key.slice(1)]).catch(() => undefined);
    await Promise.race([known, late]).finally(cancel);
  }

  /** On a new connection. Tells which could not be had any more. */
  async restore(push: Wire): Promise<ReadonlyMap<string, BusError>> {
    for (const channel of this.#channels.values()) channel.effective = false;
    await Promise.all([...this.#channels].map(([key, channel]) => this.#subscribe(push, key, channel)));
    const failed = new Map<string, BusError>();
    for (const [key, { failure }] of this.#channels) if (failure !== undefined) failed.set(key, failure);
    return failed;
  }

  shut(): void {
    const closed = new BusError("closed", "subscribe: the connection was closed", { driver: "redis" });
    for (const { waiting } of this.#channels.values()) for (const each of waiting.splice(0)) each.failed(closed);
    this.#channels.clear();
  }
}
