import { isJetStreamError } from "../failure.ts";
import { type JetStream, type StoredMessage, wrongLastSequence } from "../jetstream.ts";
import { digest } from "../token.ts";
import { encodeHeaders, headerLine } from "../wire-headers.ts";
import type { Box, Turn } from "./box.ts";
import { keySubject, mailStream, mailSubject, restStream, restSubject, stateStream } from "./layout.ts";
import { encodeLetter, type LetterForm } from "./letter-form.ts";

const nothing = new Uint8Array(0);
const firstOfItsSubject = encodeHeaders({}, "", headerLine("Nats-Expected-Last-Subject-Sequence", 0))!;

/**
 * Letters of one key wait in a line of their own; the work queue holds one turn for each key that has a line. Whoever gets
 * the turn handles the first of the line, and passes the turn on, so that there is never more than one.
 *
 * A turn ends only when the line is empty, and then the line is looked at again: a sender that found the turn still there
 * has left its letter before.
 */
export class Lines {
  readonly #jetstream: JetStream;

  constructor(jetstream: JetStream) {
    this.#jetstream = jetstream;
  }

  lineOf(box: Box, key: string): string {
    return `${restSubject(box.token)}.line.${key}`;
  }

  /** Behind all that is there. */
  async append(box: Box, letter: LetterForm, msgId: string): Promise<{ readonly duplicate: boolean }> {
    const { connection } = this.#jetstream;
    const key = digest(letter.key!);
    const headers = encodeLetter(letter, msgId);
    const stored = await connection.store(box.what, this.lineOf(box, key), letter.body, headers, true);
    await this.begin(box, key);
    return stored;
  }

  /** Puts the turn of a key into the queue, unless it is there. */
  async begin(box: Box, key: string): Promise<void> {
    const subject = `${mailSubject(box.token)}.k.${key}`;
    try {
      await this.#jetstream.connection.store(box.what, subject, nothing, firstOfItsSubject, true);
    } catch (error) {
      if (!isJetStreamError(error, wrongLastSequence)) throw error;
    }
  }

  first(box: Box, key: string): Promise<StoredMessage | undefined> {
    return this.#jetstream.message(box.what, restStream, { seq: 1, next_by_subj: this.lineOf(box, key) });
  }

  /** How often the turn had been delivered, without counting, before this letter came first. */
  async base(box: Box, key: string, seq: number): Promise<number> {
    const found = await this.#jetstream.message(box.what, stateStream, { last_by_subj: keySubject(box.token, key) });
    if (found === undefined) return 0;
    const bases = JSON.parse(Buffer.from(found.body).toString("utf8")) as readonly (readonly [number, number])[];
    return bases.find((entry) => entry[0] === seq)?.[1] ?? 0;
  }

  async setBases(box: Box, key: string, bases: readonly (readonly [number, number])[]): Promise<void> {
    const body = Buffer.from(JSON.stringify(bases));
    await this.#jetstream.connection.store(box.what, keySubject(box.token, key), body, undefined, true);
  }

  /** The first of the line is done with: the turn goes on to the next, or ends. */
  async advance(box: Box, { key, seq, base, deliveries }: Turn, ack: string): Promise<void> {
    const { what } = box;
    const line = this.lineOf(box, key);
    const next = await this.#jetstream.message(what, restStream, { seq: seq + 1, next_by_subj: line });
    if (next !== undefined) {
      await this.setBases(box, key, [
        [seq, base],
        [next.seq, deliveries],
      ]);
      await this.#jetstream.remove(what, restStream, seq);
      await this.#jetstream.settle(what, ack, "-NAK");
      return;
    }
    await this.#jetstream.remove(what, restStream, seq);
    await this.finish(box, key, ack);
  }

  /** The line is empty, as far as is known. */
  async finish(box: Box, key: string, ack: string): Promise<void> {
    await this.#jetstream.settle(box.what, ack, "+ACK");
    if ((await this.first(box, key)) !== undefined) await this.begin(box, key);
  }

  /** A sender that died between a letter and its turn has left a line that nobody looks at. */
  async mend(box: Box, lines: readonly string[]): Promise<void> {
    if (lines.length === 0) return;
    const turns = await this.#jetstream.subjects(box.what, mailStream, `${mailSubject(box.token)}.k.>`);
    for (const key of lines) if (!turns.has(`${mailSubject(box.token)}.k.${key}`)) await this.begin(box, key);
  }
}
