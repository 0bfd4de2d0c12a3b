import { ByteWriter } from "../job/byte-writer.ts";
import { text } from "../job/codec.ts";
import type { Job } from "../job/job.ts";
import type { PairCursor } from "./cursor.ts";
import { KeyTable } from "./key-table.ts";
import { type PairSink, type SinkTask, SortingSink } from "./pair-sink.ts";
import type { RunReference, RunStore } from "./run-store.ts";

/** With less, files would be many and small. */
const leastBytes = 1 << 16;
/** What a value takes in the heap; an estimate. */
const valueBytes = 32;

/** Keeps one value a key, combined, until memory is short; then they go the way of all pairs. */
export class CombiningSink implements PairSink {
  readonly #job: Job;
  readonly #combine: NonNullable<Job["combine"]>;
  readonly #hasTextKeys: boolean;
  readonly #mostBytes: number;
  readonly #sorting: SortingSink;
  readonly #keys = new KeyTable();
  readonly #values: unknown[] = [];
  readonly #trial = new ByteWriter();

  constructor(job: Job, combine: NonNullable<Job["combine"]>, task: SinkTask, scratch: string) {
    this.#job = job;
    this.#combine = combine;
    this.#hasTextKeys = Object.is(job.key, text);
    // Room grows by doubling, and sorting needs the other half.
    this.#mostBytes = Math.max(task.memoryBytes / 4, leastBytes);
    this.#sorting = new SortingSink(job, { ...task, memoryBytes: task.memoryBytes / 2 }, scratch);
  }

  get spilledBytes(): number {
    return this.#sorting.spilledBytes;
  }

  add(key: unknown, value: unknown): void {
    const known = this.#keys.size;
    const place = this.#hasTextKeys && typeof key === "string" ? this.#keys.placeOfText(key) : this.#placeOf(key);
    if (place < known) this.#values[place] = this.#combine(this.#values[place], value, key);
    else this.#insert(value);
  }

  /** A pair as it lies in a block, key and value written. */
  addEncoded(bytes: Buffer, key: number, value: number, end: number): void {
    const known = this.#keys.size;
    const place = this.#keys.placeOfBytes(bytes, key, value);
    const own = this.#job.value.read(bytes, value, end);
    if (place >= known) this.#insert(own);
    else this.#values[place] = this.#combine(this.#values[place], own, this.#job.key.read(bytes, key, value));
  }

  async finish(store: RunStore): Promise<readonly RunReference[]> {
    this.#pass();
    return this.#sorting.finish(store);
  }

  /** What has come as sorted pairs of the only partition, instead of `finish`. */
  pairs(): PairCursor {
    this.#pass();
    return this.#sorting.pairs(0);
  }

  close(): void {
    this.#sorting.close();
  }

  #placeOf(key: unknown): number {
    this.#trial.clear();
    this.#job.key.write(key, this.#trial);
    return this.#keys.placeOfBytes(this.#trial.bytes, 0, this.#trial.length);
  }

  #insert(value: unknown): void {
    this.#values.push(value);
    // What cannot be written fails here, where the record is known of which it is.
    this.#trial.clear();
    this.#job.value.write(value, this.#trial);
    if (this.#keys.heldBytes + this.#values.length * valueBytes <= this.#mostBytes) return;
    this.#pass();
    this.#sorting.spill();
  }

  #pass(): void {
    const keys = this.#keys;
    for (let place = 0; place < keys.size; place++) {
      this.#sorting.addEncoded(keys.bytes, keys.start(place), keys.end(place), keys.hash(place), this.#values[place]);
    }
    keys.clear();
    this.#values.length = 0;
  }
}
