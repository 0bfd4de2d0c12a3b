import { ByteWriter } from "../job/byte-writer.ts";
import type { Job, ReduceContext } from "../job/job.ts";
import { isKey } from "../shuffle/combine.ts";
import type { PairCursor } from "../shuffle/cursor.ts";
import type { CounterTable } from "./counters.ts";
import { recordError, TaskError } from "./failure.ts";
import type { ReduceTask, Skipped } from "./task.ts";

/** Calls reduce for key after key of sorted pairs. What it emits is written into `out`, for the caller to take away. */
export class KeyReducer {
  readonly out: ByteWriter = new ByteWriter(1 << 16);
  readonly #job: Job;
  readonly #pairs: PairCursor;
  readonly #context: ReduceContext;
  readonly #skip: ReadonlySet<string>;
  readonly #skipped: Skipped[];
  readonly #emit: (result: unknown) => void;
  readonly #values: KeyValues;
  #more: boolean | undefined;
  keys = 0;
  results = 0;

  constructor(job: Job, task: ReduceTask, pairs: PairCursor, counters: CounterTable, skipped: Skipped[]) {
    this.#job = job;
    this.#pairs = pairs;
    this.#values = new KeyValues(job, pairs);
    this.#context = { partition: task.partition, count: (name, by) => counters.add(name, by) };
    this.#skip = new Set((task.skip ?? []).flatMap((bad) => ("key" in bad ? [bad.key] : [])));
    this.#skipped = skipped;
    this.#emit = (result) => {
      job.output.write(result, this.out);
      this.results++;
    };
    if (job.output.head !== undefined) this.out.text(job.output.head);
  }

  /** Pairs that have been read. */
  get records(): number {
    return this.#values.read;
  }

  /** Reduces the next key; false where there is none. */
  step(): boolean {
    const pairs = this.#pairs;
    this.#more ??= this.#values.first();
    if (!this.#more) return false;
    this.keys++;
    const values = this.#values;
    values.begin();
    const written = this.out.length;
    const results = this.results;
    if (this.#skip.size > 0 && this.#skip.has(values.encodedKey())) {
      this.#skipped.push({ record: { key: values.encodedKey() }, message: "it failed before" });
    } else {
      try {
        const key = this.#job.key.read(pairs.bytes, pairs.key, pairs.value);
        this.#job.reduce(key, values, this.#emit, this.#context);
      } catch (error) {
        this.out.length = written;
        this.results = results;
        throw error instanceof TaskError ? error : recordError({ key: values.encodedKey() }, error);
      }
    }
    this.#more = values.skipRest();
    return true;
  }
}

/** The values of the key at hand, which can be gone through once. */
class KeyValues implements IterableIterator<unknown> {
  readonly #job: Job;
  readonly #pairs: PairCursor;
  readonly #key = new ByteWriter();
  readonly #result: { done: boolean; value: unknown } = { done: false, value: undefined };
  /** Is the pair at hand one of this key that has not been given out? */
  #fresh = false;
  #ended = false;
  #more = false;
  read = 0;

  constructor(job: Job, pairs: PairCursor) {
    this.#job = job;
    this.#pairs = pairs;
  }

  /** To the very first pair. */
  first(): boolean {
    this.#more = this.#advance();
    return this.#more;
  }

  /** The pair at hand is the first of its key. */
  begin(): void {
    const { bytes, key, value } = this.#pairs;
    this.#key.clear();
    this.#key.copy(bytes, key, value);
    this.#fresh = true;
    this.#ended = false;
  }

  encodedKey(): string {
    return this.#key.written().toString("base64");
  }

  [Symbol.iterator](): this {
    return this;
  }

  next(): IteratorResult<unknown> {
    if (!this.#fresh && !this.#step()) return { done: true, value: undefined };
    this.#fresh = false;
    const { bytes, value, end } = this.#pairs;
    this.#result.value = this.#job.value.read(bytes, value, end);
    return this.#result as IteratorResult<unknown>;
  }

  /** Past the values that nobody asked for. Returns whether there is another key. */
  skipRest(): boolean {
    while (this.#step());
    return this.#more;
  }

  #step(): boolean {
    if (this.#ended) return false;
    this.#more = this.#advance();
    this.#ended = !this.#more || !isKey(this.#pairs, this.#key.bytes, this.#key.length);
    return !this.#ended;
  }

  #advance(): boolean {
    const more = this.#pairs.advance();
    if (more) this.read++;
    return more;
  }
}
