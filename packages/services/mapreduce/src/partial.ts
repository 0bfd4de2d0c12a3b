import type { Unread } from "./document.ts";
import { partitionOf } from "./partition.ts";

/** Words and how often each came, of one task and partition, or of a whole partition. */
export interface Partial {
  readonly words: readonly string[];
  readonly counts: readonly number[];
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
  readonly text: string;
}

/** A task's words, one partial a partition. What could not be read goes with the first. */
export function partitionWords(
  words: ReadonlyMap<string, number>,
  partitions: number,
  unread: readonly Unread[],
): readonly Partial[] {
  const partials = Array.from({ length: partitions }, (_, index) => ({
    words: [] as string[],
    counts: [] as number[],
    unread: index === 0 ? unread : [],
  }));
  for (const [word, count] of words) {
    const partial = partials[partitionOf(word, partitions)]!;
    partial.words.push(word);
    partial.counts.push(count);
  }
  return partials;
}

/**
 * As text: the words, the counts, what could not be read; a line each. Words hold no space and no line end. Lines, not an
 * object with words for keys: `__proto__` is a word like any other.
 */
export function encodePartial(partial: Partial): string {
  return `${partial.words.join(" ")}\n${partial.counts.join(" ")}\n${JSON.stringify(partial.unread)}`;
}

export function decodePartial(text: string): Partial {
  const [words = "", counts = "", unread = "[]"] = text.split("\n");
  return {
    words: words === "" ? [] : words.split(" "),
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
