import type { Setting } from "./setting.ts";

export const dedupeWindowMs: number = 120_000;

/**
 * More ids than this within one window are too many: the oldest are forgotten early. About 2 000 a second for each queue
 * or log.
 */
export const dedupeEntries: number = 262_144;

/** Remembers ids for two minutes, each with what came of it. */
export class DedupeWindow<V> {
  readonly #setting: Setting;
  readonly #limit: number;
  readonly #values = new Map<string, V>();
  /** In the order they came, beside their times; what is before the head has been forgotten. */
  #ids: string[] = [];
  #times: number[] = [];
  #head = 0;

  constructor(setting: Setting, limit: number = dedupeEntries) {
    this.#setting = setting;
    this.#limit = limit;
  }

  get size(): number {
    return this.#values.size;
  }

  find(id: string): V | undefined {
    this.#forget();
    return this.#values.get(id);
  }

  /** The id is not one that is remembered. */
  add(id: string, value: V): void {
    this.#values.set(id, value);
    this.#ids.push(id);
    this.#times.push(this.#setting.now());
    if (this.#values.size > this.#limit) this.#drop();
  }

  #forget(): void {
    const before = this.#setting.now() - dedupeWindowMs;
    while (this.#head < this.#ids.length && this.#times[this.#head]! <= before) this.#drop();
  }

  #drop(): void {
    this.#values.delete(this.#ids[this.#head]!);
    this.#head++;
    if (this.#head < 1024 || this.#head * 2 < this.#ids.length) return;
    this.#ids = this.#ids.slice(this.#head);
    this.#times = this.#times.slice(this.#head);
    this.#head = 0;
  }
}
