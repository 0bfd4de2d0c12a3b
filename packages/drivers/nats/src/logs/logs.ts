import { randomUUID } from "node:crypto";
import type {
  AppendRequest,
  DeadRecord,
  DurableSpec,
  FetchRequest,
  Leased,
  LogInfo,
  LogLimits,
  LogPage,
  LogReadRequest,
  Logs,
  RedriveRequest,
  Settled,
  Settlement,
  StoredEntry,
} from "@quadrant/contract";
import { asBusError, failed, isJetStreamError } from "../failure.ts";
import { type JetStream, noStream, wrongLastSequence } from "../jetstream.ts";
import type { Pulls } from "../pulls.ts";
import { assertSame, consumerInfo } from "../queues/box.ts";
import { mailStream, mailSubject, restStream, restSubject } from "../queues/layout.ts";
import type { MailServices } from "../queues/queues.ts";
import { nameOf, tokenOf } from "../token.ts";
import { encodeHeaders, headerLine } from "../wire-headers.ts";
import { Cursors } from "./cursor.ts";
import { companionToken, Durable, type DurableTerms, durableConfig } from "./durable.ts";
import {
  logConfig,
  logPrefix,
  logStream,
  logSubjects,
  storedEntry,
  termsOfStream,
  tokenOfLogStream,
} from "./log-stream.ts";

const defaultLeaseMs = 30_000;
const defaultMaxAttempts = 5;

/** Logs, each a stream of JetStream. */
export class NatsLogs implements Logs {
  readonly #jetstream: JetStream;
  readonly #mail: MailServices;
  readonly #cursors: Cursors;
  readonly #durables = new Map<string, Durable>();
  readonly #refuseExpectation: string | undefined;

  /** `refuseExpectation`: why `expectLast` is not to be relied on here. */
  constructor(jetstream: JetStream, pulls: Pulls, mail: MailServices, refuseExpectation: string | undefined) {
    this.#jetstream = jetstream;
    this.#mail = mail;
    this.#cursors = new Cursors(jetstream, pulls);
    this.#refuseExpectation = refuseExpectation;
  }

  async #on<T>(name: string, what: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (isJetStreamError(error, noStream)) {
        this.#forget(name);
        throw failed("conflict", `the log ${name} was destroyed: open it again, which makes it anew`, error);
      }
      throw asBusError(error, `${what} the log ${name}`);
    }
  }

  #forget(name: string): void {
    this.#cursors.forget(name);
    for (const [key, durable] of this.#durables) {
      if (!key.startsWith(`${name} `)) continue;
      this.#durables.delete(key);
      durable.close();
    }
  }

  async open(name: string, limits: LogLimits): Promise<void> {
    const what = `the log ${name}`;
    if (this.#jetstream.connection.info?.jetstream !== true)
      throw failed("unsupported", "this server has no JetStream: start it with -js");
    await this.#on(name, "open", async () => {
      const asked = logConfig(name, limits, this.#jetstream.replicas);
      const found = await this.#jetstream.stream(what, logStream(name)).catch((error: unknown) => {
        if (isJetStreamError(error, noStream)) return undefined;
        throw error;
      });
      // Read back: a server may ignore what it does not know, or somebody else may have been first.
      const { config } = found ?? (await this.#jetstream.create(what, asked));
      assertSame(what, termsOfStream(config, name), limits);
      if (found === undefined && (config.max_msgs !== asked.max_msgs || config.max_age !== asked.max_age))
        assertSame(what, { maxMessages: config.max_msgs }, { maxMessages: asked.max_msgs });
    });
  }

  append(name: string, entry: AppendRequest): Promise<{ readonly seq: number; readonly duplicate: boolean }> {
    const { id, expectLast, subject, headers, contentType, body } = entry;
    let extra = headerLine("Nats-Msg-Id", id === undefined ? `quadrant.${randomUUID()}` : encodeURIComponent(id));
    if (expectLast !== undefined) {
      if (this.#refuseExpectation !== undefined)
        return Promise.reject(failed("unsupported", `log.expectLast: ${this.#refuseExpectation}`));
      extra += headerLine("Nats-Expected-Last-Subject-Sequence", expectLast);
    }
    const what = `append to the log ${name}`;
    const stored = this.#jetstream.connection.store(
      what,
      `${logPrefix(name)}${subject}`,
      body,
      encodeHeaders(headers, contentType, extra),
      true,
    );
    return stored.then(
      // One that was sent twice here, for want of an answer, is no duplicate of the caller's.
      (result) => (id === undefined ? { seq: result.seq, duplicate: false } : result),
      (error: unknown) => {
        if (!isJetStreamError(error, wrongLastSequence)) throw asBusError(error, what);
        const message = `the last entry of ${subject} in the log ${name} is not ${expectLast} (${(error as Error).message}): read it, decide again, and append with its sequence`;
        throw failed("conflict", message, error);
      },
    );
  }

  read(name: string, request: LogReadRequest): Promise<LogPage> {
    return this.#on(name, "read", () => this.#cursors.read(name, request));
  }

  last(name: string, subject: string): Promise<StoredEntry | undefined> {
    return this.#on(name, "read", async () => {
      const query = { last_by_subj: `${logPrefix(name)}${subject}` };
      const found = await this.#jetstream.message(`the log ${name}`, logStream(name), query);
      return found === undefined ? undefined : storedEntry(found, logPrefix(name));
    });
  }

  info(name: string): Promise<LogInfo> {
    return this.#on(name, "ask about", async () => {
      const { state } = await this.#jetstream.stream(`the log ${name}`, logStream(name));
      const { messages, bytes, first_seq, last_seq } = state;
      return { first: messages === 0 ? last_seq + 1 : first_seq, last: last_seq, count: messages, bytes };
    });
  }

  destroy(name: string): Promise<void> {
    return this.#on(name, "destroy", async () => {
      const what = `the log ${name}`;
      const consumers = await this.#durableNames(what, name);
      await this.#jetstream.connection.api(what, `STREAM.DELETE.${logStream(name)}`, undefined, { writes: true });
      this.#forget(name);
      if (consumers.length === 0) return;
      await this.#mail.prepare();
      for (const durable of consumers) {
        const token = companionToken(name, durable);
        await this.#jetstream.purge(what, restStream, `${restSubject(token)}.>`);
        await this.#jetstream.purge(what, mailStream, `${mailSubject(token)}.>`);
      }
    });
  }

  async #durableNames(what: string, name: string): Promise<string[]> {
    const answer = await this.#jetstream.connection.api<{ readonly consumers: readonly string[] | null }>(
      what,
      `CONSUMER.NAMES.${logStream(name)}`,
    );
    return (answer.consumers ?? []).map((token) => nameOf(token)).filter((durable) => durable !== undefined);
  }

  async openDurable(name: string, spec: DurableSpec): Promise<{ readonly leaseMs: number }> {
    await this.#mail.prepare();
    return await this.#on(name, "subscribe to", async () => {
      const { leaseMs, maxAttempts, filter } = spec;
      const what = `the durable ${spec.durable} of the log ${name}`;
      let terms = await this.#terms(name, spec.durable);
      if (terms === undefined) {
        terms = { leaseMs: leaseMs ?? defaultLeaseMs, maxAttempts: maxAttempts ?? defaultMaxAttempts, filter };
        const config = durableConfig(name, spec, terms, this.#jetstream.replicas);
        const body = { stream_name: logStream(name), config };
        const endpoint = `CONSUMER.DURABLE.CREATE.${logStream(name)}.${tokenOf(spec.durable)}`;
        await this.#jetstream.connection.api(what, endpoint, body, { writes: true }).catch(async (error: unknown) => {
          // Somebody else was first.
          terms = await this.#terms(name, spec.durable);
          if (terms === undefined) throw error;
        });
      }
      assertSame(what, terms, { leaseMs, maxAttempts, filter });
      this.#remember(name, spec.durable, terms);
      return { leaseMs: terms.leaseMs };
    });
  }

  async #terms(name: string, durable: string): Promise<DurableTerms | undefined> {
    const what = `the durable ${durable} of the log ${name}`;
    const found = await consumerInfo(this.#jetstream, what, logStream(name), tokenOf(durable));
    if (found === undefined) return undefined;
    try {
      return JSON.parse(String(found.config.description)) as DurableTerms;
    } catch {
      throw failed("conflict", `${what} is a consumer that Quadrant did not make: choose another name`);
    }
  }

  #remember(name: string, durable: string, terms: DurableTerms): Durable {
    const key = `${name} ${durable}`;
    let known = this.#durables.get(key);
    if (known === undefined) {
      const { lending, post } = this.#mail;
      known = new Durable(this.#jetstream, lending, post, name, durable, terms);
      this.#durables.set(key, known);
    }
    return known;
  }

  async #obtain(name: string, durable: string): Promise<Durable> {
    const known = this.#durables.get(`${name} ${durable}`);
    if (known !== undefined) return known;
    await this.#mail.prepare();
    const terms = await this.#terms(name, durable);
    if (terms === undefined)
      throw failed("conflict", `the log ${name} has no durable ${durable}: subscribe to it, which makes it`);
    return this.#remember(name, durable, terms);
  }

  fetch(name: string, durable: string, request: FetchRequest): Promise<readonly Leased[]> {
    return this.#on(name, "read", async () => (await this.#obtain(name, durable)).fetch(request));
  }

  settle(name: string, durable: string, settlements: readonly Settlement[]): Promise<readonly Settled[]> {
    return this.#on(name, "settle entries of", async () => (await this.#obtain(name, durable)).settle(settlements));
  }

  async deadLetters(name: string, durable: string, limit: number): Promise<readonly DeadRecord[]> {
    return await this.#on(name, "read the dead letters of", async () =>
      this.#mail.inventory.deadLetters((await this.#obtain(name, durable)).redriven, limit),
    );
  }

  redrive(name: string, durable: string, request: RedriveRequest): Promise<number> {
    return this.#on(name, "redrive", async () => {
      const known = await this.#obtain(name, durable);
      const redriven = await this.#mail.inventory.redrive(known.redriven, request);
      known.notice();
      return redriven;
    });
  }

  async list(): Promise<readonly string[]> {
    const names: string[] = [];
    for (const stream of await this.#jetstream.streamNames("list of logs", logSubjects)) {
      names.push(nameOf(tokenOfLogStream(stream)) ?? (await this.#nameOfStream(stream)));
    }
    return names.sort();
  }

  async #nameOfStream(stream: string): Promise<string> {
    const { config } = await this.#jetstream.stream("list of logs", stream);
    try {
      return (JSON.parse(config.description ?? "") as { readonly log: string }).log;
    } catch {
      return stream;
    }
  }

  close(): void {
    for (const durable of this.#durables.values()) durable.close();
    this.#durables.clear();
  }
}
