import { describe, expect, test } from "vitest";
import type { EngineSession } from "./session.ts";
import { bodyOf, envelope, outcome, startTrial } from "./trial.ts";

async function append(session: EngineSession, ...subjects: string[]): Promise<void> {
  for (const subject of subjects) await session.logs.append("l", envelope(subject, subject));
}

async function fetchNow(session: EngineSession, durable: string = "d", max: number = 10) {
  const abort = new AbortController();
  const fetched = session.logs.fetch("l", durable, { max, signal: abort.signal });
  abort.abort();
  return await fetched;
}

const ack = async (session: EngineSession, letters: readonly { token: string }[]) =>
  await session.logs.settle(
    "l",
    "d",
    letters.map(({ token }) => ({ kind: "ack", token })),
  );

describe("a durable", () => {
  test("lends entries in order to its members, each to one of them, and goes on where they left off", async () => {
    const { engine, session } = startTrial();
    await append(session, "before");
    expect(await session.logs.openDurable("l", { durable: "d" })).toEqual({ leaseMs: 30_000 });
    const other = engine.connect();
    await append(session, "a", "b", "c");
    const mine = await fetchNow(session, "d", 2);
    const theirs = await fetchNow(other);
    expect(mine).toMatchObject([
      { id: "l-2", subject: "a", seq: 2, attempt: 1 },
      { subject: "b", seq: 3 },
    ]);
    expect(bodyOf(mine[0]!)).toBe("a");
    expect(theirs).toMatchObject([{ subject: "c", seq: 4 }]);
    await ack(session, [...mine, ...theirs]);
    other.close();
    session.close();
    const later = engine.connect();
    await append(later, "d");
    await later.logs.openDurable("l", { durable: "d", from: "first" });
    expect(await fetchNow(later)).toMatchObject([{ subject: "d", seq: 5 }]);
  });

  test("begins where it is told to when it is new", async () => {
    const { clock, session } = startTrial();
    await append(session, "a");
    clock.advance(10);
    await append(session, "b");
    await session.logs.openDurable("l", { durable: "first", from: "first" });
    await session.logs.openDurable("l", { durable: "seq", from: { seq: 2 } });
    await session.logs.openDurable("l", { durable: "time", from: { time: new Date(clock.now()) } });
    expect((await fetchNow(session, "first")).map(({ seq }) => seq)).toEqual([1, 2]);
    expect((await fetchNow(session, "seq")).map(({ seq }) => seq)).toEqual([2]);
    expect((await fetchNow(session, "time")).map(({ seq }) => seq)).toEqual([2]);
  });

  test("lends only what its filter wants", async () => {
    const { session } = startTrial();
    await session.logs.openDurable("l", { durable: "d", filter: "orders.>" });
    const waiting = session.logs.fetch("l", "d", { max: 5 });
    await append(session, "noise");
    expect(await outcome(waiting)).toBe("pending");
    await append(session, "orders.1");
    expect(await waiting).toMatchObject([{ seq: 2 }]);
  });

  test("keeps its options; `from` is for a new one alone", async () => {
    const { session } = startTrial();
    await session.logs.openDurable("l", { durable: "d", leaseMs: 100, filter: "a" });
    expect(await session.logs.openDurable("l", { durable: "d", from: "first" })).toEqual({ leaseMs: 100 });
    for (const differing of [{ leaseMs: 101 }, { filter: "b" }, { maxAttempts: 2 }]) {
      const opened = session.logs.openDurable("l", { durable: "d", ...differing });
      await expect(opened).rejects.toMatchObject({ code: "conflict" });
    }
    await expect(session.logs.fetch("l", "none", { max: 1 })).rejects.toMatchObject({ code: "conflict" });
    expect(await session.logs.settle("l", "none", [{ kind: "ack", token: "x" }])).toMatchObject([{ code: "stale" }]);
  });

  test("lends an entry anew when its lease ends or it is given back, before later ones", async () => {
    const { clock, session } = startTrial();
    await session.logs.openDurable("l", { durable: "d", leaseMs: 100 });
    await append(session, "a", "b", "c");
    const [a, b] = await fetchNow(session, "d", 2);
    await session.logs.settle("l", "d", [{ kind: "nak", token: b!.token, delayMs: 150 }]);
    clock.advance(100);
    expect(await ack(session, [a!])).toMatchObject([{ code: "stale" }]);
    expect(await fetchNow(session)).toMatchObject([
      { subject: "a", attempt: 2 },
      { subject: "c", attempt: 1 },
    ]);
    clock.advance(50);
    expect(await fetchNow(session)).toMatchObject([{ subject: "b", attempt: 2 }]);
  });

  test("keeps what failed too often, by itself, and lends it anew after a redrive", async () => {
    const { session } = startTrial();
    await session.logs.open("l", { maxMessages: 2 });
    await session.logs.openDurable("l", { durable: "d", maxAttempts: 1 });
    await session.logs.openDurable("l", { durable: "other" });
    await append(session, "a", "b");
    const [a] = await fetchNow(session, "d", 1);
    const failure = { code: "remote", message: "boom" };
    await session.logs.settle("l", "d", [{ kind: "nak", token: a!.token, delayMs: 0, failure }]);
    expect(await session.logs.deadLetters("l", "d", 5)).toMatchObject([{ id: "l-1", attempt: 1, failure }]);
    expect(await session.logs.deadLetters("l", "other", 5)).toEqual([]);
    // Its body was kept: retention of the log does not matter to it.
    await append(session, "c", "d", "e");
    expect(await session.logs.redrive("l", "d", { ids: ["l-1"] })).toBe(1);
    expect(await fetchNow(session)).toMatchObject([
      { subject: "a", attempt: 1, seq: 1 },
      { subject: "d" },
      { subject: "e" },
    ]);
  });

  test("keeps no timer when its log is destroyed", async () => {
    const { clock, session } = startTrial();
    await session.logs.open("l", { maxAgeMs: 1000 });
    await session.logs.openDurable("l", { durable: "d" });
    await append(session, "a", "b");
    const [a] = await fetchNow(session);
    await session.logs.settle("l", "d", [{ kind: "nak", token: a!.token, delayMs: 150 }]);
    expect(clock.pending).toBe(1);
    await session.logs.destroy("l");
    expect(clock.pending).toBe(0);
  });

  test("that retention overtakes goes on with what is left", async () => {
    const { session } = startTrial();
    await session.logs.open("l", { maxMessages: 2 });
    await session.logs.openDurable("l", { durable: "d" });
    await append(session, "a", "b");
    const [a] = await fetchNow(session, "d", 1);
    await append(session, "c", "d", "e");
    await session.logs.settle("l", "d", [{ kind: "nak", token: a!.token, delayMs: 0 }]);
    expect(await fetchNow(session)).toMatchObject([{ subject: "d" }, { subject: "e" }]);
    await expect(session.logs.openDurable("l", { durable: "late", from: { seq: 1 } })).rejects.toMatchObject({
      code: "gap",
    });
  });
});
