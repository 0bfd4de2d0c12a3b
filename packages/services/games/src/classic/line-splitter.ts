/** Cuts bytes of a socket into lines. A line over the bound is given as undefined, once, whatever of it is still to come. */
export class LineSplitter {
  readonly #longest: number;
  #rest = "";
  #skipping = false;
  readonly #decoder = new TextDecoder();

  constructor(longest: number) {
    this.#longest = longest;
  }

  push(bytes: Uint8Array): readonly (string | undefined)[] {
    const parts = (this.#rest + this.#decoder.decode(bytes, { stream: true })).split("\n");
    this.#rest = parts.pop() ?? "";
    const lines: (string | undefined)[] = [];
    for (const part of parts) {
      if (!this.#skipping) lines.push(part.length > this.#longest ? undefined : part.replace(/\r$/, ""));
      this.#skipping = false;
    }
    if (this.#rest.length > this.#longest) {
      if (!this.#skipping) lines.push(undefined);
      this.#skipping = true;
    }
    if (this.#skipping) this.#rest = "";
    return lines;
  }
}
