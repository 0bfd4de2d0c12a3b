import type { NatsConnection, RequestOptions } from "./connection.ts";
import { asBusError, failed, isJetStreamError } from "./failure.ts";
import { type ReadHeaders, readHeaders } from "./wire-headers.ts";

/** Of a stream, in the words of JetStream's API; durations are nanoseconds. */
export interface StreamConfig {
  readonly name: string;
  readonly description?: string;
  readonly subjects: readonly string[];
  readonly retention: "limits" | "workqueue";
  readonly discard: "new" | "old";
  readonly storage: "file";
  readonly num_replicas: number;
  readonly max_msgs?: number;
  readonly max_bytes?: number;
  readonly max_age?: number;
  readonly max_msgs_per_subject?: number;
  readonly duplicate_window?: number;
  readonly allow_direct?: boolean;
  readonly allow_rollup_hdrs?: boolean;
  readonly deny_delete?: boolean;
}

export interface StreamInfo {
  readonly config: StreamConfig;
  readonly state: {
    readonly messages: number;
    readonly bytes: number;
    readonly first_seq: number;
    readonly last_seq: number;
    readonly subjects?: Readonly<Record<string, number>>;
  };
  readonly total?: number;
  readonly offset?: number;
  readonly limit?: number;
}

export interface StoredMessage {
  readonly subject: string;
  readonly seq: number;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly read: ReadHeaders;
  readonly body: Uint8Array;
}

interface RawStored {
  readonly message: {
    readonly subject: string;
    readonly seq: number;
    readonly hdrs?: string;
    readonly data?: string;
    readonly time: string;
  };
}

export const noStream = 10_059;
export const noMessage = 10_037;
export const noConsumer = 10_014;
export const wrongLastSequence = 10_071;
const nameInUse = 10_058;
const none = new Uint8Array(0);

/** JetStream's API, as far as this driver needs it; what it means when the answer is no, the caller knows. */
export class JetStream {
  readonly connection: NatsConnection;
  readonly replicas: number;
  readonly #ensured = new Map<string, Promise<void>>();

  constructor(connection: NatsConnection, replicas: number) {
    this.connection = connection;
    this.replicas = replicas;
  }

  /** Made once a connection, unless it is there; read back, since old servers ignore what they do not know. */
  ensure(config: StreamConfig): Promise<void> {
    const known = this.#ensured.get(config.name);
    if (known !== undefined) return known;
    const ensuring = this.#ensure(config).catch((error: unknown) => {
      this.#ensured.delete(config.name);
      throw asBusError(error, `the stream ${config.name}`);
    });
    this.#ensured.set(config.name, ensuring);
    return ensuring;
  }

  /** It may have been removed by somebody else. */
  forget(stream: string): void {
    this.#ensured.delete(stream);
  }

  async #ensure(config: StreamConfig): Promise<void> {
    if (this.connection.info?.jetstream !== true) {
      const message = "this server has no JetStream: start it with -js, or `jetstream {}` in its configuration";
      throw failed("unsupported", message);
    }
    const what = `the stream ${config.name}`;
    const found = await this.stream(what, config.name).catch((error: unknown) => {
      if (isJetStreamError(error, noStream)) return undefined;
      throw error;
    });
    if (found === undefined) {
      const { config: made } = await this.create(what, config);
      this.#check(config, made);
    } else if (found.config.num_replicas < config.num_replicas) {
      const raised = { ...found.config, num_replicas: config.num_replicas };
      const { config: made } = await this.connection.api<StreamInfo>(what, `STREAM.UPDATE.${config.name}`, raised);
      this.#check(config, made);
    } else this.#check(config, found.config);
  }

  #check(asked: StreamConfig, made: StreamConfig): void {
    const same =
      made.retention === asked.retention &&
      made.discard === asked.discard &&
      made.num_replicas >= asked.num_replicas &&
      (asked.max_msgs_per_subject === undefined || made.max_msgs_per_subject === asked.max_msgs_per_subject) &&
      asked.subjects.every((subject) => made.subjects.includes(subject));
    if (same) return;
    const message = `the stream ${asked.name} is there with another configuration, or the server ignored a part of it: remove it, or let Quadrant use another account`;
    throw failed("unsupported", message);
  }

  /** What is there already, made by somebody else at the same time, is told as it is. */
  async create(what: string, config: StreamConfig): Promise<StreamInfo> {
    try {
      return await this.connection.api<StreamInfo>(what, `STREAM.CREATE.${config.name}`, config, { writes: true });
    } catch (error) {
      if (!isJetStreamError(error, nameInUse)) throw error;
      return await this.stream(what, config.name);
    }
  }

  stream(what: string, name: string): Promise<StreamInfo> {
    return this.connection.api<StreamInfo>(what, `STREAM.INFO.${name}`);
  }

  /** Of the streams with a subject that the filter covers; all pages, none without JetStream. */
  async streamNames(what: string, subject: string): Promise<readonly string[]> {
    if (this.connection.info?.jetstream !== true) return [];
    const names: string[] = [];
    for (;;) {
      const page = await this.connection.api<{ readonly streams: readonly string[] | null; readonly total: number }>(
        what,
        "STREAM.NAMES",
        { offset: names.length, subject },
      );
      names.push(...(page.streams ?? []));
      if ((page.streams ?? []).length === 0 || names.length >= page.total) return names;
    }
  }

  /** How many messages each subject holds that the filter matches; all pages. */
  async subjects(what: string, name: string, filter: string): Promise<Map<string, number>> {
    const counts = new Map<string, number>();
    for (let offset = 0; ; ) {
      const info = await this.connection.api<StreamInfo>(what, `STREAM.INFO.${name}`, {
        subjects_filter: filter,
        offset,
      });
      for (const [subject, count] of Object.entries(info.state.subjects ?? {})) counts.set(subject, count);
      const read = Object.keys(info.state.subjects ?? {}).length;
      offset += read;
      if (read === 0 || info.total === undefined || offset >= info.total) return counts;
    }
  }

  /** By its sequence, the first on a subject from a sequence on, or the last on a subject; undefined: there is none. */
  async message(
    what: string,
    stream: string,
    query: { readonly seq?: number; readonly next_by_subj?: string; readonly last_by_subj?: string },
  ): Promise<StoredMessage | undefined> {
    try {
      const { message } = await this.connection.api<RawStored>(what, `STREAM.MSG.GET.${stream}`, query);
      return {
        subject: message.subject,
        seq: message.seq,
        time: Date.parse(message.time),
        read: readHeaders(message.hdrs === undefined ? undefined : Buffer.from(message.hdrs, "base64")),
        body: message.data === undefined ? none : Buffer.from(message.data, "base64"),
      };
    } catch (error) {
      if (isJetStreamError(error, noMessage)) return undefined;
      throw error;
    }
  }

  /** The messages of a filter from a sequence on, in order. */
  async *messages(what: string, stream: string, filter: string, from: number = 1): AsyncGenerator<StoredMessage> {
    for (let seq = from; ; ) {
      const message = await this.message(what, stream, { seq, next_by_subj: filter });
      if (message === undefined) return;
      yield message;
      seq = message.seq + 1;
    }
  }

  /** Whether it was there. */
  async remove(what: string, stream: string, seq: number): Promise<boolean> {
    try {
      await this.connection.api(what, `STREAM.MSG.DELETE.${stream}`, { seq, no_erase: true }, { writes: true });
      return true;
    } catch (error) {
      if (isJetStreamError(error, noMessage, 10_057, 10_043)) return false;
      throw error;
    }
  }

  /** How many went. */
  async purge(what: string, stream: string, filter: string): Promise<number> {
    const answer = await this.connection.api<{ readonly purged: number }>(
      what,
      `STREAM.PURGE.${stream}`,
      { filter },
      { writes: true },
    );
    return answer.purged;
  }

  /** An acknowledgement of any kind, confirmed by the server. */
  async settle(what: string, ack: string, body: string, options: RequestOptions = {}): Promise<void> {
    await this.connection.request(what, ack, Buffer.from(body), { writes: true, ...options });
  }
}
