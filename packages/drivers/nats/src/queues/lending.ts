/** Over 300 lines because what may become of a letter on loan is told in one place: lent, renewed, settled, given back, buried. */

import type { BusError, FetchRequest, Leased, Settled, Settlement } from "@quadrant/contract";
import { asBusError, failed } from "../failure.ts";
import type { Incoming } from "../incoming.ts";
import type { JetStream, StoredMessage } from "../jetstream.ts";
import { ackParts, delayOrder, giveUpOrder, outcome, serverLeaseMs, stale } from "../loans.ts";
import type { Pulls } from "../pulls.ts";
import { encodeHeaders, headerLine, readHeaders } from "../wire-headers.ts";
import { acknowledgeAll, canAcknowledgeAll } from "./acknowledgement.ts";
import type { Box, HeldLetter, Turn } from "./box.ts";
import { mailSubject, releasedSubject, stateStream } from "./layout.ts";
import { entryLetter, type LetterForm, readLetter, readStored } from "./letter-form.ts";
import type { Post } from "./post.ts";
import { recall } from "./recall.ts";

export const attemptsFailure = (attempts: number) => ({
  code: "attempts",
  message: `not acknowledged in ${attempts} attempts`,
});

/** Why a letter goes to the dead letters when nobody said. */
const unhandled = { code: "rejected", message: "given back on its last attempt" };

/** A letter that is about to be lent. */
type Prepared = Omit<HeldLetter, "loan" | "expiresAt" | "settling" | "watch" | "epoch" | "recalled">;

/** Lends letters, and takes them back. */
export class Lending {
  readonly #jetstream: JetStream;
  readonly #pulls: Pulls;
  readonly #post: Post;
  #epoch = 0;

  get epoch(): number {
    return this.#epoch;
  }

  constructor(jetstream: JetStream, pulls: Pulls, post: Post) {
    this.#jetstream = jetstream;
    this.#pulls = pulls;
    this.#post = post;
    jetstream.connection.onLost(() => {
      this.#epoch++;
    });
  }

  /** Nothing where the signal was aborted; else at least one, however long it takes. */
  async fetch(box: Box, { max, leaseMs, signal }: FetchRequest): Promise<readonly Leased[]> {
    for (;;) {
      if (signal?.aborted) return [];
      await box.ready();
      const { messages, gone } = await this.#pulls.fetch(box, max, signal);
      if (messages.length > 0) {
        const leased = await this.lend(box, messages, leaseMs ?? box.terms.leaseMs);
        if (leased.length > 0) return leased;
      } else if (gone) box.forgetConsumer();
      else await this.#connected(signal);
    }
  }

  /** As fetch, of a consumer that is not made anew where it is gone: then it was destroyed. */
  async fetchExisting(box: Box, { max, leaseMs, signal }: FetchRequest): Promise<readonly Leased[]> {
    for (;;) {
      if (signal?.aborted) return [];
      const { messages, gone } = await this.#pulls.fetch(box, max, signal);
      if (gone && (await box.consumerInfo()) === undefined)
        throw failed("conflict", `${box.what} was destroyed: subscribe again, which makes it anew`);
      if (messages.length > 0) {
        const leased = await this.lend(box, messages, leaseMs ?? box.terms.leaseMs);
        if (leased.length > 0) return leased;
      } else await this.#connected(signal);
    }
  }

  async #connected(signal: AbortSignal | undefined): Promise<void> {
    const { connection } = this.#jetstream;
    if (connection.connected || signal?.aborted) return;
    const waiting = connection.whenConnected("fetch", performance.now() + connection.requestTimeoutMs);
    if (signal === undefined) return await waiting;
    const { promise, resolve } = Promise.withResolvers<void>();
    const aborted = (): void => resolve();
    signal.addEventListener("abort", aborted, { once: true });
    await Promise.race([waiting, promise]).finally(() => signal.removeEventListener("abort", aborted));
    waiting.catch(() => undefined);
  }

  async lend(box: Box, messages: readonly Incoming[], leaseMs: number): Promise<readonly Leased[]> {
    const expiresAt = performance.now() + leaseMs;
    if (leaseMs !== box.terms.leaseMs) {
      // The server's lease is the consumer's, unless it is told when to deliver again.
      for (const { reply } of messages) this.#setLease(reply, leaseMs);
    }
    const lent: (Leased | undefined)[] = [];
    const slow: Promise<void>[] = [];
    for (const [at, message] of messages.entries()) {
      const prepared = this.#prepare(box, message);
      const enter = (held: Prepared | undefined): void => {
        lent[at] = held === undefined ? undefined : this.#enter(box, held, expiresAt);
      };
      if (prepared instanceof Promise) {
        // What cannot be looked at now comes again when its lease is over.
        slow.push(prepared.then(enter, () => undefined));
      } else enter(prepared);
    }
    if (slow.length > 0) await Promise.all(slow);
    return lent.filter((leased) => leased !== undefined);
  }

  #enter(box: Box, prepared: Prepared, expiresAt: number): Leased {
    const { letter, attempt, ack, seq, time, released, turn } = prepared;
    const held: HeldLetter = {
      loan: 0,
      letter,
      attempt,
      ack,
      seq,
      time,
      released,
      turn,
      expiresAt,
      settling: false,
      watch: undefined,
      recalled: undefined,
      epoch: this.#epoch,
    };
    if (attempt >= box.terms.maxAttempts) this.#watch(box, held);
    const { headers, contentType, body, id, entry } = letter;
    const subject = entry?.subject ?? box.terms.address;
    const token = box.loans.lend(held);
    const leased = { subject, headers, contentType, body, id, token, attempt, sentAt: letter.sentAt ?? time };
    return entry === undefined ? leased : { ...leased, seq: entry.seq };
  }

  /** Nobody may come for it when its lease has run out: who lent it last sees to it then, before the server's lease ends. */
  #watch(box: Box, held: HeldLetter): void {
    held.watch = setTimeout(
      () => {
        if (held.settling) return;
        if (held.expiresAt > performance.now()) this.#watch(box, held);
        else {
          held.settling = true;
          this.#bury(box, held, held.attempt, attemptsFailure(held.attempt)).catch(() => undefined);
        }
      },
      Math.min(2_147_483_647, Math.max(1, Math.ceil(held.expiresAt - performance.now()))),
    );
    held.watch.unref();
  }

  #setLease(ack: string, leaseMs: number): void {
    const { connection } = this.#jetstream;
    if (connection.connected) connection.publish(ack, Buffer.from(leaseOrder(leaseMs)));
  }

  /** undefined: it is not lent, and has been taken care of. */
  #prepare(box: Box, message: Incoming): Prepared | undefined | Promise<Prepared | undefined> {
    const ack = message.reply;
    const { deliveries, seq, time } = ackParts(ack);
    if (box.settled.has(seq)) return this.#settleAgain(ack);
    const known = box.loans.ofSeq(seq);
    if (known !== undefined && !(known.settling && known.epoch === this.#epoch)) {
      // A server that was killed has forgotten that it delivered this: who holds it holds it still.
      known.ack = ack;
      known.epoch = this.#epoch;
      this.#setLease(ack, known.expiresAt - performance.now());
      known.recalled?.();
      return undefined;
    }
    const { entries } = box;
    if (entries === undefined) {
      const kind = message.subject.slice(mailSubject(box.token).length + 1);
      if (kind.startsWith("k.")) return this.#prepareTurn(box, kind.slice(2), ack, seq, deliveries);
    }
    const read = readHeaders(message.headers);
    const letter =
      entries === undefined
        ? readLetter(read, message.data, seq)
        : entryLetter(read, message.data, seq, message.subject.slice(entries.prefix.length));
    if (deliveries > 1) return this.#prepareAgain(box, letter, ack, seq, time, deliveries);
    if (isExpired(letter)) return this.#dropExpired(ack);
    return { ack, seq, time, letter, attempt: letter.spent + 1, released: 0, turn: undefined };
  }

  async #settleAgain(ack: string): Promise<undefined> {
    await this.#jetstream.settle("a letter that was acknowledged before", ack, "+ACK");
  }

  /** After a reconnect: a server that was killed may have forgotten the last acknowledgements. */
  async mend(box: Box): Promise<void> {
    await Promise.all(box.settled.recent().map((seq) => this.#jetstream.remove(box.what, box.stream, seq)));
  }

  async #dropExpired(ack: string): Promise<undefined> {
    await this.#jetstream.settle("an expired letter", ack, "+ACK");
  }

  async #prepareAgain(box: Box, letter: LetterForm, ack: string, seq: number, time: number, deliveries: number) {
    const subject = releasedSubject(box.releasedToken, seq);
    const found = await this.#jetstream.message(box.what, stateStream, { last_by_subj: subject });
    const released = found === undefined ? 0 : Number(Buffer.from(found.body).toString());
    const attempt = letter.spent + deliveries - released;
    const held = { ack, seq, time, letter, attempt, released, turn: undefined };
    if (isExpired(letter)) return await this.#dropExpired(ack);
    if (held.attempt <= box.terms.maxAttempts) return held;
    await this.#bury(box, held, held.attempt - 1, attemptsFailure(held.attempt - 1));
    return undefined;
  }

  async #prepareTurn(box: Box, key: string, ack: string, seq: number, deliveries: number) {
    const { lines } = this.#post;
    const first = await lines.first(box, key);
    if (first === undefined) {
      await lines.finish(box, key, ack);
      return undefined;
    }
    const base = deliveries === 1 ? 0 : await lines.base(box, key, first.seq);
    const letter = readStored(first);
    const turn: Turn = { key, seq: first.seq, base, deliveries };
    const held = this.#heldTurn(ack, seq, letter, first, turn);
    if (isExpired(letter)) {
      await lines.advance(box, turn, ack);
      return undefined;
    }
    if (held.attempt <= box.terms.maxAttempts) return held;
    await this.#bury(box, held, held.attempt - 1, attemptsFailure(held.attempt - 1));
    return undefined;
  }

  #heldTurn(ack: string, seq: number, letter: LetterForm, first: StoredMessage, turn: Turn) {
    const attempt = letter.spent + turn.deliveries - turn.base;
    return { ack, seq, time: first.time, letter, attempt, released: 0, turn };
  }

  /** First among the dead, then gone: a crash between leaves it twice, never lost. */
  async #bury(
    box: Box,
    held: Prepared,
    attempts: number,
    failure: { readonly code: string; readonly message: string },
  ): Promise<void> {
    const { letter, turn, seq, time } = held;
    const where = box.entries === undefined ? "m" : `e.${box.token}`;
    const msgId = turn === undefined ? `dead.${where}.${seq}` : `dead.l.${turn.seq}`;
    const sentAt = letter.sentAt ?? time;
    await this.#post.putDead(box, { ...letter, sentAt, spent: attempts }, failure, msgId);
    await this.#done(box, held);
  }

  /** It is settled for good. */
  async #done(box: Box, held: Prepared & { readonly epoch?: number }): Promise<void> {
    const { turn, ack, released, seq, epoch } = held;
    if (turn !== undefined) return await this.#post.lines.advance(box, turn, ack);
    box.settled.add(seq);
    try {
      // A server that was killed meanwhile may not know that it had delivered this: then it acknowledges nothing, and newer
      // ones do not even answer.
      if (epoch !== undefined && epoch !== this.#epoch && box.entries === undefined) {
        await this.#jetstream.remove(box.what, box.stream, seq);
        const { connection } = this.#jetstream;
        if (connection.connected) connection.publish(ack, Buffer.from("+ACK"));
      } else await this.#jetstream.settle(box.what, ack, "+ACK");
    } catch (error) {
      box.settled.forget(seq);
      throw error;
    }
    if (released === 0) return;
    // Only room: it names a sequence that does not come again.
    void this.#jetstream.purge(box.what, stateStream, releasedSubject(box.releasedToken, seq)).catch(() => undefined);
  }

  settle(box: Box, settlements: readonly Settlement[]): Promise<readonly Settled[]> {
    if (settlements[0]?.kind === "release" && this.#pulls.hasAbandoned(box)) return this.#releaseAll(box, settlements);
    if (!canAcknowledgeAll(this.#jetstream.connection))
      return Promise.all(settlements.map((settlement) => this.#settle(box, settlement)));
    return this.#settleAll(box, settlements);
  }

  /** Those that are simply done are acknowledged together. */
  async #settleAll(box: Box, settlements: readonly Settlement[]): Promise<readonly Settled[]> {
    const done: HeldLetter[] = [];
    const outcomes = settlements.map((settlement) => {
      const held = settlement.kind === "ack" ? box.loans.get(settlement.token) : undefined;
      if (held === undefined || held.settling || held.turn !== undefined) return this.#settle(box, settlement);
      if (held.released > 0 || held.epoch !== this.#epoch) return this.#settle(box, settlement);
      held.settling = true;
      clearTimeout(held.watch);
      box.settled.add(held.seq);
      done.push(held);
      return undefined;
    });
    if (done.length === 0) return await Promise.all(outcomes);
    const acks = done.map(({ ack }) => ack);
    try {
      await acknowledgeAll(this.#jetstream.connection, box.what, acks);
      for (const held of done) box.loans.end(held);
      return await Promise.all(outcomes);
    } catch (error) {
      const failure = asBusError(error, `settling letters of ${box.what}`);
      const again = done.map((held) => this.#settleAfter(box, held, failure));
      let next = 0;
      return await Promise.all(outcomes.map((each) => (each === undefined ? again[next++] : each)));
    }
  }

  /** What was acknowledged with others in vain: one by one, where that was for the connection's end. */
  #settleAfter(box: Box, held: HeldLetter, failure: BusError): Promise<Settled> | Settled {
    held.settling = false;
    if (held.epoch !== this.#epoch) return this.#settle(box, { kind: "ack", token: String(held.loan) });
    box.settled.forget(held.seq);
    return failure;
  }

  /** The first comes straight back to a pull that still waits here, and would stand behind the others: it goes first again. */
  async #releaseAll(box: Box, settlements: readonly Settlement[]): Promise<readonly Settled[]> {
    const first = await this.#settle(box, settlements[0]!);
    await this.#jetstream.connection.sync(`receive from ${box.what}`).catch(() => undefined);
    for (const message of this.#pulls.takeParked(box)) await this.giveBackStrayed(box, message).catch(() => undefined);
    const rest = await Promise.all(settlements.slice(1).map((settlement) => this.#settle(box, settlement)));
    return [first, ...rest];
  }

  #settle(box: Box, settlement: Settlement): Promise<Settled> | Settled {
    const held = box.loans.get(settlement.token);
    if (held === undefined) return stale(`letter of ${box.what}`);
    if (held.settling) return stale(`letter of ${box.what}`);
    if (settlement.kind === "extend") return outcome(this.#extend(box, held, settlement.leaseMs));
    held.settling = true;
    clearTimeout(held.watch);
    return outcome(
      this.#carry(box, held, settlement).then(
        () => box.loans.end(held),
        (error: unknown) => {
          held.settling = false;
          throw asBusError(error, `settling a letter of ${box.what}`);
        },
      ),
    );
  }

  async #extend(box: Box, held: HeldLetter, leaseMs: number): Promise<void> {
    await this.#recall(box, held);
    const began = performance.now();
    await this.#jetstream.settle(box.what, held.ack, leaseOrder(leaseMs));
    held.expiresAt = began + leaseMs;
  }

  async #carry(
    box: Box,
    held: HeldLetter,
    settlement: Exclude<Settlement, { readonly kind: "extend" }>,
  ): Promise<void> {
    // A letter that is done is removed, whatever the server knows of its loan.
    const removes = settlement.kind === "ack" && box.entries === undefined && held.turn === undefined;
    if (!removes) await this.#recall(box, held);
    switch (settlement.kind) {
      case "ack":
        return await this.#done(box, held);
      case "reject":
        return await this.#bury(box, held, held.attempt, settlement.failure);
      case "release":
        return await this.#release(box, held);
      case "nak": {
        if (held.attempt >= box.terms.maxAttempts)
          return await this.#bury(box, held, held.attempt, settlement.failure ?? unhandled);
        return await this.#giveBack(box, held, settlement.delayMs);
      }
    }
  }

  #recall(box: Box, held: HeldLetter): Promise<void> {
    return recall(this, this.#pulls, box, held, this.#jetstream.connection.requestTimeoutMs);
  }

  async #giveBack(box: Box, held: HeldLetter, delayMs: number): Promise<void> {
    const { letter, turn, ack, seq, time, attempt } = held;
    if (delayMs <= 0) return await this.#jetstream.settle(box.what, ack, "-NAK");
    // The turn waits with its letter: its key is held back. An entry stays in its log.
    if (turn !== undefined || box.entries !== undefined)
      return await this.#jetstream.settle(box.what, ack, delayOrder(delayMs));
    const { deliveries } = ackParts(ack);
    const again = { ...letter, sentAt: letter.sentAt ?? time, spent: attempt };
    await this.#post.putLater(box, again, Date.now() + delayMs, `nak.${seq}.${deliveries}`);
    await this.#done(box, held);
  }

  /** The attempt does not count: that is written down first. */
  async #release(box: Box, { ack, seq, released, turn }: HeldLetter): Promise<void> {
    const { connection } = this.#jetstream;
    if (turn === undefined) {
      const body = Buffer.from(`${released + 1}`);
      const msgId = encodeHeaders({}, "", headerLine("Nats-Msg-Id", `${ack}.released`));
      await connection.store(box.what, releasedSubject(box.releasedToken, seq), body, msgId, true);
    } else await this.#post.lines.setBases(box, turn.key, [[turn.seq, turn.base + 1]]);
    await this.#jetstream.settle(box.what, ack, "-NAK");
  }

  /**
   * What is held when its holder closes comes again, its attempt counted: when the connection is closed, lest a pull of its own
   * that still waits gets it.
   */
  giveUp(box: Box): void {
    const { connection } = this.#jetstream;
    for (const held of box.loans.values()) {
      clearTimeout(held.watch);
      if (!held.settling && held.expiresAt > performance.now() && connection.connected)
        connection.publish(held.ack, Buffer.from(giveUpOrder));
    }
    box.loans.clear();
  }

  /** A message that nobody waits for any more goes back; where that fails, its lease runs out. */
  async giveBackStrayed(box: Box, message: Incoming): Promise<void> {
    const leased = await this.lend(box, [message], box.terms.leaseMs);
    if (leased.length > 0) await this.settle(box, [{ kind: "release", token: leased[0]!.token }]);
  }
}

function isExpired({ expiresAt }: LetterForm): boolean {
  return expiresAt !== undefined && expiresAt <= Date.now();
}

/** JetStream has no order that sets a lease; a delayed NAK sets when the message is delivered again, and leaves it with its holder. */
export function leaseOrder(leaseMs: number): string {
  return delayOrder(serverLeaseMs(leaseMs));
}
