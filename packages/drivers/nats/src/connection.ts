/**
 * Over 300 lines because what a request goes through - sent, answered, late, lost, repeated, denied - is one state that every
 * transition of the connection touches.
 */
import type { Socket } from "node:net";
import {
  createInbox,
  type NatsConnection as RawConnection,
  type Status,
  type Subscription,
} from "@nats-io/transport-node";
import { type BusError, type BusStatus, isBusError } from "@quadrant/contract";
import { failed } from "./failure.ts";
import type { Incoming } from "./incoming.ts";
import { type ControlParser, MessageReader } from "./message-reader.ts";
import { MessageWriter } from "./message-writer.ts";
import { type ApiAnswer, jetStreamError, type Stored } from "./pub-ack.ts";
import { PendingRequest, RequestTable, type RequestTerms } from "./request-table.ts";
import { isAtLeast } from "./server-version.ts";
import { isUnheard, patienceMs, retryMs, Storing } from "./storing.ts";
import type { EncodedHeaders } from "./wire-headers.ts";

/**
 * What of the client's inside is used: it dials, authenticates, follows the cluster and subscribes anew; messages are read and
 * written here, past its parser and its buffers.
 */
interface Inside {
  readonly connected: boolean;
  readonly info?: { readonly max_payload: number };
  readonly outbound: { size(): number };
  readonly transport?: { readonly socket?: Pick<Socket, "writableLength">; send(bytes: Uint8Array): void };
  parser: ControlParser;
  inMsgs: number;
  inBytes: number;
  outMsgs: number;
  outBytes: number;
  sendCommand(command: Uint8Array): void;
  flush(): Promise<void>;
}

export interface RequestOptions {
  readonly headers?: EncodedHeaders | undefined;
  /** The connection's requestTimeoutMs unless told. */
  readonly timeoutMs?: number | undefined;
  /**
   * Whether it may be asked again after a reconnect: it only reads, or is guarded against its own repetition. What is not
   * repeatable is "indefinite" when the connection was lost, or no answer came, after it was sent.
   */
  readonly repeatable?: boolean | undefined;
  /** Whether it changes anything: then it is "indefinite" where no answer came, else "unavailable". */
  readonly writes?: boolean | undefined;
}

const nothing = new Uint8Array(0);
/** Headers of the user and of this driver together. */
const headerReserve = 65_536;

/**
 * One connection to NATS, and what everything of this driver shares: own deadlines around every request, one inbox for all
 * replies, requests repeated after a reconnect where that is harmless, every transition told once.
 */
export class NatsConnection {
  readonly raw: RawConnection;
  readonly requestTimeoutMs: number;
  readonly #inside: Inside;
  readonly #inbox = createInbox();
  readonly #requests = new RequestTable();
  readonly #lost = new Set<() => void>();
  readonly #back = new Set<() => void>();
  readonly #denied = new Set<(operation: string, subject: string) => void>();
  #listener: ((status: BusStatus) => void) | undefined;
  #closed = false;
  #away = false;
  #lastInfo: RawConnection["info"];
  #reportedAway = false;
  #epoch = 0;
  readonly #writer = new MessageWriter((bytes) => this.#write(bytes));
  /** By the number that the client gave the subscription. */
  readonly #delivering = new Map<number, (message: Incoming) => void>();

  constructor(raw: RawConnection, requestTimeoutMs: number) {
    this.raw = raw;
    this.requestTimeoutMs = requestTimeoutMs;
    this.#inside = (raw as unknown as { readonly protocol: Inside }).protocol;
    this.#readMessages();
    this.subscribe(`${this.#inbox}.*`, undefined, (message) => this.#answered(message));
    this.#lastInfo = raw.info;
    void this.#follow();
  }

  /** The client makes itself a parser for every connection: it gets what is left over here. */
  #readMessages(): void {
    const inside = this.#inside;
    const reader = new MessageReader(inside.parser, (subscription, message, bytes) => {
      inside.inMsgs++;
      inside.inBytes += bytes;
      this.#delivering.get(subscription)?.(message);
    });
    Object.defineProperty(inside, "parser", {
      get: () => reader,
      set: (parser: ControlParser) => reader.restart(parser),
    });
  }

  /** Without a connection it is thrown away, as the client does with what it has not sent. */
  #write(bytes: Uint8Array): void {
    const { connected, outbound, transport } = this.#inside;
    if (!connected || transport === undefined) return;
    if (outbound.size() === 0) transport.send(bytes);
    else this.#inside.sendCommand(bytes);
  }

  /** What the server said of itself; while there is none, what the last one said. */
  get info(): RawConnection["info"] {
    this.#lastInfo = this.raw.info ?? this.#lastInfo;
    return this.#lastInfo;
  }

  get serverVersion(): string {
    return this.info?.version ?? "0.0.0";
  }

  isAtLeast(major: number, minor: number, patch?: number): boolean {
    return isAtLeast(this.serverVersion, major, minor, patch);
  }

  /** The server's limit, which counts a message's headers, too. */
  get #limitBytes(): number {
    return this.#inside.info?.max_payload ?? this.#lastInfo?.max_payload ?? 1_048_576;
  }

  /** What a body may have, with room left for headers. */
  get maxPayloadBytes(): number {
    return Math.max(1, this.#limitBytes - Math.min(headerReserve, Math.floor(this.#limitBytes / 4)));
  }

  /** Throws "too-large" for what the server would end the connection for. */
  #assertFits(body: Uint8Array, headers: EncodedHeaders | undefined): void {
    const bytes = body.length + (headers?.length ?? 0);
    if (bytes <= this.#limitBytes) return;
    throw failed(
      "too-large",
      `a message of ${bytes} bytes, headers included: the server takes ${this.#limitBytes} (max_payload)`,
    );
  }

  /** Whether what is published now goes to a server; what is not would be thrown away by the client. */
  get connected(): boolean {
    return this.#inside.connected && !this.#away && !this.#closed;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Bytes that the kernel has not taken yet. */
  get pendingBytes(): number {
    return this.#writer.size + this.#inside.outbound.size() + (this.#inside.transport?.socket?.writableLength ?? 0);
  }

  get requestsWaiting(): number {
    return this.#requests.size;
  }

  onStatus(listener: (status: BusStatus) => void): void {
    this.#listener = listener;
  }

  report(kind: BusStatus["kind"], detail?: Readonly<Record<string, unknown>>): void {
    this.#listener?.({ kind, at: new Date(), ...(detail === undefined ? undefined : { detail }) });
  }

  /** Called when the connection was lost; returns what ends that. */
  onLost(listener: () => void): () => void {
    this.#lost.add(listener);
    return () => void this.#lost.delete(listener);
  }

  /** Called when there is a connection again and the subscriptions have been sent. */
  onBack(listener: () => void): () => void {
    this.#back.add(listener);
    return () => void this.#back.delete(listener);
  }

  /** "publish" or "subscription", and the subject that the server does not permit. */
  onDenied(listener: (operation: string, subject: string) => void): () => void {
    this.#denied.add(listener);
    return () => void this.#denied.delete(listener);
  }

  /** Only while connected; at once. Throws "too-large". */
  publish(subject: string, body: Uint8Array, reply: string = "", headers?: EncodedHeaders): void {
    this.#assertFits(body, headers);
    this.#inside.outMsgs++;
    this.#inside.outBytes += body.length + (headers?.length ?? 0);
    this.#writer.publish(subject, reply, headers, body);
  }

  /** Not yet effective: see `sync`. The client sets it up again after a reconnect. `ended` where the server forbids it. */
  subscribe(
    subject: string,
    queue: string | undefined,
    deliver: (message: Incoming) => void,
    ended?: (error: BusError) => void,
  ): RawSubscription {
    this.#writer.flush();
    const subscription = this.raw.subscribe(subject, {
      ...(queue === undefined ? undefined : { queue }),
      callback: (error) => {
        if (error !== null) ended?.(failed("denied", `subscribe ${subject}: the server does not permit it`, error));
      },
    });
    const id = (subscription as Subscription & { getID(): number }).getID();
    this.#delivering.set(id, deliver);
    return {
      close: () => {
        this.#delivering.delete(id);
        if (this.#closed || subscription.isClosed()) return;
        this.#writer.flush();
        subscription.unsubscribe();
      },
      drain: async () => {
        if (this.#closed || subscription.isClosed()) return;
        this.#writer.flush();
        if (!this.connected) subscription.unsubscribe();
        else await within(subscription.drain(), this.requestTimeoutMs);
        this.#delivering.delete(id);
      },
    };
  }

  /** Resolves once the server has taken all that was sent so far, subscriptions included. */
  async sync(what: string, timeoutMs: number = this.requestTimeoutMs): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      await this.whenConnected(what, deadline);
      if (await this.#pong(what, deadline)) return;
    }
  }

  /** false where the connection was lost meanwhile. */
  #pong(what: string, deadline: number): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const late = (): void => reject(failed("unavailable", `${what}: the server does not answer`));
      const timer = setTimeout(late, Math.max(1, deadline - performance.now()));
      this.#writer.flush();
      this.#inside.flush().then(
        () => {
          clearTimeout(timer);
          resolve(true);
        },
        () => {
          clearTimeout(timer);
          if (this.#closed) reject(this.#closedError(what));
          else resolve(false);
        },
      );
    });
  }

  /** Resolves at once, or after a reconnect; "unavailable" at the deadline (of performance.now()). */
  whenConnected(what: string, deadline: number): Promise<void> {
    if (this.#closed) return Promise.reject(this.#closedError(what));
    if (this.connected) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer);
        forget();
        this.#waiting.delete(refuse);
      };
      const refuse = (): void => {
        end();
        reject(this.#closedError(what));
      };
      const timer = setTimeout(
        () => {
          end();
          reject(failed("unavailable", `${what}: there is no connection to the server`));
        },
        Math.max(1, deadline - performance.now()),
      );
      const forget = this.onBack(() => {
        end();
        resolve();
      });
      this.#waiting.add(refuse);
    });
  }
  readonly #waiting = new Set<() => void>();

  #closedError(what: string): BusError {
    return failed("closed", `${what}: the connection is closed`);
  }

  /** The answer, of whatever status. Rejects with "unavailable" or "indefinite", "denied", "closed". */
  request(what: string, subject: string, body: Uint8Array, options: RequestOptions = {}): Promise<Incoming> {
    const { headers, timeoutMs = this.requestTimeoutMs, repeatable = true, writes = false } = options;
    return new Promise((answer, fail) =>
      this.ask({ what, subject, body, headers, timeoutMs, repeatable, writes, sentBefore: false, answer, fail }),
    );
  }

  /** As `request`, without a promise. Throws what can be told at once. */
  ask(terms: RequestTerms): void {
    if (this.#closed) throw this.#closedError(terms.what);
    this.#assertFits(terms.body, terms.headers);
    const request = new PendingRequest(terms);
    const id = this.#requests.add(request);
    if (this.connected) this.#send(id, request);
  }

  #send(id: number, request: PendingRequest): void {
    const { subject, body, headers } = request.terms;
    request.sent = true;
    this.publish(subject, body, `${this.#inbox}.${id}`, headers);
  }

  /** Asks JetStream's API for something; the answer without its envelope. Rejects with JetStreamError, too. */
  async api<T = Record<string, unknown>>(
    what: string,
    endpoint: string,
    body?: unknown,
    options: RequestOptions = {},
  ): Promise<T> {
    const deadline = performance.now() + (options.timeoutMs ?? this.requestTimeoutMs);
    const bytes = body === undefined ? nothing : Buffer.from(JSON.stringify(body));
    for (;;) {
      const message = await this.#askApi(what, endpoint, bytes, options, deadline);
      if (isUnheard(message)) {
        // Right after its start, or without a leader, JetStream answers nothing yet.
        if (performance.now() + retryMs >= deadline) throw failed("unavailable", `${what}: JetStream does not answer`);
        await new Promise((resolve) => setTimeout(resolve, retryMs));
        continue;
      }
      const answer = JSON.parse(message.data.toString("utf8")) as ApiAnswer;
      if (answer.error === undefined) return answer as T;
      if (answer.error.err_code === 10_008 && performance.now() + retryMs < deadline) {
        await new Promise((resolve) => setTimeout(resolve, retryMs));
        continue;
      }
      throw jetStreamError(answer.error);
    }
  }

  /** What only reads is asked again where a cluster stays silent. */
  async #askApi(
    what: string,
    endpoint: string,
    body: Uint8Array,
    options: RequestOptions,
    deadline: number,
  ): Promise<Incoming> {
    const asksAgain = options.writes !== true && this.info?.cluster !== undefined;
    for (;;) {
      const timeoutMs = patienceMs(deadline - performance.now(), asksAgain);
      try {
        return await this.request(what, `$JS.API.${endpoint}`, body, { ...options, timeoutMs });
      } catch (error) {
        const silent = isBusError(error) && error.code === "unavailable";
        if (!asksAgain || !silent || performance.now() + retryMs >= deadline) throw error;
      }
    }
  }

  /**
   * Stores a message in a stream. With a `Nats-Msg-Id` among its headers it is sent again after a reconnect, else it is
   * "indefinite" then. Rejects with JetStreamError where the stream refuses it.
   */
  store(
    what: string,
    subject: string,
    body: Uint8Array,
    headers: EncodedHeaders | undefined,
    repeatable: boolean,
  ): Promise<Stored> {
    const order = { what, subject, body, headers, repeatable, clustered: this.info?.cluster !== undefined };
    return new Promise((resolve, reject) => {
      this.ask(new Storing(order, this.requestTimeoutMs, (terms) => this.ask(terms), resolve, reject));
    });
  }

  #answered(message: Incoming): void {
    const request = this.#requests.take(message.lastToken);
    request?.terms.answer(message, request.sentBefore);
  }

  async #follow(): Promise<void> {
    for await (const status of this.raw.status()) this.#status(status);
    if (this.#closed) return;
    this.#end();
    this.report("closed", { reason: "the client gave the connection up" });
  }

  #status(status: Status): void {
    if (this.#closed) return;
    if (status.type === "disconnect") this.#goneAway();
    else if (status.type === "reconnect") this.#cameBack();
    else if (status.type === "error") this.#error(status.error);
    else if (status.type === "staleConnection") this.#destroySocket();
    else if (status.type === "slowConsumer") this.report("slow-consumer");
  }

  /** The client first writes what it has left, and waits for that: for ever, where the server takes nothing any more. */
  #destroySocket(): void {
    (this.#inside.transport?.socket as Socket | undefined)?.destroy();
  }

  #goneAway(): void {
    if (this.#away) return;
    this.#away = true;
    for (const [id, request] of this.#requests.entries()) {
      if (!request.sent) continue;
      if (request.terms.repeatable) {
        request.sent = false;
        request.sentBefore = true;
      } else {
        this.#requests.take(id);
        const message = `${request.terms.subject}: the connection was lost before the answer; it may or may not have happened`;
        request.terms.fail(failed("indefinite", message));
      }
    }
    for (const listener of [...this.#lost]) listener();
    if (this.#reportedAway) return;
    this.#reportedAway = true;
    this.report("disconnected");
  }

  #cameBack(): void {
    if (!this.#away) return;
    this.#away = false;
    const epoch = ++this.#epoch;
    // Subscriptions have been sent, but are not effective before the server has answered what was sent behind them.
    this.#inside.flush().then(
      () => {
        if (epoch !== this.#epoch || this.#away || this.#closed) return;
        this.#reportedAway = false;
        this.report("reconnected", { server: this.raw.getServer() });
      },
      () => undefined,
    );
    for (const listener of [...this.#back]) listener();
    for (const [id, request] of this.#requests.entries()) if (!request.sent) this.#send(id, request);
  }

  #error(error: Error): void {
    const { operation, subject } = error as { readonly operation?: string; readonly subject?: string };
    if (operation === undefined || subject === undefined) return;
    if (operation === "publish") {
      for (const [id, request] of this.#requests.entries()) {
        if (request.terms.subject !== subject) continue;
        this.#requests.take(id);
        request.terms.fail(failed("denied", `the server does not permit publishing to ${subject}`, error));
      }
    }
    for (const listener of [...this.#denied]) listener(operation, subject);
    this.report("denied", { operation, subject });
  }

  #end(): void {
    this.#closed = true;
    this.#requests.close(failed("closed", "the connection was closed before the answer came"));
    for (const refuse of [...this.#waiting]) refuse();
  }

  /** Ends the connection without waiting for anything; what waits here rejects with "closed". Never rejects. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#end();
    this.#writer.flush();
    await this.raw.close().catch(() => undefined);
  }
}

export interface RawSubscription {
  /** At once: what is on its way is dropped. */
  close(): void;
  /** Nothing more is sent by the server; resolves once what was on its way has arrived. Never rejects. */
  drain(): Promise<void>;
}

/** Resolves when the work is over, however, or the time is. */
export function within(work: Promise<unknown>, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, Math.max(0, ms));
    const end = (): void => {
      clearTimeout(timer);
      resolve();
    };
    work.then(end, end);
  });
}
