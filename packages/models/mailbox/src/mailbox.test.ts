import {
  Bodies,
  BusError,
  bytes,
  type Context,
  type Drainable,
  inTraceOf,
  json,
  type Mailbox,
  type MailboxOptions,
  type QueueLetter,
  type Queues,
  type SendOptions,
} from "@quadrant/contract";
import { Engine } from "@quadrant/engine";
import { type } from "arktype";
import * as v from "valibot";
import { afterEach, beforeEach, describe, expect, expectTypeOf, test } from "vitest";
import { z } from "zod";
import { openMailbox } from "./mailbox.ts";

const address = "orders.new";
const engine = new Engine();
/** As of a driver to somewhere else. */
const { local: _, ...queues } = engine.connect().queues;
/** What the driver was given. */
let batches: (readonly QueueLetter[])[];
let send: Queues["send"];
let tracked: Set<Drainable>;
let state: "open" | "closed";
let support: Context["driver"]["support"];

function context(): Context {
  const assertOpen = (): void => {
    if (state === "closed") throw new BusError("closed", "the bus is closed");
  };
  const observed: Queues = {
    ...queues,
    send: (to, letters) => {
      batches.push(letters);
      return send(to, letters);
    },
  };
  return {
    driver: { name: "memory", support, queues: observed } as unknown as Context["driver"],
    bodies: new Bodies(json, [json, bytes], 1_000),
    requestTimeoutMs: 5_000,
    assertOpen,
    assertIntake: assertOpen,
    track: (work) => {
      tracked.add(work);
      return () => void tracked.delete(work);
    },
    report: () => undefined,
  };
}

const open = <T = unknown>(options?: MailboxOptions<T>): Promise<Mailbox<T>> =>
  openMailbox<T>(context(), address, options);

beforeEach(() => {
  batches = [];
  send = queues.send;
  tracked = new Set();
  state = "open";
  support = {};
});
afterEach(async () => {
  for (const work of [...tracked]) work.abandon();
  await queues.destroy(address);
});

describe("send", () => {
  test("resolves with a fresh id, rising", async () => {
    const box = await open<number>();
    const first = await box.send(1);
    const second = await box.send(2);
    expect(first).toEqual({ id: expect.stringMatching(/^[0-9a-f-]{14}7[0-9a-f-]{21}$/), duplicate: false });
    expect(second.id > first.id).toBe(true);
    expect(batches.flat().map(({ dedupe }) => dedupe)).toEqual([false, false]);
  });

  test("of an id that was given before sends nothing", async () => {
    const box = await open<string>();
    expect(await box.send("a", { id: "order 7" })).toEqual({ id: "order 7", duplicate: false });
    expect(await box.send("b", { id: "order 7" })).toEqual({ id: "order 7", duplicate: true });
    expect((await box.peek()).map(({ id, data }) => [id, data])).toEqual([["order 7", "a"]]);
  });

  test("that the driver had to try twice is no duplicate to the sender", async () => {
    const box = await open<string>();
    send = async (_to, letters) => letters.map(() => ({ duplicate: true }));
    expect((await box.send("a")).duplicate).toBe(false);
    expect((await box.sendMany(["a"]))[0]?.duplicate).toBe(false);
    expect((await box.send("a", { id: "own" })).duplicate).toBe(true);
  });

  test("in one turn goes in one batch, in order", async () => {
    const box = await open<number>();
    await Promise.all([box.send(1), box.sendMany([2, 3]), box.send(4)]);
    expect(batches).toHaveLength(1);
    expect((await box.peek()).map(({ data }) => data)).toEqual([1, 2, 3, 4]);
  });

  test("passes on headers, delay, ttl and key, and the caller's trace", async () => {
    const box = await open<string>();
    const trace = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;
    await inTraceOf({ traceparent: trace }, () =>
      box.send("a", { headers: { lang: "größe" }, delayMs: 60_000, ttlMs: 90_000, key: "customer 7" }),
    );
    await box.send("b", { delayMs: 0, ttlMs: Number.POSITIVE_INFINITY });
    const headers = { lang: "größe", traceparent: trace };
    expect(batches[0]![0]).toMatchObject({ headers, delayMs: 60_000, ttlMs: 90_000, key: "customer 7" });
    expect(batches[1]![0]).toMatchObject({ delayMs: undefined, ttlMs: undefined });
    expect(await box.info()).toEqual({ waiting: 1, held: 0, delayed: 1, dead: 0 });
  });

  test("takes the value as it is at the call", async () => {
    const box = await open<{ n: number }>();
    const value = { n: 1 };
    const sent = box.send(value);
    value.n = 2;
    await sent;
    expect((await box.peek())[0]?.data).toEqual({ n: 1 });
  });

  test("keeps the order when a schema takes its time", async () => {
    const slow = Promise.withResolvers<boolean>();
    const box = await open<string>({ schema: z.string().refine((text) => (text === "slow" ? slow.promise : true)) });
    const all = [box.send("slow"), box.send("quick"), box.sendMany(["many"])];
    slow.resolve(true);
    await Promise.all(all);
    expect((await box.peek()).map(({ data }) => data)).toEqual(["slow", "quick", "many"]);
  });

  test("rejects with what the driver says", async () => {
    const box = await open<string>({ capacity: 1 });
    await box.send("a");
    await expect(box.send("b")).rejects.toMatchObject({ code: "overflow" });
    send = () => Promise.reject(new BusError("indefinite", "no answer"));
    await expect(box.send("c")).rejects.toMatchObject({ code: "indefinite" });
  });

  const wrong: readonly (readonly [string, unknown, SendOptions, string])[] = [
    ["a negative delay", 1, { delayMs: -1 }, "invalid"],
    ["an endless delay", 1, { delayMs: Number.POSITIVE_INFINITY }, "invalid"],
    ["no delay at all", 1, { delayMs: Number.NaN }, "invalid"],
    ["a ttl of nothing", 1, { ttlMs: 0 }, "invalid"],
    ["an empty id", 1, { id: "" }, "invalid"],
    ["an id with a line feed", 1, { id: "a\nb" }, "invalid"],
    ["an empty key", 1, { key: "" }, "invalid"],
    ["a key that is a number", 1, { key: 7 as unknown as string }, "invalid"],
    ["a reserved header", 1, { headers: { "Nats-Msg-Id": "x" } }, "invalid"],
    ["a header that is not ASCII", 1, { headers: { Größe: "x" } }, "invalid"],
    ["a header with CR and LF", 1, { headers: { a: "b\r\nc" } }, "invalid"],
    ["undefined", undefined, {}, "codec"],
    ["a bigint", 1n, {}, "codec"],
    ["a large body", "x".repeat(1_000), {}, "too-large"],
  ];
  test.each(wrong)("of %s is refused and nothing is sent", async (_what, data, options, code) => {
    const box = await open();
    await expect(box.send(data, options)).rejects.toMatchObject({ code });
    await expect(box.sendMany([1, data], options)).rejects.toMatchObject({ code });
    expect(batches).toEqual([]);
    await box.send("fine");
  });

  test("of an option that the driver refuses is unsupported", async () => {
    support = Object.fromEntries(
      ["delay", "ttl", "keys", "dedupe"].map((each) => [`mailbox.${each}`, { how: "refused", note: "too old" }]),
    );
    const box = await open();
    for (const options of [{ delayMs: 1 }, { ttlMs: 1 }, { key: "a" }, { id: "a" }])
      await expect(box.send(1, options)).rejects.toMatchObject({ code: "unsupported", message: /too old/ });
    expect(batches).toEqual([]);
  });
});

describe("sendMany", () => {
  test("sends each element, in order, in batches of bounded size", async () => {
    const box = await open<number>();
    const values = Array.from({ length: 1_000 }, (_, n) => n);
    const sent = await box.sendMany(values);
    expect(new Set(sent.map(({ id }) => id)).size).toBe(1_000);
    expect(sent.map(({ id }) => id)).toEqual((await box.peek(1_000)).map(({ id }) => id));
    expect((await box.peek(1_000)).map(({ data }) => data)).toEqual(values);
    expect(Math.max(...batches.map((batch) => batch.length))).toBeLessThanOrEqual(256);
    expect(await box.sendMany([])).toEqual([]);
  });

  test("that fails part-way says what was accepted", async () => {
    const box = await open<number>({ capacity: 3 });
    const error: BusError = await box.sendMany([1, 2, 3, 4, 5]).catch((cause) => cause);
    expect(error).toMatchObject({ code: "overflow", message: /3 of 5/ });
    expect(error.sent).toEqual((await box.peek()).map(({ id }) => ({ id, duplicate: false })));
  });

  test("stops when a batch is not taken", async () => {
    const box = await open<number>();
    send = (to, letters) =>
      batches.length === 2 ? Promise.reject(new BusError("unavailable", "gone")) : queues.send(to, letters);
    const error: BusError = await box.sendMany(new Array(5_000).fill(1)).catch((cause) => cause);
    expect(error).toMatchObject({ code: "unavailable", retryable: true });
    expect(error.sent!.length).toBe((await box.info()).waiting);
    expect(error.sent!.length).toBeLessThan(5_000);
  });

  test("takes no id and only an array", async () => {
    const box = await open<number>();
    await expect(box.sendMany([1], { id: "a" } as object)).rejects.toMatchObject({ code: "invalid" });
    await expect(box.sendMany("abc" as unknown as number[])).rejects.toMatchObject({ code: "invalid" });
    expect(batches).toEqual([]);
  });
});

describe("a schema", () => {
  test.each([
    ["zod", z.object({ n: z.number() })],
    ["valibot", v.object({ n: v.number() })],
    ["arktype", type({ n: "number" })],
  ])("of %s is kept by sender and receiver", async (_vendor, schema) => {
    const box = await open<{ n: number }>({ schema });
    await expect(box.send({ n: "one" } as never)).rejects.toMatchObject({ code: "invalid" });
    await expect(box.sendMany([{ n: 1 }, {} as never])).rejects.toMatchObject({ code: "invalid" });
    expect(batches).toEqual([]);

    const anything = await open();
    await anything.send({ n: "one" });
    await box.send({ n: 2 });
    for await (const letter of await box.receive()) {
      expect(letter.data).toEqual({ n: 2 });
      await letter.ack();
      break;
    }
    const [dead] = await box.deadLetters();
    expect(dead).toMatchObject({ data: { n: "one" }, attempt: 1, error: { code: "invalid" } });
  });

  test("gives the mailbox its type", async () => {
    const box = await openMailbox(context(), address, { schema: z.object({ at: z.coerce.date() }) });
    expectTypeOf(box).toEqualTypeOf<Mailbox<{ at: Date }>>();
    await box.send({ at: new Date(0) });
    for await (const letter of await box.receive()) {
      expect(letter.data.at).toEqual(new Date(0));
      await letter.ack();
      break;
    }
  });
});

describe("looking at a mailbox", () => {
  test("shows letters and dead letters without taking them, also those that cannot be read", async () => {
    const box = await open<string>();
    await box.send("a", { headers: { h: "1" } });
    const garbage = new Uint8Array([0xff]);
    const letter = { id: "garbage", dedupe: false, headers: {}, contentType: json.contentType, body: garbage };
    await queues.send(address, [letter]);
    const [first, second] = await box.peek();
    expect(first).toMatchObject({ data: "a", headers: { h: "1" }, attempt: 0, sentAt: expect.any(Date) });
    expect(second).toMatchObject({ id: "garbage", data: garbage });
    expect(await box.peek(1)).toHaveLength(1);

    const letters = (await box.receive())[Symbol.asyncIterator]();
    const taken = await letters.next();
    await taken.value!.reject(new TypeError("not for me"));
    await letters.return?.();
    const [dead] = await box.deadLetters(1);
    expect(dead).toEqual({
      id: first!.id,
      data: "a",
      headers: { h: "1" },
      sentAt: first!.sentAt,
      attempt: 1,
      error: { code: "TypeError", message: "not for me" },
      diedAt: expect.any(Date),
    });
    expect(await box.info()).toEqual({ waiting: 1, held: 0, delayed: 0, dead: 1 });
    expect(await box.redrive({ ids: [dead!.id] })).toBe(1);
    expect(await box.redrive()).toBe(0);
    expect(await box.purge()).toBe(2);
  });

  test("refuses wrong limits and ids", async () => {
    const box = await open();
    for (const limit of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      await expect(box.peek(limit)).rejects.toMatchObject({ code: "invalid" });
      await expect(box.deadLetters(limit)).rejects.toMatchObject({ code: "invalid" });
      await expect(box.redrive({ limit })).rejects.toMatchObject({ code: "invalid" });
    }
    for (const ids of ["a", [7], [""], [undefined]])
      await expect(box.redrive({ ids: ids as string[] })).rejects.toMatchObject({ code: "invalid" });
  });
});

test("a mailbox is opened with what it needs, or not at all", async () => {
  const wrong: readonly MailboxOptions<unknown>[] = [
    { leaseMs: 0 },
    { leaseMs: Number.POSITIVE_INFINITY },
    { maxAttempts: 0 },
    { maxAttempts: 2.5 },
    { capacity: -1 },
    { schema: {} as never },
  ];
  for (const options of wrong) await expect(open(options)).rejects.toMatchObject({ code: "invalid" });
  for (const name of ["", "a b", "a.*", "a..b", "$SYS.a"])
    await expect(openMailbox(context(), name)).rejects.toMatchObject({ code: "invalid" });
  await open({ leaseMs: 1_000 });
  await expect(open({ leaseMs: 2_000 })).rejects.toMatchObject({ code: "conflict" });
  support = { "mailbox.capacity": { how: "refused", note: "not here" } };
  await expect(open({ capacity: 1 })).rejects.toMatchObject({ code: "unsupported" });
});

test("everything is closed with its connection", async () => {
  const box = await open<number>();
  state = "closed";
  const uses: readonly (() => Promise<unknown>)[] = [
    () => box.send(1),
    () => box.sendMany([1]),
    () => box.receive(),
    () => box.process(() => undefined),
    () => box.info(),
    () => box.peek(),
    () => box.deadLetters(),
    () => box.redrive(),
    () => box.purge(),
    () => box.destroy(),
    () => open(),
  ];
  for (const use of uses) await expect(use()).rejects.toMatchObject({ code: "closed" });
  expect(batches).toEqual([]);
  expect(tracked.size).toBe(0);
});
