import {
  Bodies,
  BusError,
  type Context,
  type Drainable,
  inTraceOf,
  json,
  type Log,
  type LogEntry,
  type LogOptions,
  type LogReadRequest,
  type Logs,
  type ReadOptions,
} from "@quadrant/contract";
import { Engine } from "@quadrant/engine";
import { receiveLeased } from "@quadrant/mailbox";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { openLog } from "./log.ts";

const name = "orders";
let engine: Engine;
let logs: Logs;
let reads: LogReadRequest[];
/** Answers reads while it is set. */
let reading: (() => Promise<never>) | undefined;
let tracked: Set<Drainable>;
let state: "open" | "closed";
let support: Context["driver"]["support"];

function context(): Context {
  const assertOpen = (): void => {
    if (state === "closed") throw new BusError("closed", "the bus is closed");
  };
  const observed: Logs = {
    ...logs,
    read: (log, request) => {
      reads.push(request);
      return reading?.() ?? logs.read(log, request);
    },
  };
  return {
    driver: { name: "memory", support, logs: observed } as unknown as Context["driver"],
    bodies: new Bodies(json, [json], 1_000),
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

const open = <T = unknown>(options?: LogOptions<T>): Promise<Log<T>> =>
  openLog<T>(context(), receiveLeased, name, options);

/** An entry that no codec reads. */
const appendGarbage = () =>
  logs.append(name, { subject: "bad", headers: {}, contentType: json.contentType, body: new Uint8Array([0xff]) });

async function all<T>(entries: AsyncIterable<LogEntry<T>>): Promise<T[]> {
  const data: T[] = [];
  for await (const entry of entries) data.push(entry.data);
  return data;
}

async function filled(count: number): Promise<Log<number>> {
  const log = await open<number>();
  for (let n = 1; n <= count; n++) await log.append(n % 2 === 0 ? "even" : "odd", n);
  return log;
}

const range = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, n) => first + n);

beforeEach(() => {
  engine = new Engine();
  logs = engine.connect().logs;
  reads = [];
  reading = undefined;
  tracked = new Set();
  state = "open";
  support = {};
});
afterEach(() => {
  engine.close();
  vi.useRealTimers();
});

describe("append", () => {
  test("tells the sequence, and of an id given before the first one", async () => {
    const log = await open<string>();
    expect(await log.append("a", "x", { id: "one" })).toEqual({ seq: 1, duplicate: false });
    expect(await log.append("a", "y")).toEqual({ seq: 2, duplicate: false });
    expect(await log.append("a", "z", { id: "one" })).toEqual({ seq: 1, duplicate: true });
    expect(await log.info()).toMatchObject({ first: 1, last: 2, count: 2 });
  });

  test("can expect the subject's last sequence", async () => {
    const log = await open<string>();
    await log.append("a", "x", { expectLast: 0 });
    await log.append("b", "x", { expectLast: 0 });
    await expect(log.append("a", "y", { expectLast: 0 })).rejects.toMatchObject({ code: "conflict" });
    expect(await log.append("a", "y", { expectLast: 1 })).toEqual({ seq: 3, duplicate: false });
  });

  test("stores headers, the id, the time and the caller's trace", async () => {
    const traceparent = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;
    const log = await open<string>();
    await inTraceOf({ traceparent }, () => log.append("a", "x", { headers: { h: "1" }, id: "one" }));
    await log.append("b", "y");
    const last = await log.last("a");
    expect(last).toEqual({
      subject: "a",
      data: "x",
      headers: { h: "1", traceparent },
      seq: 1,
      time: expect.any(Date),
      id: "one",
    });
    expect("id" in (await log.last("b"))!).toBe(false);
    expect(await log.last("c")).toBeUndefined();
  });

  test("keeps the schema", async () => {
    const log = await open<{ n: number }>({ schema: z.object({ n: z.number() }) });
    await expect(log.append("a", { n: "one" } as never)).rejects.toMatchObject({ code: "invalid" });
    expect(await log.append("a", { n: 1 })).toEqual({ seq: 1, duplicate: false });
  });

  test("keeps the order where the schema takes its time", async () => {
    const slow = Promise.withResolvers<boolean>();
    const log = await open<string>({ schema: z.string().refine((text) => (text === "slow" ? slow.promise : true)) });
    const appended = Promise.all([log.append("a", "slow"), log.append("a", "quick")]);
    slow.resolve(true);
    expect((await appended).map(({ seq }) => seq)).toEqual([1, 2]);
  });

  test.each<readonly [string, string, unknown, object, string]>([
    ["a wildcard", "a.*", 1, {}, "invalid"],
    ["an empty id", "a", 1, { id: "" }, "invalid"],
    ["a negative expectation", "a", 1, { expectLast: -1 }, "invalid"],
    ["half an expectation", "a", 1, { expectLast: 0.5 }, "invalid"],
    ["a bad header", "a", 1, { headers: { "a b": "c" } }, "invalid"],
    ["no value", "a", undefined, {}, "codec"],
    ["a large body", "a", "x".repeat(1_000), {}, "too-large"],
  ])("refuses %s and stores nothing", async (_what, subject, data, options, code) => {
    const log = await open();
    await expect(log.append(subject, data, options)).rejects.toMatchObject({ code });
    expect((await log.info()).count).toBe(0);
  });
});

describe("read", () => {
  test("to the end gives all there was when it began, page by page", async () => {
    const log = await filled(600);
    const read: number[] = [];
    for await (const { data, seq } of log.read({ to: "end" })) {
      if (read.push(data) === 1) await log.append("odd", 601);
      expect(seq).toBe(data);
    }
    expect(read).toEqual(range(1, 600));
    expect(reads).toHaveLength(3);
    expect(reads.every(({ follow }) => !follow)).toBe(true);
    expect(tracked.size).toBe(0);
  });

  test("begins where it is told, and picks by pattern", async () => {
    const log = await filled(10);
    expect(await all(log.read({ to: "end", from: { seq: 8 } }))).toEqual([8, 9, 10]);
    expect(await all(log.read({ to: "end", from: "first", filter: "even" }))).toEqual([2, 4, 6, 8, 10]);
    expect(await all(log.read({ to: "end", filter: "none.*" }))).toEqual([]);
    expect(await all(log.read({ to: "end", from: "new" }))).toEqual([]);
    expect(await all(log.read({ to: "end", from: { seq: 11 } }))).toEqual([]);
    expect(await all(log.read({ to: "end", from: { time: new Date(0) } }))).toEqual(range(1, 10));
    expect(await all(log.read({ to: "end", from: { time: new Date(Date.now() + 60_000) } }))).toEqual([]);
  });

  test("of an empty log ends at once", async () => {
    const log = await open();
    expect(await all(log.read({ to: "end" }))).toEqual([]);
  });

  test("follows unless told, and is effective when it is iterated", async () => {
    const log = await filled(2);
    const entries = log.read({ from: "new" })[Symbol.asyncIterator]();
    const waiting = entries.next();
    await log.append("odd", 3);
    expect((await waiting).value?.data).toBe(3);
    await log.append("even", 4);
    expect((await entries.next()).value?.data).toBe(4);
    await entries.return?.();
    expect(reads.at(-1)?.signal?.aborted).toBe(true);
    expect(tracked.size).toBe(0);
  });

  test("that nobody iterates asks for nothing", async () => {
    const log = await filled(2);
    log.read();
    expect([reads.length, tracked.size]).toEqual([0, 0]);
  });

  test("that follows ends with its signal; one to the end, which is then incomplete, throws", async () => {
    const log = await filled(3);
    const controller = new AbortController();
    const following = log.read({ signal: controller.signal, from: "new" })[Symbol.asyncIterator]();
    const waiting = following.next();
    controller.abort();
    expect((await waiting).done).toBe(true);

    const other = new AbortController();
    const entries = log.read({ signal: other.signal, to: "end" })[Symbol.asyncIterator]();
    expect((await entries.next()).value?.data).toBe(1);
    other.abort();
    await expect(entries.next()).rejects.toMatchObject({ code: "aborted" });
    expect((await entries.next()).done).toBe(true);
    expect(tracked.size).toBe(0);
  });

  test("throws at an entry that cannot be read, names it, and can go on behind it", async () => {
    const log = await filled(2);
    await appendGarbage();
    await log.append("even", 4);
    const read: number[] = [];
    const reading = async (): Promise<void> => {
      for await (const { data } of log.read({ to: "end" })) read.push(data);
    };
    await expect(reading()).rejects.toMatchObject({ code: "codec", message: /entry 3 of log "orders".*seq: 4/ });
    expect(read).toEqual([1, 2]);
    expect(await all(log.read({ to: "end", from: { seq: 4 } }))).toEqual([4]);
    await expect(log.last("bad")).rejects.toMatchObject({ code: "codec" });
  });

  test.each([
    ["at once", z.number().max(1)],
    ["in its own time", z.number().refine(async (n) => n < 2)],
  ])("throws at an entry that the schema refuses %s", async (_when, schema) => {
    await filled(2);
    const log = await open<number>({ schema });
    await expect(all(log.read({ to: "end" }))).rejects.toMatchObject({ code: "invalid", message: /entry 2/ });
  });

  test("says where entries are gone that it was to begin with", async () => {
    const log = await open<number>({ maxMessages: 2 });
    for (const n of range(1, 5)) await log.append("a", n);
    await expect(all(log.read({ to: "end", from: { seq: 1 } }))).rejects.toMatchObject({ code: "gap" });
    expect(await all(log.read({ to: "end" }))).toEqual([4, 5]);
  });

  test("that follows outlives what passes; one to the end is told", async () => {
    vi.useFakeTimers();
    const log = await filled(1);
    const following = log.read()[Symbol.asyncIterator]();
    expect((await following.next()).value?.data).toBe(1);
    reading = () => Promise.reject(new BusError("unavailable", "the broker is away"));
    await expect(all(log.read({ to: "end" }))).rejects.toMatchObject({ code: "unavailable" });
    const other = log.read()[Symbol.asyncIterator]().next();
    await vi.advanceTimersByTimeAsync(3_000);
    reading = undefined;
    await vi.advanceTimersByTimeAsync(1_000);
    expect((await other).value?.data).toBe(1);

    reading = () => Promise.reject(new BusError("denied", "not yours"));
    await expect(log.read()[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: "denied" });
  });

  test("that follows is drained by ending it; one to the end goes on as long as the connection does", async () => {
    const log = await filled(3);
    const following = log.read()[Symbol.asyncIterator]();
    const ending = log.read({ to: "end" })[Symbol.asyncIterator]();
    await following.next();
    await ending.next();
    const works = [...tracked];
    await Promise.all(works.map((work) => work.drain()));
    const rest: unknown[] = [];
    for (let next = await following.next(); !next.done; next = await following.next()) rest.push(next.value.data);
    expect(rest).toEqual([2, 3]);
    expect((await ending.next()).value?.data).toBe(2);
    for (const work of works) work.abandon();
    expect((await ending.next()).value?.data).toBe(3);
    await expect(ending.next().then(({ done }) => done)).resolves.toBe(true);

    const cut = log.read({ to: "end", from: { seq: 1 } })[Symbol.asyncIterator]();
    reading = () => new Promise(() => undefined);
    const waiting = cut.next();
    for (const work of [...tracked]) work.abandon();
    await expect(waiting).rejects.toMatchObject({ code: "closed" });
  });

  test("refuses what is asked wrongly at once", async () => {
    const log = await open();
    const wrong: readonly unknown[] = [
      { from: "last" },
      { from: { seq: 0 } },
      { from: { seq: 1.5 } },
      { from: { seq: undefined } },
      { from: { time: new Date(Number.NaN) } },
      { from: { time: 0 } },
      { from: null },
      { filter: "a..b" },
      { to: "now" },
      { signal: 1 },
    ];
    for (const options of wrong)
      expect(() => log.read(options as ReadOptions)).toThrow(expect.objectContaining({ code: "invalid" }));
    expect(() => log.read({ signal: AbortSignal.abort() })).toThrow(expect.objectContaining({ code: "aborted" }));
    expect(reads).toEqual([]);
  });
});

describe("a durable", () => {
  test("resumes where its members left off, and shares among them", async () => {
    const log = await filled(4);
    const first = (await log.subscribe({ durable: "billing", from: "first" }))[Symbol.asyncIterator]();
    const one = (await first.next()).value!;
    expect(one).toMatchObject({ subject: "odd", data: 1, seq: 1, attempt: 1, id: expect.any(String) });
    await one.ack();
    await first.return?.();
    const second = (await log.subscribe({ durable: "billing" }))[Symbol.asyncIterator]();
    for (const expected of [2, 3, 4]) {
      const letter = (await second.next()).value!;
      expect([letter.data, letter.attempt]).toEqual([expected, 1]);
      await letter.ack();
    }
    await second.return?.();
  });

  test("begins with what is new unless told, and takes what its filter matches", async () => {
    const log = await filled(4);
    const letters = (await log.subscribe({ durable: "evens", filter: "even" }))[Symbol.asyncIterator]();
    for (const n of [5, 6]) await log.append(n % 2 === 0 ? "even" : "odd", n);
    expect((await letters.next()).value?.data).toBe(6);
    await letters.return?.();
  });

  test("has dead letters of its own: rejected, unreadable, refused by the schema", async () => {
    const plain = await open();
    await plain.append("a", 1);
    await appendGarbage();
    await plain.append("a", "no number");
    await plain.append("a", 4);
    const log = await open<number>({ schema: z.number() });
    const told: unknown[] = [];
    const invalid = ({ data }: { data: unknown }, { code }: BusError) => told.push([data, code]);
    const letters = (await log.subscribe({ durable: "sums", from: "first", invalid }))[Symbol.asyncIterator]();
    await (await letters.next()).value!.reject(new TypeError("not one"));
    const four = (await letters.next()).value!;
    expect(four.data).toBe(4);
    await four.ack();
    expect(told).toEqual([
      [new Uint8Array([0xff]), "codec"],
      ["no number", "invalid"],
    ]);
    const dead = await log.deadLetters("sums");
    expect(dead.map(({ data, error }) => [data, error.code])).toEqual([
      [1, "TypeError"],
      [new Uint8Array([0xff]), "codec"],
      ["no number", "invalid"],
    ]);
    expect(await log.deadLetters("sums", 1)).toHaveLength(1);
    expect(await log.redrive("sums", { ids: [dead[0]!.id] })).toBe(1);
    const again = (await letters.next()).value!;
    expect([again.data, again.attempt]).toEqual([1, 1]);
    await again.ack();
    await letters.return?.();
  });

  test("has the lease it was made with", async () => {
    const log = await filled(1);
    await log.subscribe({ durable: "d", leaseMs: 1_000, maxAttempts: 2 });
    await expect(log.subscribe({ durable: "d", leaseMs: 2_000 })).rejects.toMatchObject({ code: "conflict" });
    await log.subscribe({ durable: "d" });
    for (const work of [...tracked]) work.abandon();
  });

  test("refuses what is asked wrongly at once", async () => {
    const log = await open();
    const wrong: readonly unknown[] = [
      undefined,
      {},
      { durable: "a.b" },
      { durable: "" },
      { durable: "d", from: "last" },
      { durable: "d", filter: ".a" },
      { durable: "d", leaseMs: 0 },
      { durable: "d", leaseMs: Number.POSITIVE_INFINITY },
      { durable: "d", maxAttempts: 0 },
      { durable: "d", maxInFlight: -1 },
      { durable: "d", invalid: 1 },
    ];
    for (const options of wrong)
      await expect(log.subscribe(options as never)).rejects.toMatchObject({ code: "invalid" });
    const aborted = log.subscribe({ durable: "d", signal: AbortSignal.abort() });
    await expect(aborted).rejects.toMatchObject({ code: "aborted" });
    await expect(log.deadLetters("a.b")).rejects.toMatchObject({ code: "invalid" });
    await expect(log.deadLetters("d", 0)).rejects.toMatchObject({ code: "invalid" });
    await expect(log.redrive("d", { limit: -1 })).rejects.toMatchObject({ code: "invalid" });
    expect(tracked.size).toBe(0);
  });
});

test("a log is opened with what it needs, or not at all", async () => {
  for (const options of [{ maxAgeMs: 0 }, { maxBytes: 0 }, { maxMessages: 1.5 }, { schema: {} as never }])
    await expect(open(options)).rejects.toMatchObject({ code: "invalid" });
  for (const wrong of ["", "a.b", "a b", "*"])
    await expect(openLog(context(), receiveLeased, wrong)).rejects.toMatchObject({ code: "invalid" });
  await open({ maxMessages: 10 });
  await expect(open({ maxMessages: 20 })).rejects.toMatchObject({ code: "conflict" });
  support = { "log.retention": { how: "refused", note: "not here" } };
  await expect(open({ maxMessages: 10 })).rejects.toMatchObject({ code: "unsupported" });
  support = { log: { how: "refused", note: "not here" } };
  await expect(open()).rejects.toMatchObject({ code: "unsupported" });
});

test("everything is closed with its connection", async () => {
  const log = await open<number>();
  state = "closed";
  const uses: readonly (() => Promise<unknown>)[] = [
    () => log.append("a", 1),
    async () => log.read(),
    () => log.subscribe({ durable: "d" }),
    () => log.deadLetters("d"),
    () => log.redrive("d"),
    () => log.last("a"),
    () => log.info(),
    () => log.destroy(),
    () => open(),
  ];
  for (const use of uses) await expect(use()).rejects.toMatchObject({ code: "closed" });
  expect(tracked.size).toBe(0);
});

test("a log that is destroyed is gone", async () => {
  const log = await filled(3);
  await log.destroy();
  expect((await (await open()).info()).count).toBe(0);
});
