import { Feed } from "@quadrant/contract";
import { expect, test } from "vitest";
import { CapturedIo } from "./captured-io.ts";
import { consume, type Limits } from "./consumption.ts";
import { Output, Pipe } from "./output.ts";
import { Secrets } from "./secret.ts";
import type { Session } from "./session.ts";

function sessionUntil(signal: AbortSignal): Session {
  const io = new CapturedIo();
  const output = new Output(io, new Pipe(io.stdout, signal), new Secrets([]), { json: false, quiet: false });
  const withBus = (): Promise<never> => Promise.reject(new Error("no bus here"));
  return { output, stdin: io.stdin, env: {}, signal, givenUrl: undefined, keys: {}, url: "memory:", withBus };
}

/** Consumes a feed that holds `items`, and that ends after them if `ends`. */
async function consumed(items: number[], limits: Limits, ends: boolean = false): Promise<[number[], Feed<number>]> {
  const got: number[] = [];
  let feed: Feed<number> | undefined;
  await consume(
    sessionUntil(new AbortController().signal),
    limits,
    (signal) => {
      const opened = new Feed<number>({ signal });
      feed = opened;
      for (const item of items) opened.push(item);
      async function* finite(): AsyncGenerator<number> {
        yield* items;
      }
      return ends ? finite() : opened;
    },
    async (item) => void got.push(item),
  );
  return [got, feed!];
}

test("ends after the count, and leaves the source", async () => {
  const [got, feed] = await consumed([1, 2, 3], { count: 2 });
  expect(got).toEqual([1, 2]);
  expect(feed.ended).toBe(true);
});

test("ends when nothing comes for the timeout; a count that was not reached is a failure", async () => {
  const [got, feed] = await consumed([1, 2, 3], { timeout: 1 });
  expect(got).toEqual([1, 2, 3]);
  expect(feed.ended).toBe(true);
  await expect(consumed([1], { count: 2, timeout: 1 })).rejects.toThrow("1 of 2 came; nothing came for 1 ms");
});

test("ends with the source", async () => {
  expect((await consumed([1, 2], {}, true))[0]).toEqual([1, 2]);
  await expect(consumed([1, 2], { count: 3 }, true)).rejects.toThrow("2 of 3 came");
});

test("ends with the session, which is no failure", async () => {
  const stop = new AbortController();
  const handled = consume(
    sessionUntil(stop.signal),
    { count: 5 },
    (signal) => {
      const feed = new Feed<number>({ signal });
      feed.push(1);
      return feed;
    },
    async () => stop.abort(),
  );
  expect(await handled).toBe(1);
});

test("what the handler throws ends it, and the source is left", async () => {
  const feed = new Feed<number>();
  feed.push(1);
  const session = sessionUntil(new AbortController().signal);
  await expect(
    consume(
      session,
      {},
      () => feed,
      () => Promise.reject(new Error("full disk")),
    ),
  ).rejects.toThrow("full disk");
  expect(feed.ended).toBe(true);
});
