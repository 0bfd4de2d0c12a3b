import { ByteWriter } from "../job/byte-writer.ts";
import type { Job } from "../job/job.ts";
import type { PairCursor } from "./cursor.ts";

/** A sorted cursor with one pair a key: values of one key are combined. */
export class CombineCursor implements PairCursor {
  readonly #pairs: PairCursor;
  readonly #job: Job;
  readonly #combine: NonNullable<Job["combine"]>;
  readonly #own = new ByteWriter();
  #more: boolean | undefined;
  readonly key = 0;
  value = 0;

  constructor(pairs: PairCursor, job: Job, combine: NonNullable<Job["combine"]>) {
    this.#pairs = pairs;
    this.#job = job;
    this.#combine = combine;
  }

  get bytes(): Buffer {
    return this.#own.bytes;
  }

  get end(): number {
    return this.#own.length;
  }

  advance(): boolean {
    const pairs = this.#pairs;
    this.#more ??= pairs.advance();
    if (!this.#more) return false;
    const own = this.#own;
    own.clear();
    own.copy(pairs.bytes, pairs.key, pairs.end);
    this.value = pairs.value - pairs.key;
    this.#more = pairs.advance();
    if (!this.#more || !this.#isSameKey()) return true;
    const { key: keys, value: values } = this.#job;
    const key = keys.read(own.bytes, 0, this.value);
    let combined = values.read(own.bytes, this.value, own.length);
    while (this.#more && this.#isSameKey()) {
      combined = this.#combine(combined, values.read(pairs.bytes, pairs.value, pairs.end), key);
      this.#more = pairs.advance();
    }
    own.length = this.value;
    values.write(combined, own);
    return true;
  }

  close(): void {
    this.#pairs.close();
  }

  #isSameKey(): boolean {
    return isKey(this.#pairs, this.#own.bytes, this.value);
  }
}

/** Is the key at hand what `bytes` begins with, so many of them? */
export function isKey({ bytes, key, value }: PairCursor, other: Buffer, length: number): boolean {
  if (value - key !== length) return false;
  for (let i = 0; i < length; i++) if (bytes[key + i] !== other[i]) return false;
  return true;
}
