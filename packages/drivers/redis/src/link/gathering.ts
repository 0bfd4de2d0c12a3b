import { afterTurn } from "@quadrant/contract";

/** When what is gathered is to be sent: at the end of its turn, but at once for who brought one thing in the turn before. */
export class Gathering {
  readonly #send: () => void;
  #waiting = false;
  #count = 0;
  #countBefore = 0;

  constructor(send: () => void) {
    this.#send = send;
  }

  /** Something was gathered; `full`: so much is there that it is not to wait. */
  add(full: boolean): void {
    this.#count++;
    if (!this.#waiting) {
      this.#waiting = true;
      afterTurn(this.#turnEnded);
      if (this.#countBefore <= 1) this.#send();
    } else if (full) this.#send();
  }

  readonly #turnEnded = (): void => {
    this.#waiting = false;
    this.#countBefore = this.#count;
    this.#count = 0;
    this.#send();
  };
}
