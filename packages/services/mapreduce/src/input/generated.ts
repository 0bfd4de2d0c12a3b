import { setImmediate as turn } from "node:timers/promises";
import { asRead, type Input } from "./input.ts";

/**
 * Records that a function makes: `parts` map tasks, each of what `make(part)` yields. The offset is the number of the
 * record in its part. A part that is made again, because its task failed, has to be the same.
 */
export function generated<R>(parts: number, make: (part: number) => Iterable<R> | AsyncIterable<R>): Input<R> {
  return {
    name: "generated",
    cut: "never",
    record: asRead,
    list: async () =>
      Array.from({ length: parts }, (_, part) => ({ path: `part ${part}`, start: part, end: part + 1 })),
    read: async ({ start }, take, signal) => {
      let number = 0;
      for await (const record of make(start)) {
        signal?.throwIfAborted();
        if (take(record, number++)) await turn();
      }
    },
  };
}
