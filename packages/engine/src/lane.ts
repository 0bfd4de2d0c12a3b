import { Chain } from "./chain.ts";
import type { Letter } from "./letter.ts";

/** The letters of one key, in the order they were sent. Only the first may be lent. */
export class Lane {
  readonly key: string;
  readonly letters: Chain<Letter> = new Chain();

  constructor(key: string) {
    this.key = key;
  }

  get head(): Letter | undefined {
    return this.letters.first?.value;
  }
}
