import {
  type BlobStore,
  type Bus,
  BusError,
  type BusStatus,
  type CallOptions,
  type Client,
  checkDuration,
  type DriverName,
  type Log,
  type LogOptions,
  type Mailbox,
  type MailboxOptions,
  type Message,
  type PublishOptions,
  type ServeOptions,
  type Server,
  type Service,
  type ServiceInfo,
  type SpaceOptions,
  type SubscribeOptions,
  type Subscription,
  type Support,
  type Transaction,
  type TupleSpace,
} from "@quadrant/contract";
import { openMailbox, receiveLeased } from "@quadrant/mailbox";
import { openLog, publish, subscribe } from "@quadrant/pubsub";
import { client, serve, services } from "@quadrant/rpc";
import { openSpace } from "@quadrant/tuplespace";
import { openBlobs } from "./blobs/blob-store.ts";
import type { Connection } from "./connection.ts";
import { checkOptions } from "./options.ts";

const kinds: readonly unknown[] = ["mailbox", "log", "space", "blobs"];

function frozen(support: Support): Support {
  return Object.freeze(
    Object.fromEntries(Object.entries(support).map(([feature, answer]) => [feature, Object.freeze({ ...answer })])),
  );
}

/** Each model, behind one face. Where a method returns a promise, a bad argument is a rejection. */
export class ConnectedBus implements Bus {
  readonly url: string;
  readonly driver: DriverName;
  readonly support: Support;
  readonly #connection: Connection;

  constructor(connection: Connection, url: string) {
    this.#connection = connection;
    this.url = url;
    this.driver = connection.driver.name;
    this.support = frozen(connection.driver.support);
  }

  publish(subject: string, data: unknown, options?: PublishOptions): Promise<void> {
    // Not async: a promise less for each message.
    try {
      checkOptions(options);
      return publish(this.#connection, subject, data, options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async subscribe<T = unknown>(pattern: string, options?: SubscribeOptions<T>): Promise<Subscription<Message<T>>> {
    checkOptions(options);
    return subscribe(this.#connection, pattern, options);
  }

  async log<T = unknown>(name: string, options?: LogOptions<T>): Promise<Log<T>> {
    checkOptions(options);
    return openLog(this.#connection, receiveLeased, name, options);
  }

  async mailbox<T = unknown>(address: string, options?: MailboxOptions<T>): Promise<Mailbox<T>> {
    checkOptions(options);
    return openMailbox(this.#connection, address, options);
  }

  async space(name: string, options?: SpaceOptions): Promise<TupleSpace> {
    checkOptions(options);
    return openSpace(this.#connection, name, options);
  }

  async transaction(options?: { readonly leaseMs?: number | undefined }): Promise<Transaction> {
    checkOptions(options);
    checkDuration("leaseMs", options?.leaseMs);
    throw this.#unsupported("transactions are");
  }

  async serve<S extends Service<S>>(address: string, service: S, options?: ServeOptions): Promise<Server> {
    checkOptions(options);
    return serve(this.#connection, address, service, options);
  }

  client<S extends Service<S>>(address: string, options?: CallOptions): Client<S> {
    checkOptions(options);
    return client<S>(this.#connection, address, options);
  }

  async services(): Promise<readonly ServiceInfo[]> {
    return services(this.#connection);
  }

  async blobs(name: string): Promise<BlobStore> {
    return openBlobs(this.#connection, name);
  }

  async list(kind: "mailbox" | "log" | "space" | "blobs"): Promise<readonly string[]> {
    if (!kinds.includes(kind)) {
      throw new BusError("invalid", `list(${JSON.stringify(kind)}): give "mailbox", "log", "space" or "blobs"`);
    }
    this.#connection.assertOpen();
    return [...(await this.#connection.driver.list(kind))];
  }

  async flush(): Promise<void> {
    this.#connection.assertOpen();
    await this.#connection.driver.flush();
  }

  /** Not of the public face: see describe.ts. */
  async describe(): Promise<Readonly<Record<string, unknown>>> {
    this.#connection.assertOpen();
    return this.#connection.driver.describe();
  }

  status(): AsyncIterable<BusStatus> {
    return this.#connection.statuses.read();
  }

  close(options?: { readonly drainMs?: number | undefined }): Promise<void> {
    try {
      checkOptions(options);
      checkDuration("drainMs", options?.drainMs);
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#connection.close(options?.drainMs ?? 10_000);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #unsupported(what: string): BusError {
    this.#connection.assertIntake();
    return new BusError("unsupported", `${what} not in this release, on any driver`, { driver: this.driver });
  }
}
