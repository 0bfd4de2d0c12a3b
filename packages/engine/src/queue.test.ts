import { describe, expect, test } from "vitest";
import type { EngineSession } from "./session.ts";
import { bodyOf, letter, outcome, startTrial } from "./trial.ts";

const send = async (session: EngineSession, ...ids: string[]): Promise<void> => {
  await session.queues.send(
    "q",
    ids.map((id) => letter(id)),
  );
};

/** What can be fetched now, without waiting. */
async function fetchNow(session: EngineSession, max: number = 10, leaseMs?: number) {
  const abort = new AbortController();
  const fetched = session.queues.fetch("q", { max, leaseMs, signal: abort.signal });
  abort.abort();
  return await fetched;
}

const idsOf = (letters: readonly { readonly id: string }[]): string[] => letters.map(({ id }) => id);

describe("a mailbox", () => {
  test("lends letters in the order they were sent, each as it was sent", async () => {
    const { clock, session } = startTrial();
    const headers = { a: "b" };
    await session.queues.send("q", [letter("1", { headers }), letter("2")]);
    await send(session, "3");
    const [first, ...rest] = await session.queues.fetch("q", { max: 10 });
    expect(first).toMatchObject({ id: "1", subject: "q", headers, contentType: "text/plain", attempt: 1 });
    expect(bodyOf(first!)).toBe("1");
    expect(first!.sentAt).toBe(clock.now());
    expect(idsOf(rest)).toEqual(["2", "3"]);
    expect(new Set([first!, ...rest].map(({ token }) => token)).size).toBe(3);
  });

  test("is created by use, with defaults, and listed until it is destroyed", async () => {
    const { session } = startTrial();
    expect(await session.queues.info("q")).toEqual({ waiting: 0, held: 0, delayed: 0, dead: 0 });
    expect(session.list("mailbox")).toEqual([]);
    await send(session, "1");
    expect(session.list("mailbox")).toEqual(["q"]);
    expect(await session.queues.open("q", { leaseMs: 30_000, maxAttempts: 5 })).toEqual({ leaseMs: 30_000 });
    await session.queues.destroy("q");
    expect(session.list("mailbox")).toEqual([]);
  });

  test("keeps its options: those left out stay, those that differ are a conflict", async () => {
    const { session } = startTrial();
    expect(await session.queues.open("q", { leaseMs: 100, capacity: undefined })).toEqual({ leaseMs: 100 });
    expect(await session.queues.open("q", {})).toEqual({ leaseMs: 100 });
    expect(await session.queues.open("q", { leaseMs: 100, maxAttempts: 5 })).toEqual({ leaseMs: 100 });
    await expect(session.queues.open("q", { leaseMs: 101 })).rejects.toMatchObject({ code: "conflict" });
    await expect(session.queues.open("q", { capacity: 1 })).rejects.toMatchObject({ code: "conflict" });
  });

  test("lends a letter anew when its lease ends, and counts the attempts", async () => {
    const { clock, session } = startTrial();
    await session.queues.open("q", { leaseMs: 100 });
    await send(session, "1");
    const [first] = await fetchNow(session);
    clock.advance(99);
    expect(await fetchNow(session)).toEqual([]);
    clock.advance(1);
    const [second] = await fetchNow(session);
    expect(second).toMatchObject({ id: "1", attempt: 2 });
    expect(second!.token).not.toBe(first!.token);
    // The fence: who lost the lease changes nothing, whatever it says.
    const late = [
      { kind: "ack", token: first!.token },
      { kind: "nak", token: first!.token, delayMs: 0 },
      { kind: "reject", token: first!.token, failure: { code: "x", message: "" } },
      { kind: "extend", token: first!.token, leaseMs: 1000 },
      { kind: "release", token: first!.token },
    ] as const;
    for (const outcomeOf of await session.queues.settle("q", late)) expect(outcomeOf).toMatchObject({ code: "stale" });
    expect(await session.queues.info("q")).toEqual({ waiting: 0, held: 1, delayed: 0, dead: 0 });
    expect(await session.queues.settle("q", [{ kind: "ack", token: second!.token }])).toEqual([undefined]);
    expect(await session.queues.settle("q", [{ kind: "ack", token: second!.token }])).toMatchObject([
      { code: "stale" },
    ]);
    expect(await session.queues.info("q")).toEqual({ waiting: 0, held: 0, delayed: 0, dead: 0 });
  });

  test("lends as long as the lease is extended, and no longer", async () => {
    const { clock, session } = startTrial();
    await send(session, "1");
    const [held] = await fetchNow(session, 1, 100);
    for (let i = 0; i < 10; i++) {
      clock.advance(99);
      expect(await session.queues.settle("q", [{ kind: "extend", token: held!.token, leaseMs: 100 }])).toEqual([
        undefined,
      ]);
    }
    expect(await session.queues.settle("q", [{ kind: "extend", token: held!.token, leaseMs: 10 }])).toEqual([
      undefined,
    ]);
    clock.advance(10);
    expect((await fetchNow(session))[0]).toMatchObject({ id: "1", attempt: 2 });
  });

  test("lends a letter that comes back before later ones", async () => {
    const { session } = startTrial();
    await send(session, "1", "2", "3");
    const [first, second] = await fetchNow(session, 2);
    await session.queues.settle("q", [
      { kind: "nak", token: second!.token, delayMs: 0 },
      { kind: "release", token: first!.token },
    ]);
    const again = await fetchNow(session, 3);
    expect(idsOf(again)).toEqual(["1", "2", "3"]);
    expect(again.map(({ attempt }) => attempt)).toEqual([1, 2, 1]);
  });

  test("keeps a letter that was given back with a delay until the delay is over", async () => {
    const { clock, session } = startTrial();
    await send(session, "1", "2");
    const [first] = await fetchNow(session, 1);
    await session.queues.settle("q", [{ kind: "nak", token: first!.token, delayMs: 50 }]);
    expect(await session.queues.info("q")).toEqual({ waiting: 1, held: 0, delayed: 1, dead: 0 });
    expect(idsOf(await fetchNow(session))).toEqual(["2"]);
    const waiting = session.queues.fetch("q", { max: 10 });
    clock.advance(49);
    expect(await outcome(waiting)).toBe("pending");
    clock.advance(1);
    expect(await waiting).toMatchObject([{ id: "1", attempt: 2 }]);
  });

  test("delivers a delayed letter at its time and not before", async () => {
    const { clock, session } = startTrial();
    await session.queues.send("q", [letter("later", { delayMs: 1000 }), letter("now")]);
    expect(await session.queues.info("q")).toEqual({ waiting: 1, held: 0, delayed: 1, dead: 0 });
    expect(idsOf(await fetchNow(session))).toEqual(["now"]);
    clock.advance(999);
    expect(await fetchNow(session)).toEqual([]);
    clock.advance(1);
    expect(idsOf(await fetchNow(session))).toEqual(["later"]);
  });

  test("forgets a letter that nobody fetched in its time", async () => {
    const { clock, session } = startTrial();
    await session.queues.send("q", [
      letter("1", { ttlMs: 100 }),
      letter("2", { ttlMs: 100, delayMs: 200 }),
      letter("3"),
    ]);
    clock.advance(100);
    expect(await session.queues.info("q")).toEqual({ waiting: 1, held: 0, delayed: 0, dead: 0 });
    expect(idsOf(await session.queues.peek("q", 10))).toEqual(["3"]);
    expect(idsOf(await fetchNow(session))).toEqual(["3"]);
  });

  test("keeps no timer for letters that are settled, purged, or gone with it", async () => {
    const { clock, session } = startTrial();
    const timed = [letter("1", { ttlMs: 100 }), letter("2", { ttlMs: 100 }), letter("3", { ttlMs: 100, delayMs: 50 })];
    await session.queues.send("q", timed);
    const [held] = await fetchNow(session, 1);
    await session.queues.settle("q", [{ kind: "ack", token: held!.token }]);
    expect(await session.queues.purge("q")).toBe(2);
    expect(clock.pending).toBe(0);
    await session.queues.send("q", timed);
    await fetchNow(session, 1);
    await session.queues.destroy("q");
    expect(clock.pending).toBe(0);
  });

  test("does not deliver an expired letter anew, but lets its holder finish", async () => {
    const { clock, session } = startTrial();
    await session.queues.send("q", [letter("1", { ttlMs: 100 }), letter("2", { ttlMs: 100 })]);
    const [first, second] = await fetchNow(session);
    clock.advance(100);
    expect(await session.queues.info("q")).toMatchObject({ held: 2 });
    expect(await session.queues.settle("q", [{ kind: "ack", token: first!.token }])).toEqual([undefined]);
    await session.queues.settle("q", [{ kind: "nak", token: second!.token, delayMs: 0 }]);
    expect(await session.queues.info("q")).toEqual({ waiting: 0, held: 0, delayed: 0, dead: 0 });
  });

  test("sends an id that was given before only once within two minutes", async () => {
    const { clock, session } = startTrial();
    const mine = letter("mine", { dedupe: true });
    expect(await session.queues.send("q", [mine, mine])).toEqual([{ duplicate: false }, { duplicate: true }]);
    const [held] = await fetchNow(session);
    await session.queues.settle("q", [{ kind: "ack", token: held!.token }]);
    clock.advance(119_999);
    expect(await session.queues.send("q", [mine])).toEqual([{ duplicate: true }]);
    clock.advance(1);
    expect(await session.queues.send("q", [mine])).toEqual([{ duplicate: false }]);
    const unnamed = letter("x");
    expect(await session.queues.send("q", [unnamed, unnamed])).toEqual([{ duplicate: false }, { duplicate: false }]);
  });

  test("refuses letters beyond its capacity, each by itself; a refused id is not remembered", async () => {
    const { session } = startTrial();
    await session.queues.open("q", { capacity: 2 });
    const letters = ["1", "2", "3"].map((id) => letter(id, { dedupe: true, delayMs: id === "2" ? 1000 : 0 }));
    const outcomes = await session.queues.send("q", letters);
    expect(outcomes).toMatchObject([{ duplicate: false }, { duplicate: false }, { error: { code: "overflow" } }]);
    expect(await fetchNow(session)).toHaveLength(1);
    expect(await session.queues.send("q", [letters[2]!])).toEqual([{ duplicate: false }]);
  });

  test("is peeked at without taking: the oldest first, held ones included", async () => {
    const { session } = startTrial();
    await send(session, "1", "2", "3");
    await fetchNow(session, 1);
    const peeked = await session.queues.peek("q", 2);
    expect(peeked.map(({ id, attempt }) => [id, attempt])).toEqual([
      ["1", 1],
      ["2", 0],
    ]);
    expect(await session.queues.info("q")).toEqual({ waiting: 2, held: 1, delayed: 0, dead: 0 });
  });

  test("is purged of what waits or is delayed; held and dead letters stay", async () => {
    const { session } = startTrial();
    await session.queues.send("q", [letter("1"), letter("2"), letter("3"), letter("4", { delayMs: 10, key: "k" })]);
    const [held, dead] = await fetchNow(session, 2);
    await session.queues.settle("q", [{ kind: "reject", token: dead!.token, failure: { code: "x", message: "y" } }]);
    expect(await session.queues.purge("q")).toBe(2);
    expect(await session.queues.info("q")).toEqual({ waiting: 0, held: 1, delayed: 0, dead: 1 });
    expect(await session.queues.settle("q", [{ kind: "ack", token: held!.token }])).toEqual([undefined]);
  });
});

describe("dead letters", () => {
  test("are those that were rejected, with what the receiver said", async () => {
    const { clock, session } = startTrial();
    await send(session, "1");
    const [held] = await fetchNow(session);
    const sentAt = clock.now();
    clock.advance(5);
    const failure = { code: "invalid", message: "no such order" };
    await session.queues.settle("q", [{ kind: "reject", token: held!.token, failure }]);
    const [dead] = await session.queues.deadLetters("q", 10);
    expect(dead).toMatchObject({ id: "1", subject: "q", attempt: 1, sentAt, diedAt: sentAt + 5, failure });
    expect(bodyOf(dead!)).toBe("1");
  });

  test("are those that failed too often: by a crash, with an own failure, or without one", async () => {
    const { clock, session } = startTrial();
    await session.queues.open("q", { maxAttempts: 2, leaseMs: 10 });
    await send(session, "crash", "said", "unsaid");
    for (let attempt = 1; attempt <= 2; attempt++) {
      const [, said, unsaid] = await fetchNow(session, 3);
      const failure = { code: "remote", message: "boom" };
      await session.queues.settle("q", [
        { kind: "nak", token: said!.token, delayMs: 0, failure },
        { kind: "nak", token: unsaid!.token, delayMs: 0 },
      ]);
      if (attempt === 1) await session.queues.settle("q", []);
      clock.advance(10);
    }
    const dead = await session.queues.deadLetters("q", 10);
    expect(dead.map(({ id, attempt, failure }) => [id, attempt, failure.code])).toEqual([
      ["said", 2, "remote"],
      ["unsaid", 2, "attempts"],
      ["crash", 2, "attempts"],
    ]);
    expect(await session.queues.info("q")).toEqual({ waiting: 0, held: 0, delayed: 0, dead: 3 });
  });

  test("live again by a redrive: behind what waits, with a fresh count, by id or up to a limit", async () => {
    const { session } = startTrial();
    await session.queues.open("q", { maxAttempts: 1 });
    await session.queues.send("q", [letter("1", { ttlMs: 10 }), letter("2"), letter("3")]);
    const held = await fetchNow(session);
    await session.queues.settle(
      "q",
      held.map(({ token }) => ({ kind: "nak", token, delayMs: 0 })),
    );
    await send(session, "4");
    expect(await session.queues.redrive("q", { ids: ["3", "none"] })).toBe(1);
    expect(await session.queues.redrive("q", { limit: 1 })).toBe(1);
    expect(idsOf(await session.queues.deadLetters("q", 10))).toEqual(["2"]);
    const again = await fetchNow(session);
    expect(again.map(({ id, attempt }) => [id, attempt])).toEqual([
      ["4", 1],
      ["3", 1],
      ["1", 1],
    ]);
    expect(await session.queues.redrive("q", {})).toBe(1);
    expect(await session.queues.redrive("q", {})).toBe(0);
  });

  test("that live again go to those who wait", async () => {
    const { session } = startTrial();
    await send(session, "1");
    const [held] = await fetchNow(session);
    await session.queues.settle("q", [{ kind: "reject", token: held!.token, failure: { code: "x", message: "y" } }]);
    const waiting = session.queues.fetch("q", { max: 1 });
    expect(await session.queues.redrive("q", {})).toBe(1);
    expect(await waiting).toMatchObject([{ id: "1", attempt: 1 }]);
  });

  test("do not come from a letter that was released unhandled", async () => {
    const { session } = startTrial();
    await session.queues.open("q", { maxAttempts: 1 });
    await send(session, "1");
    for (let i = 0; i < 5; i++) {
      const [held] = await fetchNow(session);
      expect(held).toMatchObject({ id: "1", attempt: 1 });
      await session.queues.settle("q", [{ kind: "release", token: held!.token }]);
    }
  });
});

describe("letters of one key", () => {
  const keyed = (...specs: [id: string, key: string][]) => specs.map(([id, key]) => letter(id, { key }));

  test("are lent one at a time, in order; other keys and letters without one in parallel", async () => {
    const { session } = startTrial();
    await session.queues.send("q", [...keyed(["a1", "a"], ["a2", "a"], ["b1", "b"]), letter("free")]);
    const first = await fetchNow(session);
    expect(idsOf(first)).toEqual(["a1", "b1", "free"]);
    const waiting = session.queues.fetch("q", { max: 5 });
    await session.queues.settle("q", [{ kind: "ack", token: first[1]!.token }]);
    expect(await outcome(waiting)).toBe("pending");
    await session.queues.settle("q", [{ kind: "ack", token: first[0]!.token }]);
    expect(idsOf(await waiting)).toEqual(["a2"]);
  });

  test("stay in order across retries, crashes and dead letters", async () => {
    const { clock, session } = startTrial();
    await session.queues.open("q", { leaseMs: 100, maxAttempts: 3 });
    await session.queues.send("q", keyed(["1", "k"], ["2", "k"], ["3", "k"]));
    const [first] = await fetchNow(session);
    await session.queues.settle("q", [{ kind: "nak", token: first!.token, delayMs: 50 }]);
    expect(await fetchNow(session)).toEqual([]);
    clock.advance(50);
    expect(await fetchNow(session)).toMatchObject([{ id: "1", attempt: 2 }]);
    clock.advance(100);
    const [third] = await fetchNow(session);
    expect(third).toMatchObject({ id: "1", attempt: 3 });
    await session.queues.settle("q", [{ kind: "nak", token: third!.token, delayMs: 50 }]);
    expect(idsOf(await fetchNow(session))).toEqual(["2"]);
  });

  test("do not wait for one that expired or was purged", async () => {
    const { clock, session } = startTrial();
    await session.queues.send("q", [letter("1", { key: "k", delayMs: 500, ttlMs: 100 }), letter("2", { key: "k" })]);
    const waiting = session.queues.fetch("q", { max: 1 });
    expect(await outcome(waiting)).toBe("pending");
    clock.advance(100);
    expect(idsOf(await waiting)).toEqual(["2"]);
    await session.queues.send("q", keyed(["3", "k"], ["4", "k"]));
    expect(await session.queues.purge("q")).toBe(2);
    await session.queues.settle("q", [{ kind: "ack", token: (await waiting)[0]!.token }]);
    await session.queues.send("q", keyed(["5", "k"]));
    expect(idsOf(await fetchNow(session))).toEqual(["5"]);
  });
});

describe("a fetch", () => {
  test("waits when there is nothing, and is served in the order of arrival", async () => {
    const { session } = startTrial();
    const first = session.queues.fetch("q", { max: 5 });
    const second = session.queues.fetch("q", { max: 5 });
    await send(session, "1");
    expect(idsOf(await first)).toEqual(["1"]);
    expect(await outcome(second)).toBe("pending");
    await send(session, "2");
    expect(idsOf(await second)).toEqual(["2"]);
  });

  test("gets its share of a batch when several wait", async () => {
    const { session } = startTrial();
    const fetches = [5, 1, 5].map((max) => session.queues.fetch("q", { max }));
    await send(session, "1", "2", "3", "4", "5", "6");
    expect((await Promise.all(fetches)).map(idsOf)).toEqual([["1", "2"], ["3"], ["4", "5", "6"]]);
  });

  test("that is aborted resolves with nothing and takes nothing; what was captured before is delivered", async () => {
    const { session } = startTrial();
    const abort = new AbortController();
    const waiting = session.queues.fetch("q", { max: 5, signal: abort.signal });
    abort.abort();
    expect(await waiting).toEqual([]);
    await send(session, "1");
    expect(await session.queues.fetch("q", { max: 5, signal: abort.signal })).toEqual([]);
    expect(await session.queues.info("q")).toMatchObject({ waiting: 1 });
    const race = new AbortController();
    const captured = session.queues.fetch("q", { max: 5, signal: race.signal });
    race.abort();
    expect(idsOf(await captured)).toEqual(["1"]);
  });

  test("of a destroyed mailbox is a conflict until it is opened again; its letters are gone and its leases stale", async () => {
    const { session } = startTrial();
    await send(session, "1");
    const [held] = await fetchNow(session);
    const waiting = outcome(session.queues.fetch("q", { max: 1 }));
    await session.queues.destroy("q");
    expect(await waiting).toEqual({ code: "conflict" });
    await expect(session.queues.fetch("q", { max: 1 })).rejects.toMatchObject({ code: "conflict" });
    await expect(session.queues.send("q", [letter("2")])).rejects.toMatchObject({ code: "conflict" });
    expect(await session.queues.settle("q", [{ kind: "ack", token: held!.token }])).toMatchObject([{ code: "stale" }]);
    await session.queues.open("q", { leaseMs: 7 });
    expect(await session.queues.settle("q", [{ kind: "ack", token: held!.token }])).toMatchObject([{ code: "stale" }]);
    expect(await fetchNow(session)).toEqual([]);
    await session.queues.destroy("q");
    await session.queues.destroy("q");
  });
});
