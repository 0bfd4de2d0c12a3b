import { any } from "@quadrant/contract";
import { describe, expect, test } from "vitest";
import { Engine } from "./engine.ts";
import type { EngineSession } from "./session.ts";
import { envelope, letter, outcome, startTrial, template, tuple } from "./trial.ts";

const anything = template([any]);

/** Two letters, an entry of a durable and a tuple, all held by the session. */
async function hold(session: EngineSession) {
  await session.queues.open("q", { leaseMs: 100, maxAttempts: 2 });
  await session.queues.send("q", [letter("1"), letter("2")]);
  await session.logs.openDurable("l", { durable: "d", leaseMs: 100 });
  await session.logs.append("l", envelope("a"));
  await session.tuples.out("s", tuple(["t"]), undefined, {});
  const [letters, entries, claim] = await Promise.all([
    session.queues.fetch("q", { max: 2 }),
    session.logs.fetch("l", "d", { max: 2 }),
    session.tuples.claim("s", anything, 100, {}),
  ]);
  expect([letters.length, entries.length]).toEqual([2, 1]);
  return { letters, entries, claim };
}

async function held(session: EngineSession): Promise<{ letters: number; entries: string; tuples: number }> {
  const abort = new AbortController();
  const fetched = session.logs.fetch("l", "d", { max: 2, signal: abort.signal });
  abort.abort();
  return {
    letters: (await session.queues.info("q")).held,
    entries: (await fetched).map(({ subject, attempt }) => `${subject} ${attempt}`).join(),
    tuples: await session.tuples.count("s", anything),
  };
}

describe("a session that closes", () => {
  test("gives back what it holds at once, the attempts counted", async () => {
    const { clock, engine, session } = startTrial();
    const other = engine.connect();
    const { letters } = await hold(session);
    session.close();
    session.close();
    expect(await held(other)).toEqual({ letters: 0, entries: "a 2", tuples: 1 });
    const again = await other.queues.fetch("q", { max: 5 });
    expect(again.map(({ id, attempt }) => [id, attempt])).toEqual([
      ["1", 2],
      ["2", 2],
    ]);
    expect(await other.queues.settle("q", [{ kind: "ack", token: letters[0]!.token }])).toMatchObject([
      { code: "stale" },
    ]);
    other.close();
    expect(await engine.connect().queues.info("q")).toEqual({ waiting: 0, held: 0, delayed: 0, dead: 2 });
    expect(clock.pending).toBe(0);
  });

  test("hands what it gives back to others that wait, not to itself", async () => {
    const { engine, session } = startTrial();
    const other = engine.connect();
    await hold(session);
    const own = outcome(session.queues.fetch("q", { max: 1 }));
    const others = [other.queues.fetch("q", { max: 5 }), other.queues.fetch("q", { max: 5 })];
    const taken = other.tuples.take("s", anything, {});
    session.close();
    expect(await own).toEqual({ code: "closed" });
    expect((await Promise.all(others)).flat().map(({ id }) => id)).toEqual(["1", "2"]);
    expect(await taken).toBe(tuple(["t"]));
  });

  test("ends all that waits, and refuses everything afterwards", async () => {
    const { engine, session } = startTrial();
    await session.tuples.open("full", { capacity: 1 });
    await session.tuples.out("full", tuple([1]), undefined, {});
    await session.logs.openDurable("l", { durable: "d" });
    const signal = new AbortController().signal;
    const waiting = [
      session.queues.fetch("q", { max: 1, signal }),
      session.logs.fetch("l", "d", { max: 1 }),
      session.logs.read("l", { from: "first", max: 1, follow: true }),
      session.tuples.take("s", anything, { timeoutMs: 100, signal }),
      session.tuples.read("s", anything, {}),
      session.tuples.claim("s", anything, 100, {}),
      session.tuples.out("full", tuple([2]), undefined, {}),
    ].map((promise) => outcome<unknown>(promise));
    session.close();
    for (const each of await Promise.all(waiting)) expect(each).toEqual({ code: "closed" });
    const late: Promise<unknown>[] = [
      session.queues.send("q", [letter("1")]),
      session.queues.info("q"),
      session.logs.append("l", envelope("a")),
      session.tuples.count("s", anything),
      session.calls.services(),
    ];
    for (const each of late) await expect(each).rejects.toMatchObject({ code: "closed" });
    expect(engine.describe()).toMatchObject({
      sessions: 0,
      mailboxes: { fetchers: 0 },
      logs: { followers: 0 },
      spaces: { waiters: 0 },
      timers: 0,
    });
  });
});

describe("a session that is abandoned", () => {
  test("leaves what it holds lent until the leases end", async () => {
    const { clock, engine, session } = startTrial();
    const other = engine.connect();
    await hold(session);
    const waiting = outcome(session.tuples.take("s", anything, {}));
    session.abandon();
    expect(await waiting).toEqual({ code: "closed" });
    clock.advance(99);
    expect(await held(other)).toEqual({ letters: 2, entries: "", tuples: 0 });
    clock.advance(1);
    expect(await held(other)).toEqual({ letters: 0, entries: "a 2", tuples: 1 });
  });

  test("may be followed by one that settles and extends what the first holds, and then owns it", async () => {
    const { clock, engine, session } = startTrial();
    const { letters, claim } = await hold(session);
    session.abandon();
    const next = engine.connect();
    clock.advance(50);
    expect(
      await next.queues.settle("q", [
        { kind: "ack", token: letters[0]!.token },
        { kind: "extend", token: letters[1]!.token, leaseMs: 1000 },
      ]),
    ).toEqual([undefined, undefined]);
    const extended = { kind: "extend", token: claim.token, leaseMs: 1000 } as const;
    expect(await next.tuples.settleClaim("s", extended)).toBeUndefined();
    clock.advance(500);
    expect(await held(next)).toMatchObject({ letters: 1, tuples: 0 });
    const last = engine.connect();
    next.close();
    expect(await held(last)).toMatchObject({ letters: 0, tuples: 1 });
  });
});

describe("an engine", () => {
  test("counts everything it has", async () => {
    const { engine, session } = startTrial();
    await hold(session);
    await session.queues.send("q", [letter("3", { delayMs: 10 })]);
    await session.topics.subscribe("a", "g", { deliver: () => undefined, lost: () => undefined, end: () => undefined });
    expect(engine.describe()).toEqual({
      sessions: 1,
      interests: 1,
      loans: 4,
      topics: { subscriptions: 1, groups: 1, patterns: 1, published: 0 },
      mailboxes: { mailboxes: 1, waiting: 0, held: 2, delayed: 1, dead: 0, fetchers: 0 },
      logs: { logs: 1, entries: 1, bytes: 11, durables: 1, held: 1, delayed: 0, dead: 0, followers: 0 },
      spaces: { spaces: 1, tuples: 0, claims: 1, waiters: 0, forms: 1, buckets: 0 },
      calls: { servers: 0, inFlight: 0 },
      // Both held letters have one.
      timers: 4,
    });
  });

  test("has nothing left of what is over", async () => {
    const { clock, engine, session } = startTrial();
    const { letters, entries, claim } = await hold(session);
    const ack = (token: string) => ({ kind: "ack", token }) as const;
    await session.queues.settle("q", [ack(letters[0]!.token), { kind: "release", token: letters[1]!.token }]);
    await session.logs.settle("l", "d", [ack(entries[0]!.token)]);
    await session.tuples.settleClaim("s", ack(claim.token));
    const abort = new AbortController();
    const waiting = [
      session.queues.fetch("none", { max: 1, signal: abort.signal }),
      session.logs.read("l", { from: "new", max: 1, follow: true, signal: abort.signal }),
      session.tuples.take("s", anything, { signal: abort.signal, timeoutMs: 1000 }).catch(() => undefined),
      session.tuples.take("s", anything, { timeoutMs: 10 }).catch(() => undefined),
    ];
    expect(engine.describe()).toMatchObject({ interests: 4, loans: 0 });
    clock.advance(10);
    abort.abort();
    await Promise.all(waiting);
    const sink = { deliver: () => undefined, lost: () => undefined, end: () => undefined };
    await (await session.topics.subscribe("a", "g", sink)).close();
    expect(engine.describe()).toMatchObject({ interests: 0, loans: 0, timers: 0 });
    expect(clock.pending).toBe(0);
  });

  test("that closes closes its sessions and leaves no timer", async () => {
    const { clock, engine, session } = startTrial();
    await hold(session);
    await session.queues.send("q", [letter("3", { delayMs: 10, ttlMs: 20 })]);
    await session.tuples.out("s", tuple(["leased"]), 50, {});
    engine.close();
    engine.close();
    expect(clock.pending).toBe(0);
    await expect(session.queues.info("q")).rejects.toMatchObject({ code: "closed" });
  });

  test("names its driver on its errors, and never takes a token of another engine", async () => {
    const engines = [new Engine({ driver: "memory" }), new Engine({ driver: "memory" })];
    const [one, two] = engines.map((engine) => engine.connect());
    for (const session of [one!, two!]) await session.queues.send("q", [letter("1")]);
    const [held1] = await one!.queues.fetch("q", { max: 1 });
    const [held2] = await two!.queues.fetch("q", { max: 1 });
    expect(held1!.token).not.toBe(held2!.token);
    expect(await two!.queues.settle("q", [{ kind: "ack", token: held1!.token }])).toMatchObject([
      { code: "stale", driver: "memory" },
    ]);
    for (const engine of engines) engine.close();
  });

  test("works on the machine's clock: a lease ends by itself", async () => {
    const engine = new Engine();
    const session = engine.connect();
    await session.queues.send("q", [letter("1")]);
    await session.queues.fetch("q", { max: 1, leaseMs: 1 });
    expect(await session.queues.fetch("q", { max: 1 })).toMatchObject([{ id: "1", attempt: 2 }]);
    engine.close();
  });
});
