import {
  type BlobStore,
  type Bus,
  BusError,
  type BusStatus,
  type CallOptions,
  type Client,
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
import { fingerprintOf } from "./fingerprint.ts";
import { RecordedBlobs } from "./recorded-blobs.ts";
import { recordedClient, recordedService } from "./recorded-call.ts";
import { logDetails, RecordedLog } from "./recorded-log.ts";
import { RecordedMailbox } from "./recorded-mailbox.ts";
import { RecordedSpace } from "./recorded-space.ts";
import { RecordedSubscription } from "./recorded-subscription.ts";
import { RecordedTransaction } from "./recorded-transaction.ts";
import { Recorder } from "./recorder.ts";
import { FileRecording, MemoryRecording, type Recording } from "./recording.ts";

export interface RecordOptions {
  /** A file that lines are appended to, or the recording of another bus. Default: memory. */
  readonly to?: string | Recording | undefined;
  /** Who records. Unique in a history; default made up. */
  readonly process?: string | undefined;
  /** In memory, how many events are kept; what is more makes the history one that `check` does not pass. Default 1 000 000. */
  readonly maxEvents?: number | undefined;
}

/** A bus that behaves as the one below, and notes down every operation as it begins and ends. */
export interface RecordedBus extends Bus {
  readonly history: Recording;
}

class Recorded implements RecordedBus {
  readonly history: Recording;
  readonly #inner: Bus;
  readonly #recorder: Recorder;
  readonly #owned: boolean;
  #closed: Promise<void> | undefined;

  constructor(inner: Bus, { to, process, maxEvents }: RecordOptions) {
    this.#inner = inner;
    this.#owned = typeof to === "string";
    this.history = typeof to === "string" ? new FileRecording(to) : (to ?? new MemoryRecording(maxEvents));
    this.#recorder = new Recorder(this.history, inner.driver, process);
    // Ends with the connection.
    void this.#recorder.follow(inner.status());
  }

  get url(): string {
    return this.#inner.url;
  }

  get driver(): DriverName {
    return this.#inner.driver;
  }

  get support(): Support {
    return this.#inner.support;
  }

  publish(subject: string, data: unknown, options?: PublishOptions): Promise<void> {
    const args = { data: fingerprintOf(data) };
    return this.#recorder.run("publish", subject, args, () => this.#inner.publish(subject, data, options));
  }

  subscribe<T = unknown>(pattern: string, options?: SubscribeOptions<T>): Promise<Subscription<Message<T>>> {
    return this.#recorder.running(
      "subscribe",
      pattern,
      { group: options?.group },
      () => this.#inner.subscribe<T>(pattern, options),
      (messages, n) => {
        this.#recorder.returned(n);
        return new RecordedSubscription(this.#recorder, n, messages, {
          details: ({ subject, data }) => ({ subject, data: fingerprintOf(data) }),
        });
      },
    );
  }

  log<T = unknown>(name: string, options?: LogOptions<T>): Promise<Log<T>> {
    return this.#recorder.running(
      "log.open",
      name,
      logDetails(options),
      () => this.#inner.log<T>(name, options),
      (log, n) => {
        this.#recorder.returned(n);
        return new RecordedLog(this.#recorder, log);
      },
    );
  }

  mailbox<T = unknown>(address: string, options?: MailboxOptions<T>): Promise<Mailbox<T>> {
    const { leaseMs, maxAttempts } = options ?? {};
    return this.#recorder.running(
      "mailbox.open",
      address,
      { leaseMs, maxAttempts },
      () => this.#inner.mailbox<T>(address, options),
      (mailbox, n) => {
        this.#recorder.returned(n);
        return new RecordedMailbox(this.#recorder, mailbox);
      },
    );
  }

  space(name: string, options?: SpaceOptions): Promise<TupleSpace> {
    return this.#recorder.running(
      "space.open",
      name,
      { pick: options?.pick },
      () => this.#inner.space(name, options),
      (space, n) => {
        this.#recorder.returned(n);
        return new RecordedSpace(this.#recorder, space);
      },
    );
  }

  transaction(options?: { readonly leaseMs?: number | undefined }): Promise<Transaction> {
    return this.#recorder.running(
      "transaction",
      "",
      { leaseMs: options?.leaseMs },
      () => this.#inner.transaction(options),
      (transaction, n) => {
        this.#recorder.returned(n);
        return new RecordedTransaction(this.#recorder, n, transaction);
      },
    );
  }

  serve<S extends Service<S>>(address: string, service: S, options?: ServeOptions): Promise<Server> {
    const recorded = recordedService(this.#recorder, address, service) as S;
    return this.#recorder.run("serve", address, {}, () => this.#inner.serve(address, recorded, options));
  }

  client<S extends Service<S>>(address: string, options?: CallOptions): Client<S> {
    return recordedClient(this.#recorder, address, this.#inner.client<S>(address, options));
  }

  services(): Promise<readonly ServiceInfo[]> {
    return this.#inner.services();
  }

  blobs(name: string): Promise<BlobStore> {
    return this.#recorder.running(
      "blobs.open",
      name,
      {},
      () => this.#inner.blobs(name),
      (store, n) => {
        this.#recorder.returned(n);
        return new RecordedBlobs(this.#recorder, name, store);
      },
    );
  }

  list(kind: "mailbox" | "log" | "space" | "blobs"): Promise<readonly string[]> {
    return this.#inner.list(kind);
  }

  flush(): Promise<void> {
    return this.#recorder.run("flush", "", {}, () => this.#inner.flush());
  }

  status(): AsyncIterable<BusStatus> {
    return this.#inner.status();
  }

  /** Rejects with "unavailable" where the history could not be written whole; the connection is closed all the same. */
  close(options?: { readonly drainMs?: number | undefined }): Promise<void> {
    const close = (): Promise<void> => this.#inner.close(options);
    if (this.#closed !== undefined) return close();
    this.#recorder.closing();
    const closing = this.#recorder.run("close", "", {}, close).then(() => this.#end());
    // One that was refused has closed nothing.
    this.#closed = closing.catch(() => {
      this.#closed = undefined;
    });
    return closing;
  }

  async #end(): Promise<void> {
    this.#recorder.end();
    if (this.#owned) await this.history.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/**
 * A bus over the one given that behaves the same, and whose operations are noted down. Throws "invalid" for what is no bus
 * or no option, and what the file system throws where the file cannot be opened.
 */
export function record(bus: Bus, options: RecordOptions = {}): RecordedBus {
  if (typeof bus?.publish !== "function")
    throw new BusError("invalid", "record(bus): give a bus that connect returned");
  if (options.process === "") throw new BusError("invalid", "process: give a name of at least one character");
  return new Recorded(bus, options);
}
