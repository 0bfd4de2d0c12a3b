import { words } from "../input/words.ts";
import { count, text } from "./codec.ts";
import type { Emit, Job } from "./job.ts";

/** A map function: each record counts once. */
export function one<R>(record: R, emit: Emit<R, number>): void {
  emit(record, 1);
}

/** A combine function: adds up. */
export function sum(a: number, b: number): number {
  return a + b;
}

/** Adds up the values of a key. */
export function total(values: Iterable<number>): number {
  let all = 0;
  for (const value of values) all += value;
  return all;
}

/** Can its values be added up by the count table? It knows this job's key, value, order, partition and combine function. */
export function isSummed(job: Job): boolean {
  const { key, value, combine, partition, sort } = job;
  return (
    Object.is(key, text) &&
    Object.is(value, count) &&
    Object.is(combine, sum) &&
    partition === undefined &&
    sort === "ascending"
  );
}

/** Can the count table map for it? */
export function isWordCounting(job: Job): boolean {
  return isSummed(job) && Object.is(job.input, words) && Object.is(job.map, one);
}
