import type { Letter } from "./letter.ts";

/** All letters of a queue in the order they were sent: a chain whose links are in the letters themselves. */
export class LetterLine implements Iterable<Letter> {
  first: Letter | undefined;
  last: Letter | undefined;
  size = 0;

  append(letter: Letter): void {
    letter.previous = this.last;
    if (this.last === undefined) this.first = letter;
    else this.last.next = letter;
    this.last = letter;
    this.size++;
  }

  /** The letter is in this line. */
  remove(letter: Letter): void {
    const { previous, next } = letter;
    if (previous === undefined) this.first = next;
    else previous.next = next;
    if (next === undefined) this.last = previous;
    else next.previous = previous;
    letter.previous = letter.next = undefined;
    this.size--;
  }

  /** In order. The letter that was just given may leave meanwhile. */
  *[Symbol.iterator](): Iterator<Letter> {
    let letter = this.first;
    while (letter !== undefined) {
      const { next }: Letter = letter;
      yield letter;
      letter = next;
    }
  }
}
