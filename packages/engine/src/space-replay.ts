import type { TupleEvent } from "@quadrant/contract";

/** What is in a space, as its events tell it. */
export class SpaceReplay {
  /** The number of the last event. */
  last = 0;
  /** Each event, in a few words. */
  readonly told: string[] = [];
  readonly #content = new Set<string>();

  /** What is wrong with an event, that comes next; undefined where nothing is. Every tuple is another. */
  add({ kind, seq, tuple }: TupleEvent): string | undefined {
    if (seq !== this.last + 1) return `event ${seq} comes after ${this.last}`;
    this.last = seq;
    this.told.push(`${kind} ${tuple}`);
    const comes = kind === "out" || kind === "return";
    if (comes === this.#content.has(tuple))
      return `event ${seq}, ${kind}, of a tuple that is ${comes ? "" : "not "}there`;
    if (comes) this.#content.add(tuple);
    else this.#content.delete(tuple);
    return undefined;
  }

  /** In the order of their texts. */
  get content(): readonly string[] {
    return [...this.#content].sort();
  }
}
