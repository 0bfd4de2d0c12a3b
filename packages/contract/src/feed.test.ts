import { describe, expect, test } from "vitest";
import { BusError } from "./errors.ts";
import { Feed, type Opened } from "./feed.ts";

const yielded = <M>(value: M): Opened<M> => ({ value, done: false });

async function rest<M>(iterator: AsyncIterator<M, undefined>): Promise<M[]> {
  const all: M[] = [];
  for (let next = await iterator.next(); !next.done; next = await iterator.next()) all.push(next.value);
  return all;
}

describe("a feed", () => {
  test("hands over what is there and what comes, in order, to several who wait", async () => {
    const feed = new Feed<number>();
    const iterator = feed[Symbol.asyncIterator]();
    feed.push(1);
    const waiting = [iterator.next(), iterator.next(), iterator.next()];
    feed.push(2);
    feed.push(3);
    expect((await Promise.all(waiting)).map((result) => result.value)).toEqual([1, 2, 3]);
    await feed.end();
    expect(await iterator.next()).toEqual({ value: undefined, done: true });
  });

  test("is iterated once", () => {
    const feed = new Feed<number>();
    feed[Symbol.asyncIterator]();
    expect(() => feed[Symbol.asyncIterator]()).toThrow(expect.objectContaining({ code: "invalid" }));
  });

  test("gives what nobody will get to onEnd, once", async () => {
    const unread: (readonly number[])[] = [];
    const feed = new Feed<number>({ onEnd: (items) => void unread.push(items) });
    feed.push(1);
    feed.push(2);
    await feed.end();
    await feed[Symbol.asyncDispose]();
    expect(unread).toEqual([[1, 2]]);
  });

  test("that failed gives what waits, then the error, then is done", async () => {
    const feed = new Feed<number>();
    feed.push(1);
    void feed.end(new BusError("overflow", "full"));
    feed.push(2);
    const iterator = feed[Symbol.asyncIterator]();
    expect(await iterator.next()).toEqual({ value: 1, done: false });
    await expect(iterator.next()).rejects.toMatchObject({ code: "overflow" });
    expect((await iterator.next()).done).toBe(true);
  });

  test("that was finished gives what waits, then is done", async () => {
    const feed = new Feed<number>();
    feed.push(1);
    feed.push(2);
    await feed.finish();
    expect(await rest(feed[Symbol.asyncIterator]())).toEqual([1, 2]);
  });

  test("ends when its signal aborts", async () => {
    const controller = new AbortController();
    const feed = new Feed<number>({ signal: controller.signal });
    const next = feed[Symbol.asyncIterator]().next();
    controller.abort();
    expect((await next).done).toBe(true);
    expect(feed.ended).toBe(true);
  });

  test("tells of being left after it had ended", async () => {
    let left = 0;
    const feed = new Feed<number>({ onLeave: () => left++ });
    const iterator = feed[Symbol.asyncIterator]();
    await feed.finish();
    expect(left).toBe(0);
    await iterator.return?.();
    expect(left).toBe(1);
  });

  test("asks for more whenever the iterator waits and nothing is here", async () => {
    let asked = 0;
    const feed = new Feed<number>({
      onWant: () => {
        asked++;
        feed.push(asked);
      },
    });
    const iterator = feed[Symbol.asyncIterator]();
    expect((await iterator.next()).value).toBe(1);
    expect((await iterator.next()).value).toBe(2);
    expect(asked).toBe(2);
  });
});

describe("a feed that opens its items", () => {
  test("opens when they are taken, skips what yields nothing, and then wants again", async () => {
    const opened: number[] = [];
    let wanted = 0;
    const feed = new Feed<string, number>({
      open: (item) => {
        opened.push(item);
        return item % 2 === 0 ? yielded(`#${item}`) : undefined;
      },
      onWant: () => wanted++,
    });
    for (const item of [1, 2, 3]) feed.push(item);
    expect(opened).toEqual([]);
    const iterator = feed[Symbol.asyncIterator]();
    expect((await iterator.next()).value).toBe("#2");
    const next = iterator.next();
    expect(opened).toEqual([1, 2, 3]);
    expect(wanted).toBe(1);
    feed.push(5);
    expect(wanted).toBe(2);
    feed.push(6);
    expect((await next).value).toBe("#6");
  });

  test("keeps the order while an item is opened slowly, for one who waits and for several", async () => {
    const slow = Promise.withResolvers<void>();
    const feed = new Feed<number, number>({
      open: (item) => (item === 1 ? slow.promise.then(() => yielded(item)) : yielded(item)),
    });
    feed.push(1);
    feed.push(2);
    const iterator = feed[Symbol.asyncIterator]();
    const results = [iterator.next(), iterator.next(), iterator.next()];
    feed.push(3);
    slow.resolve();
    expect((await Promise.all(results)).map((result) => result.value)).toEqual([1, 2, 3]);
  });

  test("that ends while an item is being opened counts it as unread", async () => {
    const slow = Promise.withResolvers<Opened<number>>();
    let unread: readonly number[] = [];
    const feed = new Feed<number, number>({
      open: () => slow.promise,
      onEnd: (items) => {
        unread = items;
      },
    });
    feed.push(1);
    feed.push(2);
    const next = feed[Symbol.asyncIterator]().next();
    await feed.end();
    slow.resolve(yielded(1));
    expect((await next).done).toBe(true);
    expect(unread).toEqual([1, 2]);
  });

  test("that is finished while an item is being opened hands it over", async () => {
    const slow = Promise.withResolvers<Opened<number>>();
    const feed = new Feed<number, number>({ open: () => slow.promise });
    feed.push(1);
    const iterator = feed[Symbol.asyncIterator]();
    const next = iterator.next();
    void feed.finish();
    slow.resolve(yielded(7));
    expect((await next).value).toBe(7);
    expect((await iterator.next()).done).toBe(true);
  });

  test.each([
    ["thrown", () => Promise.reject(new BusError("codec", "entry 7"))],
    [
      "rejected with",
      () => {
        throw new BusError("codec", "entry 7");
      },
    ],
  ])("ends with the error %s while opening, and nothing more comes", async (_how, open) => {
    const feed = new Feed<number, number>({ open });
    feed.push(1);
    feed.push(2);
    const iterator = feed[Symbol.asyncIterator]();
    await expect(iterator.next()).rejects.toMatchObject({ code: "codec", message: "entry 7" });
    expect((await iterator.next()).done).toBe(true);
    expect(feed.ended).toBe(true);
  });

  test("may be left from within", async () => {
    const feed: Feed<number, number> = new Feed<number, number>({
      open: (item) => {
        void feed.end();
        return yielded(item);
      },
    });
    feed.push(1);
    expect((await feed[Symbol.asyncIterator]().next()).done).toBe(true);
  });
});
