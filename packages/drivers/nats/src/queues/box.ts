import type { QueueOptions } from "@quadrant/contract";
import { failed, isJetStreamError } from "../failure.ts";
import type { Incoming } from "../incoming.ts";
import { type JetStream, noConsumer } from "../jetstream.ts";
import { type Held, Loans, nanoseconds, serverLeaseMs } from "../loans.ts";
import type { PullSource } from "../pulls.ts";
import { boxSubject, mailStream, mailSubject, stateStream } from "./layout.ts";
import type { LetterForm } from "./letter-form.ts";
import { RecentlySettled } from "./settled.ts";

const defaultLeaseMs = 30_000;
const defaultMaxAttempts = 5;

export interface BoxTerms {
  readonly address: string;
  readonly leaseMs: number;
  readonly maxAttempts: number;
  readonly capacity: number | undefined;
}

/** Whose turn a letter with a key has: where it stands in the line, and how often the turn had been delivered before it came. */
export interface Turn {
  readonly key: string;
  readonly seq: number;
  readonly base: number;
  readonly deliveries: number;
}

export interface HeldLetter extends Held {
  readonly letter: LetterForm;
  /** When it was stored, in milliseconds since the epoch. */
  readonly time: number;
  readonly attempt: number;
  /** How often it was given back unhandled, as far as this delivery counts. */
  readonly released: number;
  readonly turn: Turn | undefined;
  settling: boolean;
  /** Which of the connections of this client it was lent in, or is known in to be on loan. */
  epoch: number;
  /** Told when the server has delivered it again to its holder. */
  recalled: (() => void) | undefined;
  /** Of the last attempt: buries it when its lease runs out. */
  watch: NodeJS.Timeout | undefined;
}

export function termsOf(address: string, options: QueueOptions): BoxTerms {
  return {
    address,
    leaseMs: options.leaseMs ?? defaultLeaseMs,
    maxAttempts: options.maxAttempts ?? defaultMaxAttempts,
    capacity: options.capacity,
  };
}

export function assertSame(what: string, has: object, given: object): void {
  for (const [name, wanted] of Object.entries(given) as [string, unknown][]) {
    if (wanted === undefined) continue;
    const is = (has as Readonly<Record<string, unknown>>)[name];
    if (is === wanted) continue;
    const made = is === undefined ? "unset" : String(is);
    const message = `${what} was made with ${name} ${made}, not ${String(wanted)}: leave it out, or destroy and make it anew`;
    throw failed("conflict", message);
  }
}

export async function readTerms(jetstream: JetStream, what: string, box: string): Promise<BoxTerms | undefined> {
  const found = await jetstream.message(what, stateStream, { last_by_subj: boxSubject(box) });
  if (found === undefined) return undefined;
  const { address, leaseMs, maxAttempts, capacity } = JSON.parse(Buffer.from(found.body).toString("utf8")) as BoxTerms;
  return { address, leaseMs, maxAttempts, capacity };
}

/** Of a durable: it lends the entries of a log, which stay where they are. */
export interface EntrySource {
  readonly stream: string;
  readonly consumer: string;
  /** What stands before an entry's subject. */
  readonly prefix: string;
  /** What its consumer is made with. */
  readonly config: Readonly<Record<string, unknown>>;
}

/** A mailbox as this connection knows it: its terms, what is lent here, and its consumer while somebody receives. */
export class Box implements PullSource {
  readonly token: string;
  readonly terms: BoxTerms;
  readonly entries: EntrySource | undefined;
  readonly loans: Loans<HeldLetter> = new Loans();
  readonly #jetstream: JetStream;
  readonly #strayed: (box: Box, message: Incoming) => Promise<void>;
  readonly settled: RecentlySettled = new RecentlySettled();
  /** After a reconnect: until what was settled before it is sure to be gone. */
  mending: Promise<void> | undefined;
  #consumer: Promise<void> | undefined;
  /** Those that a killed server forgot are asked for one after the other. */
  recalling: Promise<void> = Promise.resolve();
  /** Sends into a mailbox with a capacity go one after the other. */
  sending: Promise<unknown> = Promise.resolve();

  constructor(
    jetstream: JetStream,
    token: string,
    terms: BoxTerms,
    strayed: (box: Box, message: Incoming) => Promise<void>,
    entries?: EntrySource,
  ) {
    this.#jetstream = jetstream;
    this.token = token;
    this.terms = terms;
    this.#strayed = strayed;
    this.entries = entries;
  }

  get stream(): string {
    return this.entries?.stream ?? mailStream;
  }

  get consumer(): string {
    return this.entries?.consumer ?? this.token;
  }

  /** Whose attempts that do not count are written down under. */
  get releasedToken(): string {
    return this.entries === undefined ? this.token : `${this.token}-entries`;
  }

  get what(): string {
    return this.entries === undefined ? `the mailbox ${this.terms.address}` : `the durable ${this.terms.address}`;
  }

  get filter(): string {
    return `${mailSubject(this.token)}.>`;
  }

  async strayed(message: Incoming): Promise<void> {
    await this.#strayed(this, message);
  }

  /** The consumer is there; made, where it is not. */
  ready(): Promise<void> {
    this.#consumer ??= this.#make().catch((error: unknown) => {
      this.#consumer = undefined;
      throw error;
    });
    return this.#consumer;
  }

  forgetConsumer(): void {
    this.#consumer = undefined;
  }

  async #make(): Promise<void> {
    const { connection, replicas } = this.#jetstream;
    const config = this.entries?.config ?? {
      durable_name: this.consumer,
      ack_policy: "explicit",
      deliver_policy: "all",
      ack_wait: nanoseconds(serverLeaseMs(this.terms.leaseMs)),
      filter_subject: this.filter,
      max_deliver: -1,
      max_ack_pending: -1,
      num_replicas: replicas,
    };
    const body = { stream_name: this.stream, config };
    await connection.api(this.what, `CONSUMER.DURABLE.CREATE.${this.stream}.${this.consumer}`, body, { writes: true });
  }

  /** undefined: there is none, so that nothing is held and everything waits. */
  async consumerInfo(timeoutMs?: number): Promise<ConsumerInfo | undefined> {
    return await consumerInfo(this.#jetstream, this.what, this.stream, this.consumer, timeoutMs);
  }
}

export interface ConsumerInfo {
  readonly num_ack_pending: number;
  readonly num_pending: number;
  readonly num_waiting: number;
  readonly delivered: { readonly stream_seq: number };
  readonly config: Readonly<Record<string, unknown>>;
}

export async function consumerInfo(
  jetstream: JetStream,
  what: string,
  stream: string,
  consumer: string,
  timeoutMs?: number,
): Promise<ConsumerInfo | undefined> {
  try {
    const endpoint = `CONSUMER.INFO.${stream}.${consumer}`;
    const left = timeoutMs === undefined ? {} : { timeoutMs: Math.max(1, timeoutMs) };
    return await jetstream.connection.api<ConsumerInfo>(what, endpoint, undefined, left);
  } catch (error) {
    if (isJetStreamError(error, noConsumer)) return undefined;
    throw error;
  }
}

export async function removeConsumer(
  jetstream: JetStream,
  what: string,
  stream: string,
  consumer: string,
): Promise<void> {
  try {
    await jetstream.connection.api(what, `CONSUMER.DELETE.${stream}.${consumer}`, undefined, { writes: true });
  } catch (error) {
    if (!isJetStreamError(error, noConsumer)) throw error;
  }
}
