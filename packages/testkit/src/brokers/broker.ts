import type { ConnectOptions } from "@quadrant/contract";

export type BrokerKind = "nats" | "redis" | "zeromq";
/** Where a broker comes from: one that runs already, a container, or a program of this machine. */
export type Way = "url" | "docker" | "binary";

export interface RestartOptions {
  /** Whether it forgets what it has stored, as if its disk were new. Default false. */
  readonly wipe?: boolean | undefined;
}

/** What can be done to one server, or to all servers of a broker at once. Each resolves once it has happened. */
export interface Faults {
  /** Of the process that runs now, on this machine; undefined while none does, in a container, and for several. */
  readonly pid: number | undefined;
  /** Ends it in good order. */
  stop(): Promise<void>;
  /** Ends it without a goodbye: SIGKILL. */
  kill(): Promise<void>;
  /** Starts it again at the same URL; one that runs is stopped first. What it did not keep on disk is gone. */
  restart(options?: RestartOptions): Promise<void>;
  /** Resolves once it stands still: SIGSTOP. */
  pause(): Promise<void>;
  resume(): Promise<void>;
}

/** One server of a broker. */
export interface Member extends Faults {
  /** "server"; of Redis also "primary", "replica", "sentinel", as it was when the broker began. */
  readonly role: string;
  /** `HOST:PORT` */
  readonly address: string;
}

/** A broker that was started for a test. Disposing it ends it and forgets its data; one that ran already is left alone. */
export interface StartedBroker extends Faults, AsyncDisposable {
  readonly kind: BrokerKind;
  readonly via: Way;
  /** For `connect`, together with `options`. */
  readonly url: string;
  /** Of the server: "2.9.10". */
  readonly version: string;
  /** What a connection needs beside the URL, with `auth` or `tls`; empty otherwise. */
  readonly options: Pick<ConnectOptions, "auth" | "tls">;
  /** Its servers, one by one; none for a broker that ran already, at which no fault can be injected. */
  readonly members: readonly Member[];
  [Symbol.asyncDispose](): Promise<void>;
}

export interface BrokerOptions {
  /** Default: `QUADRANT_BROKERS`, or the first of "url", "docker", "binary" that there is. */
  readonly via?: Way | undefined;
  /**
   * Of the server: a tag of the image, "2.11-alpine"; elsewhere what its version must begin with. Default: that of the
   * image `nats:2-alpine` or `redis:8`, or of the program that is installed.
   */
  readonly version?: string | undefined;
  /**
   * Whether it keeps what it acknowledged, in a fresh folder of its own that goes with it: JetStream; an append-only file
   * written every second, which a busy disk may put off ("always": before anything is acknowledged), and no eviction; a hub's data folder. Default true for "nats" and "redis", false for "zeromq".
   */
  readonly durable?: boolean | "always" | undefined;
  /**
   * An existing folder for what it stores, such as that of a disk that can be filled. It is not removed with the broker. Not
   * for a cluster. Default: a fresh one that goes with the broker.
   */
  readonly data?: string | undefined;
  /** TLS, with an authority and certificates made for this broker; "mutual" asks clients for theirs. Default false. */
  readonly tls?: boolean | "mutual" | undefined;
  /**
   * What a client must show; made up for this broker and given in `options`. "token", "nkey" and "creds" are NATS's: "creds" a
   * file that an operator's account signed, of which the server knows the operator alone. "curve" is the hub's. Default: nothing.
   */
  readonly auth?: "password" | "token" | "nkey" | "creds" | "curve" | undefined;
  /**
   * What this user may do, in the broker's own words; needs `auth`. For NATS the permissions of a user, such as
   * `{ publish: { deny: ["secret.>"] } }`; for Redis rules of an ACL, such as `~* &* +@all -publish`;
   * for a hub its `Permissions` as JSON, such as `{ "publish": ["open.>"] }`. Default: everything.
   */
  readonly permissions?: string | undefined;
  /**
   * true: three NATS servers routed to each other; a Redis primary, a replica and three Sentinels. "sharded": a Redis Cluster
   * of three primaries. Default false: one server.
   */
  readonly cluster?: boolean | "sharded" | undefined;
}
