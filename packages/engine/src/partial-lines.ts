import type { TextFields } from "@quadrant/contract";
import { type SpaceWaiter, type WaitingLine, WaitingLines } from "./waiting-line.ts";

const named = (key: string): string => `${key.length}:${key}`;

/**
 * Where waiters with partial records stand: under one of the fields they name, since a record that satisfies them has
 * all of these. The field whose line is shortest, so that a value that all have in common does not bring all together.
 */
export class PartialLines {
  readonly #lines = new WaitingLines();

  get size(): number {
    return this.#lines.size;
  }

  wait(waiter: SpaceWaiter): () => void {
    return this.#lines.join(this.#shortest(waiter), waiter);
  }

  /** Adds the lines in which waiters for such a record may stand. */
  collect(fields: TextFields, lines: WaitingLine[]): void {
    if (this.#lines.waiters === 0) return;
    this.#add("", lines);
    for (let index = 0; index < fields.count; index++) {
      const key = named(fields.key(index));
      this.#add(key, lines);
      this.#add(`${key}=${fields.field(index)}`, lines);
    }
  }

  #add(name: string, lines: WaitingLine[]): void {
    const line = this.#lines.get(name);
    if (line !== undefined) lines.push(line);
  }

  #shortest({ template }: SpaceWaiter): string {
    let best = "";
    let least = Number.POSITIVE_INFINITY;
    for (const [index, name] of template.keys!.entries()) {
      const actual = template.actual(index);
      const key = actual === undefined ? named(name) : `${named(name)}=${actual}`;
      const size = this.#lines.get(key)?.size ?? 0;
      if (size > least || (size === least && actual === undefined)) continue;
      best = key;
      least = size;
    }
    return best;
  }
}
