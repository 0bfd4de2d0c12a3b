import { guard, guardMs } from "./guard.ts";

/** What came out of an iterable so far, read to its end in the background. */
export interface Collected<M> {
  readonly items: readonly M[];
  /** Resolves once `enough` holds; rejects when the iterable ends or throws before. */
  until(what: string, enough: (items: readonly M[]) => boolean): Promise<readonly M[]>;
  atLeast(count: number): Promise<readonly M[]>;
  /** Resolves when the loop is done, rejects when it threw. */
  readonly ended: Promise<void>;
}

class Collector<M> implements Collected<M> {
  readonly items: M[] = [];
  readonly ended: Promise<void>;
  #waiting: (() => void)[] = [];
  #over = false;
  #error: unknown;

  constructor(source: AsyncIterable<M>) {
    this.ended = this.#read(source);
    this.ended.catch(() => undefined);
  }

  async #read(source: AsyncIterable<M>): Promise<void> {
    try {
      for await (const item of source) {
        this.items.push(item);
        this.#wake();
      }
    } catch (error) {
      this.#error = error;
      throw error;
    } finally {
      this.#over = true;
      this.#wake();
    }
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  async until(what: string, enough: (items: readonly M[]) => boolean): Promise<readonly M[]> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.#wake();
    }, guardMs);
    try {
      while (!enough(this.items)) {
        const sofar = `${this.items.length} so far`;
        if (this.#over)
          throw new Error(`the iterable ended before ${what}; ${sofar}: ${this.#error ?? ""}`, { cause: this.#error });
        if (late) throw new Error(`waited ${guardMs} ms in vain for ${what}; ${sofar}`);
        await new Promise<void>((resolve) => this.#waiting.push(resolve));
      }
      return this.items;
    } finally {
      clearTimeout(timer);
    }
  }

  atLeast(count: number): Promise<readonly M[]> {
    return this.until(`${count} items`, (items) => items.length >= count);
  }
}

/** Reads the iterable to its end in the background. */
export function collect<M>(source: AsyncIterable<M>): Collected<M> {
  return new Collector(source);
}

/** All items of an iterable that ends by itself. */
export async function gather<M>(source: AsyncIterable<M>): Promise<readonly M[]> {
  const collected = new Collector(source);
  await guard(collected.ended, "the end of an iterable");
  return collected.items;
}

/** The next item; fails when there is none any more. */
export async function next<M>(iterator: AsyncIterator<M>): Promise<M> {
  const result = await guard(iterator.next(), "the next item");
  if (result.done === true) throw new Error("the iterable ended where an item was expected");
  return result.value;
}
