/** Slots to begin with; a power of two, like every later number. */
const firstSlots = 64;

/**
 * What is known by a whole number from 0 to 2^53, for numbers that come and go all the time. A Map replaces its table again and
 * again then, and V8 keeps each old table, with what was in it, until the next full collection once one has grown old:
 * half of the time went into that. This one lives in two arrays that stay.
 *
 * Open addressing with linear probing; a random factor, so that no peer can choose numbers that meet.
 */
export class IdTable<T extends object> {
  readonly #factor = (Math.floor(Math.random() * 0x7fff_ffff) << 1) | 1;
  #keys: Float64Array = new Float64Array(firstSlots);
  #values: (T | undefined)[] = new Array(firstSlots).fill(undefined);
  #shift = 32 - Math.log2(firstSlots);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  #home(id: number): number {
    return Math.imul(id, this.#factor) >>> this.#shift;
  }

  /** Where it is, or would be. */
  #find(id: number): number {
    const keys = this.#keys;
    const values = this.#values;
    const mask = keys.length - 1;
    let at = this.#home(id);
    while (values[at] !== undefined && keys[at] !== id) at = (at + 1) & mask;
    return at;
  }

  get(id: number): T | undefined {
    return this.#values[this.#find(id)];
  }

  has(id: number): boolean {
    return this.#values[this.#find(id)] !== undefined;
  }

  set(id: number, value: T): void {
    let at = this.#find(id);
    if (this.#values[at] === undefined) {
      if ((this.#size + 1) * 2 > this.#keys.length) {
        this.#resize(this.#keys.length * 2);
        at = this.#find(id);
      }
      this.#size++;
      this.#keys[at] = id;
    }
    this.#values[at] = value;
  }

  delete(id: number): boolean {
    let free = this.#find(id);
    const keys = this.#keys;
    const values = this.#values;
    if (values[free] === undefined) return false;
    const mask = keys.length - 1;
    // What stands behind it and belongs before it moves up.
    for (let at = (free + 1) & mask; values[at] !== undefined; at = (at + 1) & mask) {
      const home = this.#home(keys[at]!);
      if (((at - home) & mask) < ((at - free) & mask)) continue;
      keys[free] = keys[at]!;
      values[free] = values[at];
      free = at;
    }
    values[free] = undefined;
    this.#size--;
    if (this.#size === 0 && keys.length > 4096) this.clear();
    return true;
  }

  #resize(slots: number): void {
    const keys = this.#keys;
    const values = this.#values;
    this.#allocate(slots);
    for (let from = 0; from < keys.length; from++) {
      const value = values[from];
      if (value === undefined) continue;
      const at = this.#find(keys[from]!);
      this.#keys[at] = keys[from]!;
      this.#values[at] = value;
    }
  }

  #allocate(slots: number): void {
    this.#keys = new Float64Array(slots);
    this.#values = new Array(slots).fill(undefined);
    this.#shift = 32 - Math.log2(slots);
  }

  clear(): void {
    this.#allocate(firstSlots);
    this.#size = 0;
  }

  /** What is in it now, by number, whatever becomes of it meanwhile. */
  [Symbol.iterator](): IterableIterator<[id: number, value: T]> {
    const entries: [number, T][] = [];
    for (let at = 0; at < this.#keys.length; at++) {
      const value = this.#values[at];
      if (value !== undefined) entries.push([this.#keys[at]!, value]);
    }
    return entries.sort(([a], [b]) => a - b).values();
  }

  /** As the iteration, without the numbers. */
  values(): readonly T[] {
    return [...this].map(([, value]) => value);
  }
}
