import { eachChange } from "./journal.ts";

/** What many groups come to: what was put and removed again in between leaves nothing but the removal. */
export class NetChanges {
  /** By row, as they were put last. Rows are numbered once: what was removed is never put again. */
  readonly puts: Map<number, Buffer> = new Map();
  #removed: { readonly first: number; last: number }[] = [];

  add(changes: Buffer): void {
    eachChange(changes, {
      put: (row, stored) => void this.puts.set(row, stored),
      remove: (first, last) => {
        for (let row = first; row <= last; row++) this.puts.delete(row);
        this.#removed.push({ first, last });
      },
    });
  }

  get empty(): boolean {
    return this.puts.size === 0 && this.#removed.length === 0;
  }

  /** Those with adjoining numbers together. */
  removed(): readonly { readonly first: number; readonly last: number }[] {
    const runs: { readonly first: number; last: number }[] = [];
    for (const { first, last } of this.#removed.sort((a, b) => a.first - b.first)) {
      const before = runs.at(-1);
      if (before !== undefined && first <= before.last + 1) before.last = Math.max(before.last, last);
      else runs.push({ first, last });
    }
    return runs;
  }
}
