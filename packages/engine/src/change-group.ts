import type { BusError } from "@quadrant/contract";
import type { RowWriter } from "./row.ts";

/** A thing with a row in the journal; 0 where it has none. */
export interface Kept {
  row: number;
  /** Where it is among what has changed: the commit's own note. */
  change?: number | undefined;
}

/** Writes a thing as it is now: between `begin` and `end`, both the caller's. */
export type Encode<T extends Kept> = (thing: T, rows: RowWriter) => void;

/** Everything that changed while the group before was being committed. */
export class ChangeGroup {
  /** In the order in which they changed first, each with how it is written; undefined where it is no more. */
  readonly things: (Kept | undefined)[] = [];
  readonly encodes: Encode<Kept>[] = [];
  readonly removed: number[] = [];
  /** What is still to be done before it is written. */
  readonly last: (() => void)[] = [];
  readonly done: Promise<void>;
  resolve!: () => void;
  reject!: (error: BusError) => void;
  readonly begunAt: number = performance.now();
  bytes = 0;
  /** Committed even where it is empty, to learn how much room there is by now. */
  probes = false;

  constructor() {
    this.done = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    this.done.catch(() => undefined);
  }

  get empty(): boolean {
    return this.things.length === 0 && this.removed.length === 0 && !this.probes;
  }

  put(thing: Kept, encode: Encode<Kept>): void {
    const at = thing.change;
    if (at !== undefined && this.things[at] === thing) {
      this.encodes[at] = encode;
      return;
    }
    thing.change = this.things.length;
    this.things.push(thing);
    this.encodes.push(encode);
  }

  delete(thing: Kept): void {
    const at = thing.change;
    if (at !== undefined && this.things[at] === thing) this.things[at] = undefined;
  }
}
