import {
  type BusError,
  type Envelope,
  isLiteral,
  type Registration,
  type TopicSink,
  type Topics,
} from "@quadrant/contract";
import type { NatsConnection } from "./connection.ts";
import type { Incoming } from "./incoming.ts";
import type { Outbox } from "./outbox.ts";
import { type ReadHeaders, readCommonHeaders } from "./wire-headers.ts";

/** What a pattern that begins with a wildcard would match too: the traffic of JetStream, of requests and of this driver. */
const internal = /^(\$|_INBOX\.|_quadrant\.)/;

/** A message as it came: its headers are read when they are looked at. */
class NatsEnvelope implements Envelope {
  readonly #message: Incoming;
  readonly #subject: string | undefined;
  #read: ReadHeaders | undefined;

  /** `subject`: where it is known without a look. */
  constructor(message: Incoming, subject: string | undefined) {
    this.#message = message;
    this.#subject = subject;
  }

  get subject(): string {
    return this.#subject ?? this.#message.subject;
  }
  get #headers(): ReadHeaders {
    this.#read ??= readCommonHeaders(this.#message.headers);
    return this.#read;
  }
  get headers(): Envelope["headers"] {
    return this.#headers.headers;
  }
  get contentType(): string {
    return this.#headers.contentType;
  }
  get body(): Uint8Array {
    return this.#message.data;
  }
}

/** Topics are core NATS: a subject is a subject, a group a queue group. */
export class NatsTopics implements Topics {
  readonly #connection: NatsConnection;
  readonly #outbox: Outbox;

  constructor(connection: NatsConnection, outbox: Outbox) {
    this.#connection = connection;
    this.#outbox = outbox;
  }

  publish(envelope: Envelope): Promise<void> | undefined {
    return this.#outbox.publish(envelope);
  }

  async subscribe(pattern: string, group: string | undefined, sink: TopicSink): Promise<Registration> {
    const foreign = pattern.startsWith("*") || pattern.startsWith(">");
    const literal = isLiteral(pattern) ? pattern : undefined;
    let open = true;
    let denied: BusError | undefined;
    let effective = false;
    // What comes in one read of the socket is handed over together.
    let batch: Envelope[] = [];
    const handOver = (): void => {
      const full = batch;
      batch = [];
      if (open) sink.deliver(full);
    };
    const subscription = this.#connection.subscribe(
      pattern,
      group,
      (message) => {
        if (!open || (foreign && internal.test(message.subject))) return;
        if (batch.push(new NatsEnvelope(message, literal)) === 1) queueMicrotask(handOver);
      },
      (error) => {
        denied = error;
        if (effective && open) sink.end(error);
        open = false;
      },
    );
    const end = (): void => {
      open = false;
      subscription.close();
    };
    try {
      await this.#connection.sync(`subscribe ${pattern}`);
    } catch (error) {
      end();
      throw error;
    }
    if (denied !== undefined) throw denied;
    effective = true;
    const lost = this.#connection.onBack(() => {
      // How many were published meanwhile nobody knows.
      this.#connection.report("gap", {
        pattern,
        reason: "the connection was away: what was published meanwhile is lost",
      });
    });
    let closing: Promise<void> | undefined;
    const close = async (): Promise<void> => {
      lost();
      const was = open;
      end();
      if (was && this.#connection.connected) await this.#connection.sync("unsubscribe").catch(() => undefined);
    };
    return {
      close: () => {
        closing ??= close();
        return closing;
      },
    };
  }
}
