import type { CompiledTemplate } from "@quadrant/contract";
import { WaitingLine } from "./waiting-line.ts";

const named = (key: string): string => `${key.length}:${key}`;

/**
 * Where waiters with partial records stand: under one of the fields they name, since a record that satisfies them has
 * all of these. The field whose line is shortest, so that a value that all have in common does not bring all together.
 */
export class PartialLines {
  readonly #lines = new Map<string, WaitingLine>();

  get size(): number {
    return this.#lines.size;
  }

  wait(template: CompiledTemplate, join: (line: WaitingLine) => () => void): () => void {
    const key = this.#shortest(template);
    let line = this.#lines.get(key);
    if (line === undefined) {
      line = new WaitingLine();
      this.#lines.set(key, line);
    }
    const joined = line;
    const leave = join(joined);
    return () => {
      leave();
      if (joined.size === 0 && this.#lines.get(key) === joined) this.#lines.delete(key);
    };
  }

  /** Adds the lines in which waiters for such a record may stand. */
  collect(keys: readonly string[], parts: readonly string[], lines: WaitingLine[]): void {
    if (this.#lines.size === 0) return;
    const add = (key: string): void => {
      const line = this.#lines.get(key);
      if (line !== undefined) lines.push(line);
    };
    add("");
    for (const [index, key] of keys.entries()) {
      add(named(key));
      add(`${named(key)}=${parts[index]}`);
    }
  }

  #shortest({ keys, holes }: CompiledTemplate): string {
    let best = "";
    let least = Number.POSITIVE_INFINITY;
    for (const [index, name] of keys!.entries()) {
      const actual = holes[index]!.actual;
      const key = actual === undefined ? named(name) : `${named(name)}=${actual}`;
      const size = this.#lines.get(key)?.size ?? 0;
      if (size > least || (size === least && actual === undefined)) continue;
      best = key;
      least = size;
    }
    return best;
  }
}
