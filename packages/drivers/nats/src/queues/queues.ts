/** Over 300 lines because it is the whole of the driver's interface to mailboxes, a method for each of its operations. */

import type {
  DeadRecord,
  FetchRequest,
  Leased,
  PeekedLetter,
  QueueInfo,
  QueueLetter,
  QueueOptions,
  Queues,
  RedriveRequest,
  SendOutcome,
  Settled,
  Settlement,
} from "@quadrant/contract";
import { asBusError, failed, isJetStreamError } from "../failure.ts";
import type { Incoming } from "../incoming.ts";
import { type JetStream, wrongLastSequence } from "../jetstream.ts";
import type { Pulls } from "../pulls.ts";
import { nameOf, tokenOf } from "../token.ts";
import { encodeHeaders, headerLine } from "../wire-headers.ts";
import { assertSame, Box, type BoxTerms, readTerms, removeConsumer, termsOf } from "./box.ts";
import { CappedSender } from "./capped-sender.ts";
import { Inventory } from "./inventory.ts";
import { DelayClock } from "./later.ts";
import {
  boxSubject,
  mailConfig,
  mailStream,
  mailSubject,
  restConfig,
  restStream,
  restSubject,
  stateConfig,
  stateStream,
} from "./layout.ts";
import { Lending } from "./lending.ts";
import type { LetterForm } from "./letter-form.ts";
import { Post } from "./post.ts";

/** Whoever destroys a mailbox says so: those that know it forget it. */
const goneSubject = "_quadrant.gone.mailbox";
/** A mailbox that nobody has received from for so long needs no consumer, if it is empty. */
const idleMs = 5_000;

interface Active {
  readonly clock: DelayClock;
  fetching: number;
  idle: NodeJS.Timeout | undefined;
}

/** What the durables of logs bury their dead with. */
export interface MailServices {
  readonly lending: Lending;
  readonly post: Post;
  readonly inventory: Inventory;
  /** The streams are there. */
  prepare(): Promise<void>;
}

/** Mailboxes on JetStream: all in one work queue, so that one that nobody uses costs a few bytes. */
export class NatsQueues implements Queues {
  readonly #jetstream: JetStream;
  readonly #post: Post;
  readonly #lending: Lending;
  readonly #inventory: Inventory;
  readonly #capped: CappedSender;
  readonly #boxes = new Map<string, Box>();
  readonly #active = new Map<Box, Active>();
  #ready: Promise<void> | undefined;

  constructor(jetstream: JetStream, pulls: Pulls) {
    this.#jetstream = jetstream;
    this.#post = new Post(jetstream);
    this.#lending = new Lending(jetstream, pulls, this.#post);
    this.#inventory = new Inventory(jetstream, this.#post);
    this.#capped = new CappedSender(jetstream, this.#inventory, this.#post);
    jetstream.connection.onBack(() => {
      for (const box of this.#boxes.values()) this.#mend(box);
    });
  }

  get services(): MailServices {
    return {
      lending: this.#lending,
      post: this.#post,
      inventory: this.#inventory,
      prepare: () => this.#prepare(),
    };
  }

  #prepare(): Promise<void> {
    this.#ready ??= this.#makeStreams().catch((error: unknown) => {
      this.#ready = undefined;
      throw error;
    });
    return this.#ready;
  }

  async #makeStreams(): Promise<void> {
    const { replicas, connection } = this.#jetstream;
    connection.subscribe(goneSubject, undefined, ({ data }) => this.#forget(Buffer.from(data).toString("utf8")));
    await Promise.all([mailConfig, restConfig, stateConfig].map((config) => this.#jetstream.ensure(config(replicas))));
  }

  #forget(address: string): void {
    const box = this.#boxes.get(address);
    if (box === undefined) return;
    this.#boxes.delete(address);
    box.loans.clear();
    this.#deactivate(box);
  }

  #mend(box: Box): void {
    const mending = this.#lending.mend(box).catch(() => undefined);
    box.mending = mending;
    void mending.then(() => {
      if (box.mending === mending) box.mending = undefined;
    });
  }

  async open(address: string, options: QueueOptions): Promise<{ readonly leaseMs: number }> {
    await this.#prepare();
    const token = tokenOf(address);
    const what = `the mailbox ${address}`;
    try {
      let terms = await readTerms(this.#jetstream, what, token);
      terms ??= await this.#make(token, what, termsOf(address, options));
      assertSame(what, terms, options);
      this.#remember(terms, token);
      return { leaseMs: terms.leaseMs };
    } catch (error) {
      throw asBusError(error, what);
    }
  }

  async #make(token: string, what: string, terms: BoxTerms): Promise<BoxTerms> {
    const headers = encodeHeaders({}, "", headerLine("Nats-Expected-Last-Subject-Sequence", 0));
    try {
      await this.#jetstream.connection.store(
        what,
        boxSubject(token),
        Buffer.from(JSON.stringify(terms)),
        headers,
        true,
      );
      return terms;
    } catch (error) {
      if (!isJetStreamError(error, wrongLastSequence)) throw error;
      return (await readTerms(this.#jetstream, what, token)) ?? terms;
    }
  }

  #remember(terms: BoxTerms, token: string): Box {
    const known = this.#boxes.get(terms.address);
    if (known !== undefined) return known;
    const strayed = (box: Box, message: Incoming): Promise<void> =>
      this.#lending.giveBackStrayed(box, message).catch(() => undefined);
    const box = new Box(this.#jetstream, token, terms, strayed);
    this.#boxes.set(terms.address, box);
    return box;
  }

  async #obtain(address: string): Promise<Box> {
    const known = this.#boxes.get(address);
    if (known !== undefined) return known;
    await this.#prepare();
    const token = tokenOf(address);
    const terms = await readTerms(this.#jetstream, `the mailbox ${address}`, token);
    if (terms === undefined)
      throw failed("conflict", `the mailbox ${address} was destroyed: open it again, which makes it anew`);
    return this.#remember(terms, token);
  }

  async #on<T>(address: string, what: string, work: (box: Box) => Promise<T>): Promise<T> {
    try {
      return await work(this.#boxes.get(address) ?? (await this.#obtain(address)));
    } catch (error) {
      throw asBusError(error, `${what} the mailbox ${address}`);
    }
  }

  /** What counts letters waits until those are gone that were settled before a reconnect; what lends them knows them itself. */
  #onMended<T>(address: string, what: string, work: (box: Box) => Promise<T>): Promise<T> {
    return this.#on(address, what, async (box) => {
      await box.mending;
      return await work(box);
    });
  }

  send(address: string, letters: readonly QueueLetter[]): Promise<readonly SendOutcome[]> {
    return this.#on(address, "send to", async (box) => {
      if (box.terms.capacity === undefined) return Promise.all(letters.map((letter) => this.#send(box, letter)));
      await box.mending;
      return this.#capped.send(box, letters, (letter) => this.#send(box, letter));
    });
  }

  async #send(box: Box, letter: QueueLetter, extra: string = ""): Promise<SendOutcome> {
    const { id, dedupe, headers, contentType, body, delayMs, ttlMs, key } = letter;
    const now = Date.now();
    const expiresAt = ttlMs === undefined || ttlMs === Number.POSITIVE_INFINITY ? undefined : now + ttlMs;
    const form: LetterForm = { id, headers, contentType, body, key, sentAt: undefined, expiresAt, spent: 0 };
    const msgId = `${box.token}:${encodeURIComponent(id)}`;
    try {
      const { duplicate } =
        delayMs !== undefined && delayMs > 0
          ? await this.#post.putLater(box, form, now + delayMs, msgId)
          : await this.#post.put(box, form, msgId, extra);
      // One that was sent twice here, for want of an answer, is no duplicate of the sender's.
      return { duplicate: dedupe && duplicate };
    } catch (error) {
      return { error: asBusError(error, `send to ${box.what}`) };
    }
  }

  fetch(address: string, request: FetchRequest): Promise<readonly Leased[]> {
    return this.#on(address, "receive from", async (box) => {
      const active = this.#activate(box);
      active.fetching++;
      try {
        return await this.#lending.fetch(box, request);
      } finally {
        active.fetching--;
        if (active.fetching === 0) this.#rest(box, active);
      }
    });
  }

  #activate(box: Box): Active {
    let active = this.#active.get(box);
    if (active === undefined) {
      active = { clock: new DelayClock(this.#jetstream, box, this.#post), fetching: 0, idle: undefined };
      this.#active.set(box, active);
      void active.clock.look();
    }
    clearTimeout(active.idle);
    return active;
  }

  #rest(box: Box, active: Active): void {
    clearTimeout(active.idle);
    active.idle = setTimeout(() => {
      if (box.loans.size > 0) {
        this.#rest(box, active);
        return;
      }
      this.#deactivate(box);
      void this.#retire(box).catch(() => undefined);
    }, idleMs);
    active.idle.unref();
  }

  #deactivate(box: Box): void {
    const active = this.#active.get(box);
    if (active === undefined) return;
    clearTimeout(active.idle);
    active.clock.stop();
    this.#active.delete(box);
  }

  /** An empty mailbox that nobody receives from needs no consumer. */
  async #retire(box: Box): Promise<void> {
    const info = await box.consumerInfo();
    if (info === undefined || info.num_pending + info.num_ack_pending + info.num_waiting > 0) return;
    if (this.#active.has(box)) return;
    box.forgetConsumer();
    await removeConsumer(this.#jetstream, box.what, mailStream, box.consumer);
  }

  settle(address: string, settlements: readonly Settlement[]): Promise<readonly Settled[]> {
    return this.#on(address, "settle letters of", (box) => this.#lending.settle(box, settlements));
  }

  info(address: string): Promise<QueueInfo> {
    return this.#onMended(address, "ask about", (box) => this.#inventory.info(box));
  }

  peek(address: string, limit: number): Promise<readonly PeekedLetter[]> {
    return this.#onMended(address, "look into", (box) => this.#inventory.peek(box, limit));
  }

  deadLetters(address: string, limit: number): Promise<readonly DeadRecord[]> {
    return this.#on(address, "read the dead letters of", (box) => this.#inventory.deadLetters(box, limit));
  }

  redrive(address: string, request: RedriveRequest): Promise<number> {
    return this.#on(address, "redrive", (box) => this.#inventory.redrive(box, request));
  }

  purge(address: string): Promise<number> {
    return this.#onMended(address, "purge", (box) => this.#inventory.purge(box));
  }

  destroy(address: string): Promise<void> {
    return this.#on(address, "destroy", async (box) => {
      const { what, token } = box;
      this.#forget(address);
      await removeConsumer(this.#jetstream, what, mailStream, box.consumer);
      await this.#jetstream.purge(what, mailStream, `${mailSubject(token)}.>`);
      await this.#jetstream.purge(what, restStream, `${restSubject(token)}.>`);
      await this.#jetstream.purge(what, stateStream, `_quadrant.key.${token}.>`);
      await this.#jetstream.purge(what, stateStream, `_quadrant.released.${token}.>`);
      await this.#jetstream.purge(what, stateStream, boxSubject(token));
      if (this.#jetstream.connection.connected) this.#jetstream.connection.publish(goneSubject, Buffer.from(address));
    });
  }

  async list(): Promise<readonly string[]> {
    await this.#prepare();
    const prefix = boxSubject("");
    const subjects = await this.#jetstream.subjects("list of mailboxes", stateStream, `${prefix}*`);
    const names = [...subjects.keys()].map(async (subject) => {
      const token = subject.slice(prefix.length);
      return nameOf(token) ?? (await readTerms(this.#jetstream, "list of mailboxes", token))?.address;
    });
    return (await Promise.all(names)).filter((name) => name !== undefined).sort();
  }

  /** What is still held here comes again at once. The pulls have ended before. Waits for settlements under way, until `last`. */
  async close(last: number): Promise<void> {
    await this.#lending.settled(last);
    for (const box of [...this.#active.keys()]) this.#deactivate(box);
    for (const box of this.#boxes.values()) this.#lending.giveUp(box);
  }
}
