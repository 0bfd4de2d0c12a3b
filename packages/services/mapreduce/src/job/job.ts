import type { Input } from "../input/input.ts";
import { lines } from "../input/lines.ts";
import type { Split } from "../input/plan.ts";
import type { OutputFormat } from "../output/format.ts";
import { type TextLine, textLines } from "../output/text.ts";
import { type Codec, type Json, json, text } from "./codec.ts";

/** Hands a pair to the shuffle. */
export type Emit<K, V> = (key: K, value: V) => void;

/** Where the record at hand comes from, and the job's counters. */
export interface MapContext {
  readonly path: string;
  /** What the input was called when the job was started (`users=FILE`); undefined for one without a name. */
  readonly source: string | undefined;
  /** Of the record's first byte in the file, or its number where the input counts otherwise. */
  readonly offset: number;
  /** Adds to a counter of that name, which the job's result shows. */
  count(name: string, by?: number): void;
}

export interface ReduceContext {
  readonly partition: number;
  count(name: string, by?: number): void;
}

/** What a finished round of an iterated job came to. */
export interface Round {
  /** From 1. */
  readonly round: number;
  readonly counters: Readonly<Record<string, number>>;
  readonly options: Json | undefined;
}

/** What a job's author writes; `defineJob` fills in the rest. */
export interface JobDefinition<R, K, V, Out> {
  /** Shown in progress and results. */
  readonly name: string;
  /** Default `lines`. */
  readonly input?: Input<R> | undefined;
  /** Default `text`: keys are strings. */
  readonly key?: Codec<K> | undefined;
  /** Default `json()`. */
  readonly value?: Codec<V> | undefined;
  /** Called once for each record, in no order. Must not keep the record: what it is made of is used again. */
  map(record: R, emit: Emit<K, V>, context: MapContext): void;
  /** Called once for each key, in the order of keys. `values` can be gone through once; values of one file come in its order. */
  reduce(key: K, values: Iterable<V>, emit: (out: Out) => void, context: ReduceContext): void;
  /** Makes one value of two of a key, before they are written: associative and commutative. Less to sort, write and move. */
  readonly combine?: ((a: V, b: V, key: K) => V) | undefined;
  /** Which of so many partitions a key belongs to: from 0. Default: FNV-1a of its bytes. */
  readonly partition?: ((key: K, partitions: number) => number) | undefined;
  /** The order of keys by their bytes. Default "ascending". */
  readonly sort?: "ascending" | "descending" | undefined;
  /** Default `textLines`: strings, or fields that are joined by tabs. */
  readonly output?: OutputFormat<Out> | undefined;
  /** Called once before the first task; what it returns takes the place of the job's options. For a sample of the keys, say. */
  readonly prepare?: ((splits: readonly Split[], partitions: number) => Promise<Json>) | undefined;
  /** For iterated jobs: the options of the next round, which reads this one's output; undefined when it was the last. */
  readonly next?: ((finished: Round) => Json | undefined) | undefined;
}

/** A job with nothing left open. */
export interface Job<R = unknown, K = unknown, V = unknown, Out = unknown> extends JobDefinition<R, K, V, Out> {
  readonly input: Input<R>;
  readonly key: Codec<K>;
  readonly value: Codec<V>;
  readonly output: OutputFormat<Out>;
  readonly sort: "ascending" | "descending";
}

/**
 * A job, as the default export of a module; or the default export is a function that makes one of the options it was
 * started with. The types of records, keys, values and results follow from `input`, `key`, `value` and `output`, or are
 * given: `defineJob<string, number>({…})`.
 */
export function defineJob<K = string, V = Json, Out = TextLine, R = string>(
  definition: JobDefinition<R, K, V, Out>,
): Job<R, K, V, Out> {
  return {
    ...definition,
    // The defaults of the type parameters are those of the fields.
    input: definition.input ?? (lines as unknown as Input<R>),
    key: definition.key ?? (text as unknown as Codec<K>),
    value: definition.value ?? json<V>(),
    output: definition.output ?? (textLines as unknown as OutputFormat<Out>),
    sort: definition.sort ?? "ascending",
  };
}
