import type { Failure } from "@quadrant/contract";
import type { JetStream } from "../jetstream.ts";
import type { Box } from "./box.ts";
import { mailSubject, restSubject } from "./layout.ts";
import { encodeLetter, type LetterForm } from "./letter-form.ts";
import { Lines } from "./lines.ts";

/** Puts letters where they belong. Each is stored with an id of its own, so that a repetition stores nothing. */
export class Post {
  readonly lines: Lines;
  readonly #jetstream: JetStream;

  constructor(jetstream: JetStream) {
    this.#jetstream = jetstream;
    this.lines = new Lines(jetstream);
  }

  /** To be delivered now. */
  put(box: Box, letter: LetterForm, msgId: string, extra: string = ""): Promise<{ readonly duplicate: boolean }> {
    if (letter.key !== undefined) return this.lines.append(box, letter, msgId);
    const { expiresAt } = letter;
    const end = expiresAt === undefined ? "n" : `e.${Math.ceil(expiresAt)}`;
    const headers = encodeLetter(letter, msgId, undefined, extra);
    return this.#jetstream.connection.store(box.what, `${mailSubject(box.token)}.${end}`, letter.body, headers, true);
  }

  /** To be delivered at `due`, in milliseconds since the epoch. */
  putLater(box: Box, letter: LetterForm, due: number, msgId: string): Promise<{ readonly duplicate: boolean }> {
    const { expiresAt } = letter;
    const subject = `${restSubject(box.token)}.later.${Math.ceil(due)}.${expiresAt === undefined ? 0 : Math.ceil(expiresAt)}`;
    return this.#jetstream.connection.store(box.what, subject, letter.body, encodeLetter(letter, msgId), true);
  }

  async putDead(box: Box, letter: LetterForm, failure: Failure, msgId: string): Promise<void> {
    const headers = encodeLetter(letter, msgId, failure);
    await this.#jetstream.connection.store(box.what, `${restSubject(box.token)}.dead`, letter.body, headers, true);
  }
}
