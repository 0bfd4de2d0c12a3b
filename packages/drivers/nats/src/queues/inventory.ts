import type { DeadRecord, PeekedLetter, QueueInfo, RedriveRequest } from "@quadrant/contract";
import type { JetStream, StoredMessage } from "../jetstream.ts";
import type { Box } from "./box.ts";
import { laterOf } from "./later.ts";
import { mailStream, mailSubject, restStream, restSubject } from "./layout.ts";
import { failureOf, readStored } from "./letter-form.ts";
import type { Post } from "./post.ts";

interface Counts {
  readonly mail: ReadonlyMap<string, number>;
  readonly rest: ReadonlyMap<string, number>;
  readonly held: number;
  /** Up to this sequence everything has been delivered at least once. */
  readonly delivered: number;
}

function sum(counts: ReadonlyMap<string, number>, matches: (subject: string) => boolean): number {
  let total = 0;
  for (const [subject, count] of counts) if (matches(subject)) total += count;
  return total;
}

/** What there is in a mailbox, and what can be done with it as a whole. */
export class Inventory {
  readonly #jetstream: JetStream;
  readonly #post: Post;

  constructor(jetstream: JetStream, post: Post) {
    this.#jetstream = jetstream;
    this.#post = post;
  }

  async #count(box: Box): Promise<Counts> {
    const [mail, rest, consumer] = await Promise.all([
      this.#jetstream.subjects(box.what, mailStream, box.filter),
      this.#jetstream.subjects(box.what, restStream, `${restSubject(box.token)}.>`),
      box.consumerInfo(),
    ]);
    // A server that was killed may still count what was acknowledged before.
    const held = Math.min(
      consumer?.num_ack_pending ?? 0,
      sum(mail, () => true),
    );
    return { mail, rest, held, delivered: consumer?.delivered.stream_seq ?? 0 };
  }

  async info(box: Box): Promise<QueueInfo> {
    const { mail, rest, held, delivered } = await this.#count(box);
    const now = Date.now();
    let letters = await this.#unexpired(box, mail, delivered, now);
    let delayed = 0;
    for (const [subject, count] of rest) {
      if (subject.includes(".line.")) letters += count;
      const later = laterOf(box, subject);
      if (later === undefined) continue;
      if (later.expires !== undefined && later.expires <= now) {
        await this.#jetstream.purge(box.what, restStream, subject);
      } else if (later.due <= now) letters += count;
      else delayed += count;
    }
    const dead = rest.get(`${restSubject(box.token)}.dead`) ?? 0;
    return { waiting: Math.max(0, letters - held), held, delayed, dead };
  }

  /** How many letters are in the queue, keyed ones aside; those that expired before anybody got them are removed. */
  async #unexpired(box: Box, mail: ReadonlyMap<string, number>, delivered: number, now: number): Promise<number> {
    const root = `${mailSubject(box.token)}.`;
    let letters = 0;
    for (const [subject, count] of mail) {
      const kind = subject.slice(root.length);
      if (kind.startsWith("k.")) continue;
      letters += count;
      if (!kind.startsWith("e.") || Number(kind.slice(2)) > now) continue;
      for await (const { seq } of this.#jetstream.messages(box.what, mailStream, subject, delivered + 1)) {
        if (await this.#jetstream.remove(box.what, mailStream, seq)) letters--;
      }
    }
    return letters;
  }

  /** How many wait; what has a capacity asks before it sends. */
  async waiting(box: Box): Promise<number> {
    return (await this.info(box)).waiting;
  }

  async peek(box: Box, limit: number): Promise<PeekedLetter[]> {
    const letters: PeekedLetter[] = [];
    const now = Date.now();
    const add = (stored: StoredMessage): void => {
      const { id, headers, contentType, body, spent, sentAt, expiresAt } = readStored(stored);
      if (expiresAt !== undefined && expiresAt <= now) return;
      const { address } = box.terms;
      letters.push({ id, subject: address, headers, contentType, body, attempt: spent, sentAt: sentAt ?? stored.time });
    };
    const rest = await this.#jetstream.subjects(box.what, restStream, `${restSubject(box.token)}.>`);
    const kinds = [...rest.keys()].filter((subject) => !subject.endsWith(".dead"));
    await Promise.all([
      this.#read(box, mailStream, box.filter, limit, add),
      ...kinds.slice(0, limit).map((subject) => this.#read(box, restStream, subject, limit, add)),
    ]);
    return letters.sort((a, b) => a.sentAt - b.sentAt).slice(0, limit);
  }

  async #read(
    box: Box,
    stream: string,
    filter: string,
    limit: number,
    add: (stored: StoredMessage) => void,
  ): Promise<void> {
    let read = 0;
    for await (const stored of this.#jetstream.messages(box.what, stream, filter)) {
      if (stored.subject.startsWith(`${mailSubject(box.token)}.k.`)) continue;
      add(stored);
      if (++read >= limit) return;
    }
  }

  async deadLetters(box: Box, limit: number): Promise<DeadRecord[]> {
    const dead: DeadRecord[] = [];
    for await (const stored of this.#jetstream.messages(box.what, restStream, `${restSubject(box.token)}.dead`)) {
      const { id, headers, contentType, body, spent, sentAt, entry } = readStored(stored);
      dead.push({
        id,
        subject: entry?.subject ?? box.terms.address,
        headers,
        contentType,
        body,
        attempt: spent,
        sentAt: sentAt ?? stored.time,
        diedAt: stored.time,
        failure: failureOf(stored.read),
      });
      if (dead.length >= limit) break;
    }
    return dead;
  }

  /** First waiting again, then no longer dead; its id keeps a repetition from storing it twice. */
  async redrive(box: Box, { ids, limit = Number.POSITIVE_INFINITY }: RedriveRequest): Promise<number> {
    const wanted = ids === undefined ? undefined : new Set(ids);
    let redriven = 0;
    for await (const stored of this.#jetstream.messages(box.what, restStream, `${restSubject(box.token)}.dead`)) {
      if (redriven >= limit) break;
      const letter = readStored(stored);
      if (wanted !== undefined && !wanted.has(letter.id)) continue;
      const fresh = { ...letter, spent: 0, expiresAt: undefined };
      await this.#post.put(box, fresh, `redrive.${stored.seq}`);
      if (await this.#jetstream.remove(box.what, restStream, stored.seq)) redriven++;
    }
    return redriven;
  }

  async purge(box: Box): Promise<number> {
    const { mail, rest, held, delivered } = await this.#count(box);
    let purged = 0;
    const root = mailSubject(box.token);
    for (const subject of mail.keys()) {
      if (!subject.startsWith(`${root}.k.`)) purged += await this.#purge(box, mailStream, subject, held, delivered);
    }
    for (const subject of rest.keys()) {
      const key = subject.split(".line.")[1];
      if (key !== undefined) purged += await this.#purgeLine(box, subject, `${root}.k.${key}`, held, delivered);
      else if (laterOf(box, subject) !== undefined)
        purged += await this.#jetstream.purge(box.what, restStream, subject);
    }
    return purged;
  }

  /** What is held stays; while anything is, letters go one by one. */
  async #purge(box: Box, stream: string, subject: string, held: number, delivered: number): Promise<number> {
    if (held === 0) return await this.#jetstream.purge(box.what, stream, subject);
    let purged = 0;
    for await (const { seq } of this.#jetstream.messages(box.what, stream, subject, delivered + 1)) {
      if (await this.#jetstream.remove(box.what, stream, seq)) purged++;
    }
    return purged;
  }

  /** The first of a line may be in somebody's hand: it is, where its turn has been delivered. */
  async #purgeLine(box: Box, line: string, turn: string, held: number, delivered: number): Promise<number> {
    const token = await this.#jetstream.message(box.what, mailStream, { last_by_subj: turn });
    if (held === 0 || token === undefined || token.seq > delivered)
      return await this.#jetstream.purge(box.what, restStream, line);
    const first = await this.#jetstream.message(box.what, restStream, { seq: 1, next_by_subj: line });
    let purged = 0;
    for await (const { seq } of this.#jetstream.messages(box.what, restStream, line, (first?.seq ?? 0) + 1)) {
      if (await this.#jetstream.remove(box.what, restStream, seq)) purged++;
    }
    return purged;
  }
}
