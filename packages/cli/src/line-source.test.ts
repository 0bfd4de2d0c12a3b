import { PassThrough, Readable } from "node:stream";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { lineBatches } from "./line-source.ts";

const never = new AbortController().signal;

async function linesOf(stream: Readable): Promise<string[]> {
  const lines: string[] = [];
  for await (const batch of lineBatches(stream, never)) lines.push(...batch);
  return lines;
}

test("however the bytes are cut, the lines are the same", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ unit: fc.constantFrom("a", "é", "😀", "\u2028", " ") })),
      fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1 }),
      fc.boolean(),
      async (lines, sizes, ends) => {
        const whole = Buffer.from(lines.join("\n") + (ends && lines.length > 0 ? "\n" : ""));
        const chunks: Buffer[] = [];
        for (let at = 0, i = 0; at < whole.length; i++) {
          const size = sizes[i % sizes.length]!;
          chunks.push(whole.subarray(at, at + size));
          at += size;
        }
        const expected = whole.length === 0 ? [] : whole.toString().replace(/\n$/, "").split("\n");
        expect(await linesOf(Readable.from(chunks))).toEqual(expected);
      },
    ),
  );
});

describe("ends", () => {
  test("carriage returns go with the line feed", async () => {
    expect(await linesOf(Readable.from([Buffer.from("a\r\nb\r\n\r\nc")]))).toEqual(["a", "b", "", "c"]);
  });

  test("nothing has no lines", async () => {
    expect(await linesOf(Readable.from([]))).toEqual([]);
  });
});

test("a line is there as soon as it has ended, without waiting for more", async () => {
  const stream = new PassThrough();
  const batches = lineBatches(stream, never);
  stream.write("one\ntwo");
  expect((await batches.next()).value).toEqual(["one"]);
  stream.write("\n");
  expect((await batches.next()).value).toEqual(["two"]);
  await batches.return();
});

test("an abort ends it quietly, also while it waits", async () => {
  const stop = new AbortController();
  const batches = lineBatches(new PassThrough(), stop.signal);
  const next = batches.next();
  stop.abort();
  expect(await next).toEqual({ value: undefined, done: true });
  expect(await lineBatches(Readable.from(["a\n"]), stop.signal).next()).toEqual({ value: undefined, done: true });
});

test("what goes wrong with the stream is told", async () => {
  const stream = new PassThrough();
  const next = lineBatches(stream, never).next();
  stream.destroy(new Error("disk on fire"));
  await expect(next).rejects.toThrow("disk on fire");
});
