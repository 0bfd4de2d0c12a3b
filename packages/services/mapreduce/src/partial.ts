import type { WordList } from "./byte-table.ts";
import type { Unread } from "./document.ts";

/** What one task found for one partition, or all tasks. */
export interface Partial extends WordList {
  readonly unread: readonly Unread[];
}

/** A letter: part `part` of `parts` of a partial's text. */
export interface Piece {
  /** The task whose words these are, or the partition. */
  readonly of: number;
  /** Which attempt at it: pieces of two attempts are never mixed. */
  readonly attempt: string;
  readonly part: number;
  readonly parts: number;
  text: string;
}

/**
 * As text: the words, the counts, what could not be read; a line each. Words hold no space and no line end. Lines, not an
 * object with words for keys: `__proto__` is a word like any other.
 */
export function encodePartial({ words, counts, unread }: Partial): string {
  return `${words}\n${counts.join(" ")}\n${JSON.stringify(unread)}`;
}

export function decodePartial(text: string): Partial {
  const [words = "", counts = "", unread = "[]"] = text.split("\n");
  return {
    words,
    counts: counts === "" ? [] : counts.split(" ").map(Number),
    unread: JSON.parse(unread) as Unread[],
  };
}

/** Cuts a text into pieces of at most `letterChars` characters (at most three bytes each), so that no letter is too large. */
export function cutPieces(of: number, attempt: string, text: string, letterChars: number): readonly Piece[] {
  const texts: string[] = [];
  for (let start = 0; start < text.length; ) {
    let end = Math.min(start + letterChars, text.length);
    const last = text.charCodeAt(end - 1);
    // A surrogate pair stays together: half of one is no character.
    if (end < text.length && end - start > 1 && last >= 0xd800 && last < 0xdc00) end--;
    texts.push(text.slice(start, end));
    start = end;
  }
  if (texts.length === 0) texts.push("");
  return texts.map((piece, part) => ({ of, attempt, part, parts: texts.length, text: piece }));
}

/**
 * Puts pieces together, in whatever order and however often they come. Of each thing the first attempt that is complete
 * counts; every other is ignored.
 */
export class Assembly {
  readonly #complete = new Set<number>();
  /** Of what is not complete: the attempts at it. */
  readonly #open = new Map<number, Map<string, { readonly texts: string[]; held: number }>>();
  /** How many pieces were ignored because what they belong to was complete, or because they had come already. */
  repeats = 0;

  /** How many things are complete. */
  get size(): number {
    return this.#complete.size;
  }

  /** The whole text, where this piece was the last of the first complete attempt. */
  add(piece: Piece): string | undefined {
    if (this.#complete.has(piece.of)) {
      this.repeats++;
      return undefined;
    }
    const attempts = this.#open.get(piece.of) ?? new Map<string, { readonly texts: string[]; held: number }>();
    this.#open.set(piece.of, attempts);
    const attempt = attempts.get(piece.attempt) ?? { texts: [], held: 0 };
    attempts.set(piece.attempt, attempt);
    if (attempt.texts[piece.part] === undefined) attempt.held++;
    else this.repeats++;
    attempt.texts[piece.part] = piece.text;
    if (attempt.held < piece.parts) return undefined;
    this.#open.delete(piece.of);
    this.#complete.add(piece.of);
    return attempt.texts.join("");
  }
}
