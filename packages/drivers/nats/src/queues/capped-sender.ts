import type { QueueLetter, SendOutcome } from "@quadrant/contract";
import { asBusError, failed, isJetStreamError } from "../failure.ts";
import { type JetStream, wrongLastSequence } from "../jetstream.ts";
import { headerLine } from "../wire-headers.ts";
import type { Box } from "./box.ts";
import type { Inventory } from "./inventory.ts";
import { mailStream, mailSubject } from "./layout.ts";
import type { LetterForm } from "./letter-form.ts";
import type { Post } from "./post.ts";

const maxTries = 50;

/**
 * Sends into a mailbox with a capacity, one letter after the other: how many wait is looked up, and the letter is stored only
 * if no other was stored since. The bound is between senders as well, for letters without delay, lifetime and key.
 */
export class CappedSender {
  readonly #jetstream: JetStream;
  readonly #inventory: Inventory;
  readonly #post: Post;

  constructor(jetstream: JetStream, inventory: Inventory, post: Post) {
    this.#jetstream = jetstream;
    this.#inventory = inventory;
    this.#post = post;
  }

  send(
    box: Box,
    letters: readonly QueueLetter[],
    plainly: (letter: QueueLetter) => Promise<SendOutcome>,
  ): Promise<readonly SendOutcome[]> {
    const sending = box.sending.then(() => this.#sendAll(box, letters, plainly));
    box.sending = sending.catch(() => undefined);
    return sending;
  }

  async #sendAll(
    box: Box,
    letters: readonly QueueLetter[],
    plainly: (letter: QueueLetter) => Promise<SendOutcome>,
  ): Promise<readonly SendOutcome[]> {
    const outcomes: SendOutcome[] = [];
    for (const letter of letters) {
      try {
        const special = letter.ttlMs !== undefined || letter.key !== undefined || (letter.delayMs ?? 0) > 0;
        outcomes.push(special ? await this.#sendSpecial(box, letter, plainly) : await this.#sendPlain(box, letter));
      } catch (error) {
        outcomes.push({ error: asBusError(error, `send to ${box.what}`) });
      }
    }
    return outcomes;
  }

  async #sendSpecial(
    box: Box,
    letter: QueueLetter,
    plainly: (letter: QueueLetter) => Promise<SendOutcome>,
  ): Promise<SendOutcome> {
    // What is delayed does not wait yet.
    if ((letter.delayMs ?? 0) === 0 && (await this.#inventory.waiting(box)) >= box.terms.capacity!)
      return this.#full(box);
    return await plainly(letter);
  }

  async #sendPlain(box: Box, letter: QueueLetter): Promise<SendOutcome> {
    const { id, headers, contentType, body, dedupe } = letter;
    const form: LetterForm = {
      id,
      headers,
      contentType,
      body,
      key: undefined,
      sentAt: undefined,
      expiresAt: undefined,
      spent: 0,
    };
    const msgId = `${box.token}:${encodeURIComponent(id)}`;
    const subject = `${mailSubject(box.token)}.n`;
    for (let attempt = 0; attempt < maxTries; attempt++) {
      const last = await this.#jetstream.message(box.what, mailStream, { last_by_subj: subject });
      if ((await this.#inventory.waiting(box)) >= box.terms.capacity!) return this.#full(box);
      const expected = headerLine("Nats-Expected-Last-Subject-Sequence", last?.seq ?? 0);
      try {
        const { duplicate } = await this.#post.put(box, form, msgId, expected);
        return { duplicate: dedupe && duplicate };
      } catch (error) {
        if (!isJetStreamError(error, wrongLastSequence)) throw error;
      }
    }
    return { error: failed("unavailable", `send to ${box.what}: too many senders at once; try again`) };
  }

  #full(box: Box): SendOutcome {
    return { error: failed("overflow", `${box.what} holds as many letters as it may: ${box.terms.capacity}`) };
  }
}
