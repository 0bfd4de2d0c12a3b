import type { LogReadRequest, Start, StoredEntry } from "@quadrant/contract";
import { matchesSubject } from "@quadrant/contract";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { EngineSession } from "./session.ts";
import { bodyOf, envelope, outcome, startTrial } from "./trial.ts";

async function append(session: EngineSession, ...subjects: string[]): Promise<number[]> {
  const seqs: number[] = [];
  for (const subject of subjects) seqs.push((await session.logs.append("l", envelope(subject, subject))).seq);
  return seqs;
}

const read = async (session: EngineSession, from: Start, more: Partial<LogReadRequest> = {}) =>
  await session.logs.read("l", { from, max: 100, follow: false, ...more });

const seqsOf = (entries: readonly StoredEntry[]): number[] => entries.map(({ seq }) => seq);

describe("a log", () => {
  test("numbers its entries from 1 without gaps, and reads them back as they were", async () => {
    const { clock, session } = startTrial();
    expect(await session.logs.info("l")).toEqual({ first: 1, last: 0, count: 0, bytes: 0 });
    expect(await append(session, "a", "b")).toEqual([1, 2]);
    const { entries, next } = await read(session, "first");
    expect(next).toBe(3);
    expect(entries[0]).toMatchObject({
      seq: 1,
      subject: "a",
      time: clock.now(),
      contentType: "text/plain",
      headers: {},
    });
    expect(entries.map(bodyOf)).toEqual(["a", "b"]);
    expect(await session.logs.info("l")).toMatchObject({ first: 1, last: 2, count: 2 });
    expect(session.list("log")).toEqual(["l"]);
  });

  test("stores an id once within two minutes, and tells the first sequence again", async () => {
    const { clock, session } = startTrial();
    const entry = { ...envelope("a"), id: "mine" };
    expect(await session.logs.append("l", entry)).toEqual({ seq: 1, duplicate: false });
    await append(session, "b");
    // The expectation held for the first; the repetition is not to fail by it.
    expect(await session.logs.append("l", { ...entry, expectLast: 0 })).toEqual({ seq: 1, duplicate: true });
    clock.advance(120_000);
    expect(await session.logs.append("l", entry)).toEqual({ seq: 3, duplicate: false });
    expect((await read(session, "first")).entries.map(({ id }) => id)).toEqual(["mine", undefined, "mine"]);
  });

  test("appends on an expectation only where it holds", async () => {
    const { session } = startTrial();
    const on = (subject: string, expectLast: number) => session.logs.append("l", { ...envelope(subject), expectLast });
    expect(await on("a", 0)).toMatchObject({ seq: 1 });
    await expect(on("a", 0)).rejects.toMatchObject({ code: "conflict" });
    expect(await on("b", 0)).toMatchObject({ seq: 2 });
    expect(await on("a", 1)).toMatchObject({ seq: 3 });
    await expect(on("a", 1)).rejects.toMatchObject({ code: "conflict" });
    const race = await Promise.allSettled(Array.from({ length: 8 }, () => on("a", 3)));
    expect(race.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect((await session.logs.last("l", "a"))?.seq).toBe(4);
    expect(await session.logs.last("l", "none")).toBeUndefined();
  });

  test("keeps what its limits allow, the oldest go", async () => {
    const { clock, session } = startTrial();
    await session.logs.open("l", { maxMessages: 3, maxAgeMs: 1000 });
    await append(session, "a", "b", "c", "d");
    expect(await session.logs.info("l")).toMatchObject({ first: 2, last: 4, count: 3 });
    expect(await session.logs.last("l", "a")).toBeUndefined();
    clock.advance(600);
    await append(session, "e");
    clock.advance(400);
    expect(await session.logs.info("l")).toMatchObject({ first: 5, last: 5, count: 1 });
    clock.advance(600);
    expect(await session.logs.info("l")).toEqual({ first: 6, last: 5, count: 0, bytes: 0 });
    expect(clock.pending).toBe(0);
    expect(await append(session, "f")).toEqual([6]);
    expect(await session.logs.append("l", { ...envelope("a"), expectLast: 0 })).toMatchObject({ seq: 7 });
  });

  test("keeps at most its bytes, and refuses an entry that alone is larger", async () => {
    const { session } = startTrial();
    await session.logs.open("l", { maxBytes: 100 });
    for (let i = 0; i < 10; i++) await session.logs.append("l", envelope("a", "x".repeat(30)));
    const { bytes, count } = await session.logs.info("l");
    // Each has a body of 30, a subject of 1 and a media type of 10: two of them are 82.
    expect({ bytes, count }).toEqual({ bytes: 82, count: 2 });
    await expect(session.logs.append("l", envelope("a", "x".repeat(100)))).rejects.toMatchObject({ code: "too-large" });
    expect((await session.logs.info("l")).count).toBe(2);
    await session.logs.append("l", envelope("a", "x".repeat(89)));
    expect(await session.logs.info("l")).toMatchObject({ bytes: 100, count: 1 });
  });

  test("keeps its limits: those left out stay, those that differ are a conflict", async () => {
    const { session } = startTrial();
    await session.logs.open("l", { maxMessages: 3 });
    await session.logs.open("l", { maxMessages: 3, maxBytes: undefined });
    await expect(session.logs.open("l", { maxMessages: 4 })).rejects.toMatchObject({ code: "conflict" });
    await expect(session.logs.open("l", { maxAgeMs: 4 })).rejects.toMatchObject({ code: "conflict" });
  });

  test("that is destroyed tells who waits, and is a conflict until it is opened again", async () => {
    const { session } = startTrial();
    await append(session, "a");
    await session.logs.openDurable("l", { durable: "d" });
    const waiting = [
      outcome(read(session, "new", { follow: true })),
      outcome(session.logs.fetch("l", "d", { max: 1 })),
    ];
    await session.logs.destroy("l");
    expect(await Promise.all(waiting)).toEqual([{ code: "conflict" }, { code: "conflict" }]);
    await expect(append(session, "a")).rejects.toMatchObject({ code: "conflict" });
    expect(session.list("log")).toEqual([]);
    await session.logs.open("l", {});
    expect(await append(session, "a")).toEqual([1]);
  });
});

describe("a read", () => {
  test("begins at the first, at the next, at a sequence or at a time", async () => {
    const { clock, session } = startTrial();
    await append(session, "a", "b");
    clock.advance(10);
    const time = new Date(clock.now());
    await append(session, "c", "d");
    expect(seqsOf((await read(session, "first")).entries)).toEqual([1, 2, 3, 4]);
    expect(await read(session, "new")).toEqual({ entries: [], next: 5 });
    expect(seqsOf((await read(session, { seq: 2 })).entries)).toEqual([2, 3, 4]);
    expect(seqsOf((await read(session, { seq: 0 })).entries)).toEqual([1, 2, 3, 4]);
    expect(seqsOf((await read(session, { time })).entries)).toEqual([3, 4]);
    expect(seqsOf((await read(session, { time: new Date(0) })).entries)).toEqual([1, 2, 3, 4]);
    expect(await read(session, { time: new Date(clock.now() + 1) })).toEqual({ entries: [], next: 5 });
    expect(await read(session, { seq: 9 })).toEqual({ entries: [], next: 9 });
  });

  test("of what retention has removed is a gap", async () => {
    const { session } = startTrial();
    await session.logs.open("l", { maxMessages: 2 });
    await append(session, "a", "b", "c");
    await expect(read(session, { seq: 1 })).rejects.toMatchObject({ code: "gap" });
    expect(seqsOf((await read(session, { seq: 2 })).entries)).toEqual([2, 3]);
    expect(seqsOf((await read(session, "first")).entries)).toEqual([2, 3]);
  });

  test("waits for the next entry it wants, past those it does not", async () => {
    const { session } = startTrial();
    await append(session, "a");
    const waiting = read(session, "first", { follow: true, filter: "wanted.*" });
    await append(session, "b", "wanted", "wanted.x", "wanted.y");
    expect(await waiting).toMatchObject({ entries: [{ seq: 4 }], next: 5 });
    const future = read(session, { seq: 7 }, { follow: true });
    await append(session, "c", "d", "e");
    expect(await future).toMatchObject({ entries: [{ seq: 7 }], next: 8 });
  });

  test("that is aborted ends with what is there, and tells where it was", async () => {
    const { session } = startTrial();
    await append(session, "a");
    const abort = new AbortController();
    const waiting = read(session, "first", { follow: true, filter: "wanted", signal: abort.signal });
    await append(session, "b", "c");
    abort.abort();
    expect(await waiting).toEqual({ entries: [], next: 4 });
    expect(seqsOf((await read(session, "first", { follow: true, signal: abort.signal })).entries)).toEqual([1, 2, 3]);
  });

  test("that has much to pass over lets others have a turn, and finds what it wants", async () => {
    const { session } = startTrial();
    for (let i = 0; i < 50_000; i++) await session.logs.append("l", envelope("noise"));
    await append(session, "wanted");
    let turns = 0;
    const found = read(session, "first", { filter: "wanted", follow: true });
    let done = false;
    const counting = (async () => {
      while (!done) {
        turns++;
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    expect(seqsOf((await found).entries)).toEqual([50_001]);
    done = true;
    await counting;
    expect(turns).toBeGreaterThan(1);
  });

  test("in pages gives what a filtered list has, whatever is trimmed and wherever it begins", async () => {
    const subject = fc.constantFrom("a", "a.b", "a.c", "b.b", "b.b.c");
    const filter = fc.constantFrom(undefined, ">", "a", "a.*", "*.b", "b.>", "none");
    await fc.assert(
      fc.asyncProperty(
        fc.array(subject, { maxLength: 60, size: "max" }),
        filter,
        fc.integer({ min: 1, max: 7 }),
        fc.integer({ min: 1, max: 70 }),
        async (subjects, wanted, max, maxMessages) => {
          const { session } = startTrial();
          await session.logs.open("l", { maxMessages });
          await append(session, ...subjects);
          const entries: StoredEntry[] = [];
          let from: Start = "first";
          for (;;) {
            const page = await read(session, from, { filter: wanted, max });
            entries.push(...page.entries);
            expect(page.entries.length).toBeLessThanOrEqual(max);
            if (page.next > subjects.length) break;
            from = { seq: page.next };
          }
          const kept = subjects.map((each, i) => ({ each, seq: i + 1 })).slice(-maxMessages);
          const expected = kept.filter(({ each }) => wanted === undefined || matchesSubject(wanted, each));
          expect(seqsOf(entries)).toEqual(expected.map(({ seq }) => seq));
        },
      ),
    );
  });
});
