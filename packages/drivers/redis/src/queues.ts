import {
  BusError,
  type DeadRecord,
  type FetchRequest,
  type Leased,
  type PeekedLetter,
  type QueueInfo,
  type QueueLetter,
  type QueueOptions,
  type Queues,
  type RedriveRequest,
  type SendOutcome,
  type Settled,
  type Settlement,
} from "@quadrant/contract";
import type { Fetching } from "./fetching.ts";
import { Intake } from "./intake.ts";
import type { LoanHome, Loans } from "./loans.ts";
import { mailboxKey } from "./names.ts";
import type { Openings } from "./openings.ts";
import { packLetter, packTogether, unpackLetter, unpackTogether } from "./pack/letters.ts";
import type { Requests } from "./requests.ts";
import type { Argument } from "./resp/command-writer.ts";
import { bytesOf, listOf, numberOf, type Reply, textOf } from "./resp/reply-reader.ts";
import * as scripts from "./scripts/queues.ts";
import type { Script } from "./scripts/script.ts";
import { SettlementBatch, tokenOf } from "./settlements.ts";

/** Letters of one request: more go in several. */
const requestBytes = 1_048_576;
const requestLetters = 1_000;

/** Splits letters so that no request holds up the server for long, in order. */
function parts(letters: readonly QueueLetter[]): readonly (readonly QueueLetter[])[] {
  const all: QueueLetter[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const letter of letters) {
    if (bytes + letter.body.length > requestBytes || all.at(-1)!.length >= requestLetters) {
      all.push([]);
      bytes = 0;
    }
    all.at(-1)!.push(letter);
    bytes += letter.body.length;
  }
  return all;
}

/** Whether it has nothing of its own that the server would have to know. */
function isPlain({ dedupe, key, delayMs, ttlMs }: QueueLetter): boolean {
  if (dedupe || key !== undefined) return false;
  return (delayMs ?? 0) <= 0 && (ttlMs ?? Number.POSITIVE_INFINITY) === Number.POSITIVE_INFINITY;
}

/** Where the plain ones end that begin at `from`. */
function plainUntil(letters: readonly QueueLetter[], from: number): number {
  let to = from;
  while (to < letters.length && isPlain(letters[to]!)) to++;
  return to;
}

/** One letter as the script takes it: whether its id is remembered, id, body, key, delay, time to live. */
function alone(letter: QueueLetter, sentAt: number): readonly Argument[] {
  const { id, dedupe, headers, contentType, body, key, delayMs, ttlMs } = letter;
  const text = packLetter({ id, sentAt, headers, contentType, body });
  const delay = delayMs !== undefined && delayMs > 0 ? Math.ceil(delayMs) : "";
  const ends = ttlMs !== undefined && ttlMs !== Number.POSITIVE_INFINITY ? Math.floor(ttlMs) : "";
  return [dedupe ? "1" : "", id, text, key ?? "", delay, ends];
}

const orEmpty = (value: number | undefined): Argument => value ?? "";

/** Mailboxes. */
export class RedisQueues implements Queues {
  readonly #requests: Requests;
  readonly #fetching: Fetching;
  readonly #loans: Loans;
  readonly #openings: Openings;
  readonly #now: () => number;
  readonly #intake = new Intake();

  constructor(requests: Requests, fetching: Fetching, loans: Loans, openings: Openings, now: () => number) {
    this.#requests = requests;
    this.#fetching = fetching;
    this.#loans = loans;
    this.#openings = openings;
    this.#now = now;
  }

  async open(address: string, options: QueueOptions): Promise<{ readonly leaseMs: number }> {
    const leaseMs = await this.#open(address, options, true);
    this.#openings.opened(mailboxKey(address), () => this.#open(address, options, false));
    return { leaseMs };
  }

  async #open(address: string, options: QueueOptions, anew: boolean): Promise<number> {
    const registry = await this.#openings.register("mailbox", address);
    const { leaseMs, maxAttempts, capacity } = options;
    const values = [registry, address, orEmpty(leaseMs), orEmpty(maxAttempts), orEmpty(capacity), anew ? "1" : "0"];
    return numberOf(await this.#write(scripts.openQueue, address, `open mailbox ${address}`, values));
  }

  #write(script: Script, address: string, what: string, values: readonly Argument[]): Promise<Reply> {
    return this.#requests.run(script, mailboxKey(address), values, { what, writes: true });
  }

  #read(script: Script, address: string, what: string, values: readonly Argument[] = []): Promise<Reply> {
    return this.#requests.run(script, mailboxKey(address), values, { what, writes: false });
  }

  #reopen(address: string): Promise<unknown> {
    return this.#openings.again(mailboxKey(address), () => this.#open(address, {}, false));
  }

  async send(address: string, letters: readonly QueueLetter[]): Promise<readonly SendOutcome[]> {
    if (letters.length <= requestLetters) {
      const split = parts(letters);
      if (split.length === 1) return this.#send(address, split[0]!);
    }
    return (await Promise.all(parts(letters).map((part) => this.#send(address, part)))).flat();
  }

  async #send(address: string, letters: readonly QueueLetter[]): Promise<readonly SendOutcome[]> {
    const sentAt = this.#now();
    const values: Argument[] = [];
    /** How many letters each part of the request is. */
    const counts: number[] = [];
    for (let from = 0; from < letters.length; ) {
      const to = plainUntil(letters, from);
      const count = Math.max(1, to - from);
      if (count === 1) values.push(...alone(letters[from]!, sentAt));
      else {
        const together = letters.slice(from, to).map((letter) => ({ ...letter, sentAt }));
        values.push("p", count, packTogether(together), "", "", "");
      }
      counts.push(count);
      from += count;
    }
    for (;;) {
      const reply = await this.#write(scripts.sendLetters, address, `send to ${address}`, values);
      if (reply !== -1) return this.#outcomes(address, counts, listOf(reply));
      await this.#reopen(address);
    }
  }

  #outcomes(address: string, counts: readonly number[], reply: readonly Reply[]): SendOutcome[] {
    return counts.flatMap((count, at) => {
      if (count === 1) return this.#outcome(address, reply[at]!);
      const fit = numberOf(reply[at]);
      return Array.from({ length: count }, (_, place) => this.#outcome(address, place < fit ? 0 : 2));
    });
  }

  #outcome(address: string, outcome: Reply): SendOutcome {
    if (outcome !== 2) return { duplicate: outcome === 1 };
    const message = `the mailbox ${address} is full (capacity); send again when some letters have been handled`;
    return { error: new BusError("overflow", message, { driver: "redis" }) };
  }

  #home(address: string): LoanHome {
    return {
      key: mailboxKey(address),
      giveBack: async (tokens, kind) => {
        const { values } = new SettlementBatch(tokens.map((token) => ({ kind, token })));
        await this.#write(scripts.settleLetters, address, `give back to ${address}`, values).catch(() => undefined);
      },
    };
  }

  async fetch(address: string, { max, leaseMs, signal }: FetchRequest): Promise<readonly Leased[]> {
    const key = mailboxKey(address);
    await this.#intake.turn(key, signal);
    const home = this.#home(address);
    const values = [max, orEmpty(leaseMs), "1"];
    const terms = { what: `receive from ${address}`, writes: true, untimed: true };
    let serial = 0;
    let place = "";
    const fetched = await this.#fetching.fetch({
      key,
      signal,
      ask: () => {
        const asked = this.#requests.ask(scripts.fetchLetters, key, values, terms);
        place = asked.place;
        serial = asked.serial;
        return asked;
      },
      read: (reply) => {
        const nonce = `${place}.${serial}`;
        const letters = this.#letters(address, listOf(reply), nonce);
        this.#loans.add(home, nonce, letters, leaseMs ?? 60_000);
        this.#intake.brought(key, letters.length);
        return letters;
      },
      giveBack: async (reply) => {
        const tokens = this.#letters(address, listOf(reply), `${place}.${serial}`).map((letter) => letter.token);
        if (tokens.length > 0) await home.giveBack(tokens, "release");
      },
      reopen: () => this.#reopen(address),
      pass: () => this.pass(key),
    });
    return fetched ?? [];
  }

  /** Nobody here waits under the key any more: the next is told. */
  pass(key: string): void {
    this.#requests.run(scripts.lookAtQueue, key, [], { what: "pass on", writes: false }).catch(() => undefined);
  }

  #letters(address: string, reply: readonly Reply[], nonce: string): Leased[] {
    const letters: Leased[] = [];
    if (reply[0] !== 1) return letters;
    for (let at = 1; at < reply.length; at += 3) {
      const number = textOf(reply[at]);
      const attempt = numberOf(reply[at + 1]);
      const bytes = bytesOf(reply[at + 2]);
      const plus = number.indexOf("+");
      if (plus === -1) {
        letters.push({ ...unpackLetter(bytes), token: tokenOf(number, nonce), attempt, subject: address });
        continue;
      }
      const first = number.slice(0, plus);
      for (const [place, letter] of unpackTogether(bytes, Number(number.slice(plus + 1))).entries()) {
        letters.push({ ...letter, token: tokenOf(`${first}+${place}`, nonce), attempt, subject: address });
      }
    }
    return letters;
  }

  async settle(address: string, settlements: readonly Settlement[]): Promise<readonly Settled[]> {
    const batch = new SettlementBatch(settlements);
    const settling = this.#write(scripts.settleLetters, address, `settle letters of ${address}`, batch.values);
    this.#intake.settling(mailboxKey(address), settling);
    const reply = await settling;
    return batch.settled(listOf(reply), `the mailbox ${address}`, this.#loans);
  }

  async info(address: string): Promise<QueueInfo> {
    const info = listOf(await this.#read(scripts.lookAtQueue, address, `look at ${address}`)).map(numberOf);
    return { waiting: info[0]!, held: info[1]!, delayed: info[2]!, dead: info[3]! };
  }

  async peek(address: string, limit: number): Promise<readonly PeekedLetter[]> {
    const reply = listOf(await this.#read(scripts.peekLetters, address, `peek into ${address}`, [limit]));
    const peeked: PeekedLetter[] = [];
    for (let at = 0; at < reply.length; at += 3) {
      peeked.push({ ...unpackLetter(bytesOf(reply[at + 2])), subject: address, attempt: numberOf(reply[at + 1]) });
    }
    return peeked;
  }

  async deadLetters(address: string, limit: number): Promise<readonly DeadRecord[]> {
    const what = `dead letters of ${address}`;
    const reply = listOf(await this.#read(scripts.listDeadLetters, address, what, [limit]));
    const dead: DeadRecord[] = [];
    for (let at = 0; at < reply.length; at += 6) {
      dead.push({
        ...unpackLetter(bytesOf(reply[at + 5])),
        subject: address,
        attempt: numberOf(reply[at + 1]),
        diedAt: numberOf(reply[at + 2]),
        failure: { code: textOf(reply[at + 3]), message: textOf(reply[at + 4]) },
      });
    }
    return dead;
  }

  async redrive(address: string, { ids, limit }: RedriveRequest): Promise<number> {
    if (ids?.length === 0) return 0;
    const values = [limit ?? Number.MAX_SAFE_INTEGER, ...(ids ?? [])];
    return numberOf(await this.#write(scripts.redriveLetters, address, `redrive ${address}`, values));
  }

  async purge(address: string): Promise<number> {
    let purged = 0;
    for (;;) {
      const [count, more] = listOf(await this.#write(scripts.purgeLetters, address, `purge ${address}`, []));
      purged += numberOf(count);
      if (more !== 1) return purged;
    }
  }

  async destroy(address: string): Promise<void> {
    const values = [this.#openings.registry("mailbox"), address];
    await this.#write(scripts.destroyQueue, address, `destroy mailbox ${address}`, values);
    await this.#openings.deregister("mailbox", address);
    this.#openings.destroyed(mailboxKey(address));
  }
}
