import type { BusError } from "@quadrant/contract";
import { failureOf } from "./failures.ts";
import { Gathering } from "./link/gathering.ts";
import type { Asked, Posted } from "./request.ts";
import type { Requests } from "./requests.ts";
import type { Argument } from "./resp/command-writer.ts";
import { type Reply, ReplyError, textOf } from "./resp/reply-reader.ts";
import { answerTakers } from "./scripts/spaces.ts";

/** Takers of one request: more go in several. */
const batchTakers = 32;
/** What each has in a request. */
const valuesEach = 6;

export interface Taker {
  readonly kind: "in" | "rd" | "cl";
  /** For messages: "an in on the space tasks". */
  readonly what: string;
  readonly template: string;
  /** Whether it is to wait on the server, and under which name. */
  readonly waits: boolean;
  readonly wid: string;
  readonly leaseMs: number;
  /** It asked before, and may have been handed something meanwhile. */
  readonly again: boolean;
  /** Whether the server's silence ends it; otherwise its asker does. */
  readonly timed: boolean;
  /** Who gets what is answered after its end. */
  readonly late?: ((reply: Reply) => void) | undefined;
}

/** One taker of a batch, as a request of its own. */
class Taking implements Asked {
  readonly answer: Promise<Reply>;
  readonly taker: Taker;
  readonly #batch: Batch;
  #late: ((reply: Reply) => void) | undefined;
  #over = false;
  #resolve!: (reply: Reply) => void;
  #reject!: (error: unknown) => void;

  constructor(batch: Batch, taker: Taker) {
    this.#batch = batch;
    this.taker = taker;
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  get place(): string {
    return this.#batch.posted?.place ?? "";
  }

  get serial(): number {
    return this.#batch.posted?.serial ?? 0;
  }

  get written(): boolean {
    return this.#batch.posted?.written ?? false;
  }

  abandon(late?: (reply: Reply) => void): boolean {
    const { written } = this;
    this.#late = late;
    this.#over = true;
    if (!written) this.#batch.withdraw(this);
    return written;
  }

  replied(reply: Reply): void {
    if (this.#over) this.#late?.(reply);
    else if (Array.isArray(reply) && reply[0] === 4) {
      this.failed(failureOf(new ReplyError(textOf(reply[1])), this.taker.what));
    } else this.#resolve(reply);
  }

  /** An answer to the whole batch that came after its end. */
  repliedLate(reply: Reply): void {
    (this.#over ? this.#late : this.taker.late)?.(reply);
  }

  failed(error: unknown): void {
    if (!this.#over) this.#reject(error);
  }
}

/** Those who ask the same space in one turn. */
class Batch {
  readonly key: string;
  readonly takings: Taking[] = [];
  readonly #values: Argument[] = [];
  posted: Posted | undefined;

  constructor(key: string) {
    this.key = key;
  }

  add(taker: Taker): Taking {
    const taking = new Taking(this, taker);
    this.takings.push(taking);
    const { kind, template, waits, wid, leaseMs, again } = taker;
    this.#values.push(kind, template, waits ? "1" : "0", wid, leaseMs, again ? "1" : "0");
    return taking;
  }

  /** It was not sent, and never is. */
  withdraw(taking: Taking): void {
    const at = this.takings.indexOf(taking);
    if (at === -1) return;
    this.takings.splice(at, 1);
    this.#values.splice(at * valuesEach, valuesEach);
    if (this.takings.length === 0) this.posted?.abandon();
  }

  send(requests: Requests): void {
    const { kind, what, timed } = this.takings[0]!.taker;
    const late = (reply: Reply): void => this.#each(reply, (taking, own) => taking.repliedLate(own));
    const writes = kind !== "rd";
    const replied = (reply: Reply): void => this.#each(reply, (taking, own) => taking.replied(own));
    const failed = (error: BusError): void => {
      for (const taking of this.takings) taking.failed(error);
    };
    const terms = { what, writes, untimed: !timed, late };
    this.posted = requests.post(answerTakers, this.key, this.#values, terms, replied, failed);
  }

  #each(reply: Reply, answered: (taking: Taking, reply: Reply) => void): void {
    // A number: the same to all.
    const replies = Array.isArray(reply) ? reply : undefined;
    for (const [at, taking] of this.takings.entries()) answered(taking, replies?.[at] ?? reply);
  }
}

/** Takes and reads of spaces: those of one kind that one turn asks of one space go to the server together. */
export class Takings {
  readonly #requests: Requests;
  /** A new one each time: see Mail. */
  #batches = new Map<string, Batch>();
  readonly #gathering = new Gathering(() => this.#send());

  constructor(requests: Requests) {
    this.#requests = requests;
  }

  ask(key: string, taker: Taker): Asked {
    const of = `${taker.kind}${taker.timed ? "t" : ""} ${key}`;
    let batch = this.#batches.get(of);
    if (batch === undefined) {
      batch = new Batch(key);
      this.#batches.set(of, batch);
    }
    const taking = batch.add(taker);
    this.#gathering.add(batch.takings.length >= batchTakers);
    return taking;
  }

  #send(): void {
    if (this.#batches.size === 0) return;
    const batches = this.#batches;
    this.#batches = new Map();
    for (const batch of batches.values()) if (batch.takings.length > 0) batch.send(this.#requests);
  }
}
