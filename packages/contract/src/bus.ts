import type { BlobStore } from "./blob.ts";
import type { CallOptions, Client, ServeOptions, Server, Service, ServiceInfo } from "./call.ts";
import type { Codec } from "./codec.ts";
import type { Log, LogOptions } from "./log.ts";
import type { Mailbox, MailboxOptions } from "./mailbox.ts";
import type { Message, PublishOptions, SubscribeOptions, Subscription } from "./message.ts";
import type { SpaceOptions, Transaction, TupleSpace } from "./space.ts";
import type { Support } from "./support.ts";

export type DriverName = "memory" | "file" | "zeromq" | "nats" | "redis";

export interface ConnectOptions {
  /** Shown in broker listings and traces. Default: the process title. */
  readonly name?: string | undefined;
  readonly timeoutMs?: number | undefined;
  /** The deadline of every operation that names none. Default 5 000. */
  readonly requestTimeoutMs?: number | undefined;
  /** Default `json`. What the codec cannot carry rejects with "codec". Incoming bodies are decoded by their content type where one is given. */
  readonly codec?: Codec | undefined;
  /** A larger body is "too-large", before anything is sent. Default 8 MiB, or the broker's own limit where that is lower. */
  readonly maxPayloadBytes?: number | undefined;
  /** What may wait here for a slow or absent broker. Default 64 MiB. */
  readonly outboxBytes?: number | undefined;
  readonly auth?: Auth | undefined;
  readonly tls?:
    | { readonly ca?: string | undefined; readonly cert?: string | undefined; readonly key?: string | undefined }
    | undefined;
  readonly signal?: AbortSignal | undefined;
}
/** User and password may stand in the URL instead. Keys and tokens never appear in messages, logs or `url`. */
export type Auth =
  | { readonly user: string; readonly password: string }
  | { readonly token: string }
  | { readonly nkeySeed: string }
  | { readonly credsFile: string }
  | { readonly curve: { readonly serverKey: string; readonly publicKey: string; readonly secretKey: string } };

export interface Bus extends AsyncDisposable {
  /** The URL with any password masked. */
  readonly url: string;
  readonly driver: DriverName;
  /** What this driver, on this server's version, does natively, emulates, or refuses, each with a reason. Data, printed by `quadrant doctor`. */
  readonly support: Support;

  // -- event-based: the sender names no receiver (referentially decoupled); both must be up (temporally coupled)
  /**
   * Resolves when the broker, or the bounded outbox to it, has taken the message; waits while the outbox drains; "overflow"
   * when it has not drained at all for requestTimeoutMs, or when un-awaited publishes exceed outboxBytes. What waits in the
   * outbox at a disconnect is sent after the reconnect, in order. No subscriber is not an error.
   */
  publish(subject: string, data: unknown, options?: PublishOptions): Promise<void>;
  /** Resolves only once effective: a message published after it resolves, by anyone, is received. Pattern: `*` one token, `>` one or more at the end. */
  subscribe<T = unknown>(pattern: string, options?: SubscribeOptions<T>): Promise<Subscription<Message<T>>>;
  /**
   * A stored, replayable sequence of messages: publish/subscribe made temporally decoupled. Created if absent. The name is
   * one token. A log has subjects of its own: `append` reaches no live subscriber, `publish` stores nothing.
   */
  log<T = unknown>(name: string, options?: LogOptions<T>): Promise<Log<T>>;

  // -- mailbox: the sender names the box (referentially coupled); the owner may be away (temporally decoupled)
  mailbox<T = unknown>(address: string, options?: MailboxOptions<T>): Promise<Mailbox<T>>;

  // -- shared data space: neither names nor meets the other. The name is one token
  space(name: string, options?: SpaceOptions): Promise<TupleSpace>;
  /** Over any spaces of this bus, all or none. On Redis Cluster: spaces of one hash tag only, else "unsupported". */
  transaction(options?: { readonly leaseMs?: number | undefined }): Promise<Transaction>;

  // -- direct: the caller names the callee, and both must be up
  /** Every method of `service`, its class's included, can be called; an async generator method streams. Several servers of one address share its calls. */
  serve<S extends Service<S>>(address: string, service: S, options?: ServeOptions): Promise<Server>;
  /**
   * A typed stub: `await client<Calc>("calc").add(1, 2)`; `for await (const n of stub.count(3))`. A call is sent at once; what it
   * returns can be awaited or iterated. `then`, `catch`, `finally`, `toJSON`, `$with`, symbols and the names of Object.prototype
   * are never forwarded, and serving a method of such a name is "invalid".
   */
  client<S extends Service<S>>(address: string, options?: CallOptions): Client<S>;
  /** Who serves what now: the directory of servers, with their method names, instance ids, and call statistics. */
  services(): Promise<readonly ServiceInfo[]>;

  /** Large values by name, streamed, where a message would be too large. Replaced whole; a reader sees one version. */
  blobs(name: string): Promise<BlobStore>;
  /** The mailboxes, logs, spaces or blob stores there are. */
  list(kind: "mailbox" | "log" | "space" | "blobs"): Promise<readonly string[]>;

  /** Resolves when all that was published so far has reached the broker. */
  flush(): Promise<void>;
  status(): AsyncIterable<BusStatus>;
  /** Drain: stop intake, let work in flight finish (up to drainMs, default 10 000), flush, close. Same as [Symbol.asyncDispose]. */
  close(options?: { readonly drainMs?: number | undefined }): Promise<void>;
}

/** One event a transition. */
export interface BusStatus {
  readonly kind: "connected" | "disconnected" | "reconnected" | "slow-consumer" | "gap" | "denied" | "closed";
  readonly at: Date;
  readonly detail?: Readonly<Record<string, unknown>> | undefined;
}
