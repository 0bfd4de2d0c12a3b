import type { BusError } from "@quadrant/contract";
import { failed } from "./failure.ts";
import type { Incoming } from "./incoming.ts";
import { readPubAck, type Stored } from "./pub-ack.ts";
import type { RequestTerms } from "./request-table.ts";
import { type EncodedHeaders, readHeaders } from "./wire-headers.ts";

/** Between two tries of what the server cannot answer yet. */
export const retryMs = 50;

/**
 * A server of a cluster that has just lost its leader may drop what it is asked without a word: what may be repeated is asked
 * again after so long.
 */
const silenceMs = 2_000;

/** For how long an answer is waited for before the question is asked again, of what is left until the deadline. */
export function patienceMs(leftMs: number, clustered: boolean): number {
  return Math.max(1, clustered ? Math.min(silenceMs, leftMs) : leftMs);
}

/** What is to be stored, and where. */
export interface StoreOrder {
  readonly what: string;
  readonly subject: string;
  readonly body: Uint8Array;
  readonly headers: EncodedHeaders | undefined;
  /** It carries a `Nats-Msg-Id`, or what makes a second copy impossible. */
  readonly repeatable: boolean;
  /** Whether the server is one of several. */
  readonly clustered: boolean;
}

/** The server says that nobody listens there. */
export function isUnheard({ headers }: Incoming): boolean {
  return headers !== undefined && readHeaders(headers).status === 503;
}

/** A message on its way into a stream, until the stream has said what became of it. */
export class Storing implements RequestTerms {
  readonly what: string;
  readonly subject: string;
  readonly body: Uint8Array;
  readonly headers: EncodedHeaders | undefined;
  readonly repeatable: boolean;
  readonly writes = true;
  readonly deadline: number;
  timeoutMs: number;
  sentBefore = false;
  readonly #asksAgain: boolean;
  readonly #ask: (terms: RequestTerms) => void;
  readonly #resolve: (stored: Stored) => void;
  readonly #reject: (error: unknown) => void;

  constructor(
    order: StoreOrder,
    timeoutMs: number,
    ask: (terms: RequestTerms) => void,
    resolve: (stored: Stored) => void,
    reject: (error: unknown) => void,
  ) {
    this.what = order.what;
    this.subject = order.subject;
    this.body = order.body;
    this.headers = order.headers;
    this.repeatable = order.repeatable;
    this.deadline = performance.now() + timeoutMs;
    this.#asksAgain = order.repeatable && order.clustered;
    this.timeoutMs = patienceMs(timeoutMs, this.#asksAgain);
    this.#ask = ask;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  answer(message: Incoming, sentBefore: boolean): void {
    if (isUnheard(message)) {
      this.#unheard(sentBefore);
      return;
    }
    try {
      this.#resolve(readPubAck(message.data));
    } catch (error) {
      this.#reject(error);
    }
  }

  fail(error: BusError): void {
    const silent = error.code === "indefinite" || error.code === "unavailable";
    if (this.#asksAgain && silent && performance.now() + retryMs < this.deadline)
      this.#again(error.code === "indefinite");
    else this.#reject(error);
  }

  /** An earlier copy may have been stored before the server was started anew: only the stream can say, once it is there. */
  #unheard(sentBefore: boolean): void {
    const nobody = `${this.what}: no stream takes ${this.subject}`;
    if (!sentBefore)
      this.#reject(failed("unavailable", `${nobody}; it may have been destroyed, or JetStream is not up`));
    else if (performance.now() + retryMs >= this.deadline)
      this.#reject(failed("indefinite", `${nobody} any more; it may or may not have happened`));
    else setTimeout(() => this.#again(true), retryMs);
  }

  #again(maybeStored: boolean): void {
    this.sentBefore ||= maybeStored;
    this.timeoutMs = patienceMs(this.deadline - performance.now(), this.#asksAgain);
    try {
      this.#ask(this);
    } catch (error) {
      this.#reject(failed("indefinite", `${this.what}: it may or may not have happened`, error));
    }
  }
}
