import type { Kept } from "./group-commit.ts";
import type { Letter } from "./letter.ts";

export interface LoanTerms {
  readonly leaseMs: number;
  readonly maxAttempts: number;
}

/** Where the letters of a ledger live: a queue, or a durable of a log. */
export interface LetterHome extends Kept {
  /** For messages: "the mailbox orders". */
  readonly what: string;
  readonly terms: LoanTerms;
  /** The next letter that can be lent and was not offered, where there is one: those before it were, or were lent. */
  fresh(): Letter | undefined;
  /** About how many such there are. */
  unread(): number;
  /** Whether the letter may be delivered again: it has not expired, and its log still holds it. */
  isAlive(letter: Letter): boolean;
  /** Its delay is over, or it came back: offer it, unless something is before it. */
  admit(letter: Letter): void;
  /** It waits, was not offered, and is not to be lent after all. */
  passOver(letter: Letter): void;
  /** It was acknowledged, has died, or may not be delivered again. */
  gone(letter: Letter): void;
  /** Keeps where the letter stands together with the letter; false where it is to have a row of its own for that. */
  keep(letter: Letter): boolean;
  /** A dead letter is to be delivered as if it were new. */
  revive(letter: Letter): void;
}
