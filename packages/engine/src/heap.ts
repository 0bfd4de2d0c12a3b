/** What a heap holds knows its own place in it, so that it can be moved and removed without a search. */
export interface Slotted {
  /** -1 while in no heap. Written by the heap. */
  slot: number;
}

/** A binary heap: the first in order is read in O(1); push, pop, removal and a change of order are O(log n). */
export class Heap<T extends Slotted> {
  readonly #items: T[] = [];
  readonly #before: (a: T, b: T) => boolean;

  constructor(before: (a: T, b: T) => boolean) {
    this.#before = before;
  }

  get size(): number {
    return this.#items.length;
  }

  first(): T | undefined {
    return this.#items[0];
  }

  push(item: T): void {
    item.slot = this.#items.length;
    this.#items.push(item);
    this.#rise(item);
  }

  pop(): T | undefined {
    const first = this.#items[0];
    if (first !== undefined) this.remove(first);
    return first;
  }

  remove(item: T): void {
    const at = item.slot;
    const last = this.#items.pop();
    item.slot = -1;
    if (last === undefined || last === item) return;
    last.slot = at;
    this.#items[at] = last;
    this.reorder(last);
  }

  /** After the item's order changed. */
  reorder(item: T): void {
    const at = item.slot;
    this.#rise(item);
    if (item.slot === at) this.#sink(item);
  }

  /** In no order. */
  values(): Iterable<T> {
    return this.#items;
  }

  clear(): void {
    for (const item of this.#items) item.slot = -1;
    this.#items.length = 0;
  }

  #rise(item: T): void {
    const items = this.#items;
    let at = item.slot;
    while (at > 0) {
      const up = (at - 1) >> 1;
      const parent = items[up]!;
      if (!this.#before(item, parent)) break;
      items[at] = parent;
      parent.slot = at;
      at = up;
    }
    items[at] = item;
    item.slot = at;
  }

  #sink(item: T): void {
    const items = this.#items;
    const length = items.length;
    let at = item.slot;
    for (;;) {
      let down = 2 * at + 1;
      if (down >= length) break;
      let child = items[down]!;
      const other = down + 1 < length ? items[down + 1]! : undefined;
      if (other !== undefined && this.#before(other, child)) {
        child = other;
        down++;
      }
      if (!this.#before(child, item)) break;
      items[at] = child;
      child.slot = at;
      at = down;
    }
    items[at] = item;
    item.slot = at;
  }
}
