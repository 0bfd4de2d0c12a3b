import { createInbox } from "@nats-io/transport-node";
import type { NatsConnection, RawSubscription } from "./connection.ts";
import type { Incoming } from "./incoming.ts";
import { giveUpOrder } from "./loans.ts";
import { readHeaders } from "./wire-headers.ts";

/**
 * How long a pull waits at the server for its first message, at least; then it is asked anew. A client that closes waits for
 * it. Never the same twice: nats-server 2.9 miscounts what falls due in the instant in which the only pull ends.
 */
const waitMs = 1_000;
const jitterMs = 800;
/** A pull whose end does not come is taken for lost after this. */
const graceMs = 10_000;

export interface Fetched {
  readonly messages: readonly Incoming[];
  /** The consumer is gone: it is to be made again. */
  readonly gone: boolean;
}

/**
 * A subject that the messages of one pull come to; the next pull uses it again. One at a time: a message of a stream comes with
 * its own subject, so that only the subscription tells whose it is.
 */
interface Inlet {
  readonly inbox: string;
  readonly subscription: RawSubscription;
  pull: Pull | undefined;
}

/** Inlets that are kept for the next pulls. */
const maxFree = 16;

/** One request for messages: the server sends what it has, or waits for the first, and then says that it is done. */
interface Pull {
  readonly source: PullSource;
  readonly batch: number;
  readonly inlet: Inlet;
  /** Of one that waits at the server: when it ends there at the latest. */
  timer: NodeJS.Timeout | undefined;
  received: Incoming[];
  /** Also of those that were given back. */
  count: number;
  /** Who waits for it; undefined: whoever did has given up, and what comes is given back. */
  done: ((fetched: Fetched) => void) | undefined;
}

/** What came for nobody: the next fetch here gets it, so that it keeps its place; if none comes soon, it is given back. */
interface Parked {
  readonly messages: Incoming[];
  readonly timer: NodeJS.Timeout;
}

const parkedMs = 50;

export interface PullSource {
  readonly stream: string;
  readonly consumer: string;
  /** A message that came when nobody waited for it any more: it is given back without an attempt. */
  strayed(message: Incoming): Promise<void>;
}

/**
 * Pulls from JetStream's consumers over one inbox. A waiting pull cannot be taken back on the server: it goes on, the next
 * fetch of the same consumer takes it over, and what it brings meanwhile is given back.
 */
export class Pulls {
  readonly #connection: NatsConnection;
  readonly #inbox = createInbox();
  readonly #pulls = new Set<Pull>();
  readonly #abandoned = new Map<PullSource, Set<Pull>>();
  readonly #parked = new Map<PullSource, Parked>();
  readonly #free: Inlet[] = [];
  /** What is being given back. */
  readonly #returning = new Set<Promise<void>>();
  #closed = false;
  #nextId = 1;

  constructor(connection: NatsConnection) {
    this.#connection = connection;
    connection.onLost(() => {
      for (const pull of [...this.#pulls]) this.#giveUp(pull);
    });
  }

  /** What there is, or the first that comes; nothing when the signal was aborted, the connection was lost or time passed. */
  fetch(source: PullSource, max: number, signal: AbortSignal | undefined): Promise<Fetched> {
    if (signal?.aborted || !this.#connection.connected) return Promise.resolve({ messages: [], gone: false });
    const parked = this.#parked.get(source)?.messages.splice(0, max);
    if (parked !== undefined && parked.length > 0) return Promise.resolve({ messages: parked, gone: false });
    return new Promise((resolve) => {
      const pull = this.#takeOver(source, max) ?? this.#ask(source, max);
      const aborted = (): void => {
        pull.done = undefined;
        if (this.#pulls.has(pull)) this.#abandon(pull);
        const { received } = pull;
        pull.received = [];
        resolve({ messages: received, gone: false });
      };
      pull.done = (fetched) => {
        signal?.removeEventListener("abort", aborted);
        resolve(fetched);
      };
      signal?.addEventListener("abort", aborted, { once: true });
    });
  }

  /** Whether a pull that nobody waits for waits at the server. */
  hasAbandoned(source: PullSource): boolean {
    return this.#abandoned.has(source);
  }

  /** What came for nobody, in order. */
  takeParked(source: PullSource): readonly Incoming[] {
    const parked = this.#parked.get(source);
    if (parked === undefined) return [];
    clearTimeout(parked.timer);
    this.#parked.delete(source);
    return parked.messages;
  }

  #takeOver(source: PullSource, max: number): Pull | undefined {
    const abandoned = this.#abandoned.get(source);
    if (abandoned === undefined) return undefined;
    for (const pull of abandoned) {
      if (pull.batch > max) continue;
      abandoned.delete(pull);
      if (abandoned.size === 0) this.#abandoned.delete(source);
      return pull;
    }
    return undefined;
  }

  #abandon(pull: Pull): void {
    const abandoned = this.#abandoned.get(pull.source) ?? new Set();
    abandoned.add(pull);
    this.#abandoned.set(pull.source, abandoned);
  }

  #ask(source: PullSource, batch: number): Pull {
    const inlet = this.#free.pop() ?? this.#open();
    const pull: Pull = { source, batch, inlet, timer: undefined, received: [], count: 0, done: undefined };
    inlet.pull = pull;
    this.#pulls.add(pull);
    pull.timer = setTimeout(() => this.#giveUp(pull), waitMs + jitterMs + graceMs);
    const expires = waitMs + Math.floor(Math.random() * jitterMs);
    const request = `{"batch":${batch},"no_wait":true,"expires":${expires}000000}`;
    this.#connection.publish(
      `$JS.API.CONSUMER.MSG.NEXT.${source.stream}.${source.consumer}`,
      Buffer.from(request),
      inlet.inbox,
    );
    return pull;
  }

  #open(): Inlet {
    const inbox = `${this.#inbox}.${this.#nextId++}`;
    const subscription = this.#connection.subscribe(inbox, undefined, (message) => {
      const { pull } = inlet;
      if (pull === undefined) return;
      if (message.subject === inbox) this.#status(pull, message);
      else this.#received(pull, message);
    });
    const inlet: Inlet = { inbox, subscription, pull: undefined };
    return inlet;
  }

  #received(pull: Pull, message: Incoming): void {
    if (pull.done === undefined) this.#park(pull.source, message);
    else pull.received.push(message);
    if (++pull.count === pull.batch) this.#end(pull, false);
  }

  #park(source: PullSource, message: Incoming): void {
    if (this.#closed) {
      // Nobody is left who could count the attempt out; but it need not wait for the end of a lease.
      this.#connection.publish(message.reply, Buffer.from(giveUpOrder));
      return;
    }
    let parked = this.#parked.get(source);
    if (parked === undefined) {
      parked = { messages: [], timer: setTimeout(() => this.#unpark(source), parkedMs) };
      this.#parked.set(source, parked);
    }
    parked.messages.push(message);
  }

  #unpark(source: PullSource): void {
    const returning = this.#giveBack(source, this.takeParked(source)).finally(() => this.#returning.delete(returning));
    this.#returning.add(returning);
  }

  /** One after the other: they keep their order. */
  async #giveBack(source: PullSource, messages: readonly Incoming[]): Promise<void> {
    for (const message of messages) await source.strayed(message);
  }

  #status(pull: Pull, message: Incoming): void {
    const { status, description } = readHeaders(message.headers);
    if (status !== 100) this.#end(pull, status === 503 || (status === 409 && /consumer deleted/i.test(description)));
  }

  /** The server has said that nothing more comes, or all has come. */
  #end(pull: Pull, gone: boolean): void {
    if (!this.#take(pull)) return;
    if (this.#free.length < maxFree) this.#free.push(pull.inlet);
    else pull.inlet.subscription.close();
    pull.done?.({ messages: pull.received, gone });
  }

  /** Something may still come: its inlet serves no other. */
  #giveUp(pull: Pull): void {
    if (!this.#take(pull)) return;
    pull.inlet.subscription.close();
    pull.done?.({ messages: pull.received, gone: false });
  }

  #take(pull: Pull): boolean {
    if (!this.#pulls.delete(pull)) return false;
    clearTimeout(pull.timer);
    pull.inlet.pull = undefined;
    const abandoned = this.#abandoned.get(pull.source);
    abandoned?.delete(pull);
    if (abandoned?.size === 0) this.#abandoned.delete(pull.source);
    return true;
  }

  /**
   * Waits for the pulls that wait at the server, at the latest until the deadline, and gives back what they brought for nobody.
   * Those that are left end with the connection, or with end(), not before: nats-server 2.9 miscounts the deliveries of what it
   * finds a pull for that nobody listens to. Never rejects.
   */
  async close(deadline: number): Promise<void> {
    while (this.#pulls.size > 0 && this.#connection.connected && performance.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 5));
    for (const source of [...this.#parked.keys()]) this.#unpark(source);
    this.#closed = true;
    // Also what a timer has begun to give back: until it is on loan here, nothing else knows of it.
    await Promise.all(this.#returning);
  }

  /** Right before the connection ends: nothing more is sent to the pulls that are left, and what was on its way is given up. */
  async end(timeoutMs: number): Promise<void> {
    if (this.#pulls.size === 0 || !this.#connection.connected) return;
    const drained = Promise.all([...this.#pulls].map(({ inlet }) => inlet.subscription.drain()));
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, timeoutMs);
    await Promise.race([drained, late]);
    clearTimeout(timer);
  }
}
