import type { Kept } from "./group-commit.ts";
import { RowKind, type RowWriter } from "./row.ts";
import type { Setting } from "./setting.ts";

export const dedupeWindowMs: number = 120_000;

/**
 * More ids than this within one window are too many: the oldest are forgotten early. About 2 000 a second for each queue
 * or log.
 */
export const dedupeEntries: number = 262_144;

/** More than come with one operation, and few enough that a journal's disk that is nearly full takes them. */
const forgottenAtOnce = 256;

interface KeptId extends Kept {
  readonly id: string;
  readonly value: number;
  readonly time: number;
}

/** Remembers ids for two minutes, each with what came of it: true, or a number. */
export class DedupeWindow<V extends true | number> {
  readonly #setting: Setting;
  readonly #home: Kept;
  readonly #limit: number;
  readonly #values = new Map<string, V>();
  /** In the order they came, beside their times; what is before the head has been forgotten. */
  #ids: string[] = [];
  #times: number[] = [];
  #head = 0;
  /** Only where they outlive the engine. */
  readonly #kept = new Map<string, KeptId>();

  constructor(setting: Setting, home: Kept, limit: number = dedupeEntries) {
    this.#setting = setting;
    this.#home = home;
    this.#limit = limit;
  }

  get size(): number {
    return this.#values.size;
  }

  find(id: string): V | undefined {
    this.#forget(forgottenAtOnce);
    if (!this.#values.has(id)) return undefined;
    // It may be due as well, and its turn not come yet.
    this.#forget(Number.POSITIVE_INFINITY);
    return this.#values.get(id);
  }

  /** The id is not one that is remembered. */
  add(id: string, value: V): void {
    const { commits } = this.#setting;
    const time = this.#setting.now();
    if (commits !== undefined) {
      const kept: KeptId = { row: 0, id, value: Number(value), time };
      this.#kept.set(id, kept);
      commits.put(kept, this.#encode);
    }
    this.#remember(id, value, time);
  }

  restore(row: number, id: string, value: V, time: number): void {
    this.#kept.set(id, { row, id, value: Number(value), time });
    this.#remember(id, value, time);
  }

  clear(): void {
    while (this.#head < this.#ids.length) this.#drop();
  }

  #remember(id: string, value: V, time: number): void {
    this.#values.set(id, value);
    this.#ids.push(id);
    this.#times.push(time);
    if (this.#values.size > this.#limit) this.#drop();
  }

  #forget(most: number): void {
    const before = this.#setting.now() - dedupeWindowMs;
    for (let left = most; left > 0 && this.#head < this.#ids.length; left--) {
      if (this.#times[this.#head]! > before) return;
      this.#drop();
    }
  }

  #drop(): void {
    const id = this.#ids[this.#head]!;
    this.#values.delete(id);
    const kept = this.#kept.get(id);
    if (kept !== undefined) {
      this.#kept.delete(id);
      this.#setting.commits?.drop(kept);
    }
    this.#head++;
    if (this.#head < 1024 || this.#head * 2 < this.#ids.length) return;
    this.#ids = this.#ids.slice(this.#head);
    this.#times = this.#times.slice(this.#head);
    this.#head = 0;
  }

  readonly #encode = ({ row, id, value, time }: KeptId, rows: RowWriter): void => {
    rows.begin(row, RowKind.id).whole(this.#home.row).text(id).number(value).number(time).end();
  };
}
