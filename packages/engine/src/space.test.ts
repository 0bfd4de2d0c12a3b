import { any, between, compileTemplate, partial, splitText } from "@quadrant/contract";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { EngineSession } from "./session.ts";
import { outcome, startTrial, template, tuple } from "./trial.ts";

const out = async (session: EngineSession, value: unknown, leaseMs?: number) =>
  await session.tuples.out("s", tuple(value), leaseMs, {});
const anything = template([String, any]);

describe("waiters", () => {
  test("an out satisfies every rd that matches, then the longest-waiting in, and is then gone", async () => {
    const { session } = startTrial();
    const reads = [session.tuples.read("s", anything, {}), session.tuples.read("s", template(["a", any]), {})];
    const takes = [session.tuples.take("s", template(["a", Number]), {}), session.tuples.take("s", anything, {})];
    await out(session, ["a", 1]);
    expect(await Promise.all([...reads, takes[0]])).toEqual(Array(3).fill(tuple(["a", 1])));
    expect(await outcome(takes[1]!)).toBe("pending");
    expect(await session.tuples.count("s", anything)).toBe(0);
    await out(session, ["b", 2]);
    expect(await takes[1]).toBe(tuple(["b", 2]));
  });

  test("are served in the order they came, whatever index each stands in", async () => {
    const overlapping = [
      [any, any],
      ["k", any],
      [any, 0],
      ["k", 0],
      [String, between(0, 1)],
      ["other", any],
    ].map(template);
    const kinds = fc.constantFrom("take", "read", "claim" as const);
    const waiters = fc.array(fc.tuple(kinds, fc.constantFrom(...overlapping)), {
      minLength: 4,
      maxLength: 25,
      size: "max",
    });
    const outs = fc.array(fc.constantFrom(tuple(["k", 0]), tuple(["k", 1]), tuple(["other", 0])), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(waiters, outs, async (waiting, texts) => {
        const { session } = startTrial();
        const order: number[] = [];
        for (const [index, [kind, pattern]] of waiting.entries()) {
          const done =
            kind === "claim" ? session.tuples.claim("s", pattern, 1000, {}) : session.tuples[kind]("s", pattern, {});
          done.then(() => order.push(index));
        }
        const expected: number[] = [];
        let left = waiting.map(([kind, pattern], index) => ({
          index,
          kind,
          template: compileTemplate(pattern),
        }));
        for (const text of texts) {
          await session.tuples.out("s", text, 0, {});
          const wanting = left.filter(({ template }) => template.matches(text));
          const served = wanting.filter(({ kind }) => kind === "read");
          served.push(...wanting.filter(({ kind }) => kind !== "read").slice(0, 1));
          expected.push(...served.map(({ index }) => index));
          left = left.filter((waiter) => !served.includes(waiter));
        }
        await new Promise((resolve) => setImmediate(resolve));
        expect(order).toEqual(expected);
      }),
    );
  });

  test("a hundred thousand idle ones are served by their own tuples, and leave nothing behind", async () => {
    const { session, engine } = startTrial();
    const idle: Promise<string>[] = [];
    for (let i = 0; i < 100_000; i++) {
      const own = i % 2 === 0 ? ["idle", i, between(0, 9)] : partial({ kind: "idle", number: i });
      idle.push(session.tuples.take("s", template(own), {}));
    }
    for (let i = 0; i < 1000; i++) {
      await out(session, ["busy", i, 2]);
      expect(await session.tuples.take("s", template(["busy", any, any]), {})).toBe(tuple(["busy", i, 2]));
      await out(session, { kind: "busy", number: i }, 0);
    }
    await out(session, ["idle", 99_998, 3]);
    await out(session, { kind: "idle", number: 99_999, more: true });
    expect(await idle[99_998]).toBe(tuple(["idle", 99_998, 3]));
    expect(await idle[99_999]).toBe(tuple({ kind: "idle", number: 99_999, more: true }));
    const closed = Promise.allSettled(idle);
    session.close();
    expect((await closed).filter(({ status }) => status === "rejected")).toHaveLength(99_998);
    expect(engine.describe()).toMatchObject({ spaces: { waiters: 0 } });
  });

  test("abort, timeout and capture are one decision", async () => {
    const { clock, session } = startTrial();
    const abort = new AbortController();
    const captured = session.tuples.take("s", anything, { timeoutMs: 100, signal: abort.signal });
    const aborted = session.tuples.take("s", anything, { timeoutMs: 100, signal: abort.signal });
    const timedOut = session.tuples.take("s", anything, { timeoutMs: 100 });
    await out(session, ["mine", 1]);
    abort.abort();
    clock.advance(100);
    expect(await captured).toBe(tuple(["mine", 1]));
    await expect(aborted).rejects.toMatchObject({ code: "aborted" });
    await expect(timedOut).rejects.toMatchObject({ code: "timeout" });
    await out(session, ["a", 1]);
    expect(await session.tuples.count("s", anything)).toBe(1);
    expect(clock.pending).toBe(0);
  });

  test("a timeout that is due has happened before a tuple comes, though nobody was woken", async () => {
    let now = 0;
    const { Engine } = await import("./engine.ts");
    const session = new Engine({ clock: { now: () => now, schedule: () => () => undefined } }).connect();
    const taken = outcome(session.tuples.take("s", anything, { timeoutMs: 100 }));
    now = 100;
    await out(session, ["a", 1]);
    expect(await taken).toEqual({ code: "timeout" });
    expect(await session.tuples.count("s", anything)).toBe(1);
  });

  test("an aborted signal and a timeout of 0 end it at once, without effect", async () => {
    const { session } = startTrial();
    await expect(session.tuples.take("s", anything, { timeoutMs: 0 })).rejects.toMatchObject({ code: "timeout" });
    await out(session, ["a", 1]);
    const wait = { signal: AbortSignal.abort() };
    await expect(session.tuples.take("s", anything, wait)).rejects.toMatchObject({ code: "aborted" });
    await expect(session.tuples.out("s", tuple(["a", 1]), undefined, wait)).rejects.toMatchObject({ code: "aborted" });
    expect(await session.tuples.take("s", anything, { timeoutMs: 0 })).toBe(tuple(["a", 1]));
    expect(await session.tuples.count("s", anything)).toBe(0);
  });
});

describe("claims", () => {
  test("hold a tuple out of sight, and give it back to its original place", async () => {
    const { clock, session } = startTrial();
    for (const letter of ["a", "b", "c", "d"]) await out(session, [letter, 0]);
    const claims = [];
    for (let i = 0; i < 3; i++) claims.push(await session.tuples.claim("s", anything, 100, {}));
    expect(await session.tuples.readAll("s", anything)).toEqual([tuple(["d", 0])]);
    expect(await session.tuples.settleClaim("s", { kind: "nak", token: claims[1]!.token })).toBeUndefined();
    expect(
      await session.tuples.settleClaim("s", { kind: "extend", token: claims[2]!.token, leaseMs: 200 }),
    ).toBeUndefined();
    clock.advance(100);
    expect(await session.tuples.readAll("s", anything)).toEqual(["a", "b", "d"].map((each) => tuple([each, 0])));
    expect(await session.tuples.settleClaim("s", { kind: "ack", token: claims[0]!.token })).toMatchObject({
      code: "stale",
    });
    expect(await session.tuples.settleClaim("s", { kind: "ack", token: claims[1]!.token })).toMatchObject({
      code: "stale",
    });
    expect(await session.tuples.settleClaim("s", { kind: "ack", token: claims[2]!.token })).toBeUndefined();
    expect(await session.tuples.take("s", anything, {})).toBe(tuple(["a", 0]));
  });

  test("do not stop the tuple's own lease", async () => {
    const { clock, session } = startTrial();
    await out(session, ["given back", 1], 100);
    await out(session, ["acknowledged", 1], 100);
    const first = await session.tuples.claim("s", anything, 1000, {});
    const second = await session.tuples.claim("s", anything, 1000, {});
    clock.advance(100);
    expect(await session.tuples.settleClaim("s", { kind: "nak", token: first.token })).toBeUndefined();
    expect(await session.tuples.settleClaim("s", { kind: "ack", token: second.token })).toBeUndefined();
    expect(await session.tuples.count("s", anything)).toBe(0);
    expect(clock.pending).toBe(0);
  });

  test("that end satisfy waiters as an out does", async () => {
    const { clock, session } = startTrial();
    await out(session, ["a", 1]);
    await session.tuples.claim("s", anything, 50, {});
    const read = session.tuples.read("s", anything, {});
    const take = session.tuples.take("s", anything, {});
    clock.advance(50);
    expect(await read).toBe(tuple(["a", 1]));
    expect(await take).toBe(tuple(["a", 1]));
    expect(await session.tuples.count("s", anything)).toBe(0);
  });
});

describe("leases", () => {
  test("end a tuple at their time, sooner or later when renewed, at once when cancelled", async () => {
    const { clock, session } = startTrial();
    const [shorter, longer, cancelled, unleased] = [
      await out(session, ["shorter", 1], 100),
      await out(session, ["longer", 1], 100),
      await out(session, ["cancelled", 1], 100),
      await out(session, ["unleased", 1]),
    ];
    expect(shorter.expiresInMs).toBe(100);
    expect(unleased.expiresInMs).toBe(Number.POSITIVE_INFINITY);
    expect(await session.tuples.renew("s", shorter.id, 10)).toEqual({ id: shorter.id, expiresInMs: 10 });
    await session.tuples.renew("s", longer.id, 1000);
    await session.tuples.cancel("s", cancelled.id);
    await session.tuples.cancel("s", cancelled.id);
    clock.advance(10);
    expect(await session.tuples.readAll("s", anything)).toEqual([tuple(["longer", 1]), tuple(["unleased", 1])]);
    await session.tuples.renew("s", unleased.id, 5);
    await session.tuples.renew("s", longer.id, Number.POSITIVE_INFINITY);
    clock.advance(10_000);
    expect(await session.tuples.readAll("s", anything)).toEqual([tuple(["longer", 1])]);
    for (const { id } of [shorter, cancelled, unleased, { id: "nonsense" }]) {
      await expect(session.tuples.renew("s", id, 10)).rejects.toMatchObject({ code: "stale" });
    }
  });

  test("of 0: waiters see the tuple, nothing is stored", async () => {
    const { session } = startTrial();
    const read = session.tuples.read("s", anything, {});
    const lease = await out(session, ["pulse", 1], 0);
    expect(await read).toBe(tuple(["pulse", 1]));
    expect(lease.expiresInMs).toBe(0);
    expect(await session.tuples.readNow("s", anything)).toBeUndefined();
    await expect(session.tuples.renew("s", lease.id, 10)).rejects.toMatchObject({ code: "stale" });
  });
});

describe("a space with a capacity", () => {
  test("lets outs wait in their order until there is room", async () => {
    const { clock, session } = startTrial();
    await session.tuples.open("s", { capacity: 2 });
    await out(session, ["1", 0]);
    await out(session, ["2", 0], 100);
    const abort = new AbortController();
    const blocked = ["3", "4", "5", "6", "7"].map((name) =>
      session.tuples.out(
        "s",
        tuple([name, 0]),
        undefined,
        name === "4" ? { signal: abort.signal } : { timeoutMs: 500 },
      ),
    );
    expect(await outcome(blocked[0]!)).toBe("pending");
    abort.abort();
    await expect(blocked[1]).rejects.toMatchObject({ code: "aborted" });
    expect(await session.tuples.take("s", anything, {})).toBe(tuple(["1", 0]));
    expect(await session.tuples.readAll("s", anything)).toEqual([tuple(["2", 0]), tuple(["3", 0])]);
    clock.advance(100);
    expect(await session.tuples.takeMany("s", anything, 9)).toEqual([tuple(["3", 0]), tuple(["5", 0])]);
    expect(await session.tuples.readAll("s", anything)).toEqual([tuple(["6", 0]), tuple(["7", 0])]);
    await expect(session.tuples.out("s", tuple(["8", 0]), undefined, { timeoutMs: 0 })).rejects.toMatchObject({
      code: "timeout",
    });
    const late = session.tuples.out("s", tuple(["9", 0]), undefined, { timeoutMs: 50 });
    clock.advance(50);
    await expect(late).rejects.toMatchObject({ code: "timeout" });
    for (const index of [0, 2, 3, 4])
      expect(await blocked[index]).toMatchObject({ expiresInMs: Number.POSITIVE_INFINITY });
  });

  test("rejects where it is told to, but serves who waits; claimed tuples keep their room", async () => {
    const { session } = startTrial();
    await session.tuples.open("s", { capacity: 1, whenFull: "reject" });
    await out(session, ["1", 0]);
    const { token } = await session.tuples.claim("s", anything, 1000, {});
    await expect(out(session, ["2", 0])).rejects.toMatchObject({ code: "overflow" });
    const taker = session.tuples.take("s", anything, {});
    await out(session, ["3", 0]);
    expect(await taker).toBe(tuple(["3", 0]));
    await session.tuples.settleClaim("s", { kind: "ack", token });
    await out(session, ["4", 0]);
    expect(await session.tuples.readAll("s", anything)).toEqual([tuple(["4", 0])]);
  });

  test("lets an out in when a claim ends without its tuple coming back", async () => {
    const { clock, session } = startTrial();
    await session.tuples.open("s", { capacity: 1 });
    await out(session, ["expires", 0], 100);
    const { token } = await session.tuples.claim("s", anything, 1000, {});
    const first = out(session, ["first", 0]);
    clock.advance(100);
    expect(await outcome(first)).toBe("pending");
    await session.tuples.settleClaim("s", { kind: "nak", token });
    await first;
    const claim = await session.tuples.claim("s", anything, 1000, {});
    const second = out(session, ["second", 0]);
    const taker = session.tuples.take("s", anything, {});
    await session.tuples.settleClaim("s", { kind: "nak", token: claim.token });
    expect(await taker).toBe(tuple(["first", 0]));
    await second;
    expect(await session.tuples.readAll("s", anything)).toEqual([tuple(["second", 0])]);
  });

  test("takes many together, or none of them", async () => {
    const { session } = startTrial();
    await session.tuples.open("s", { capacity: 3 });
    await out(session, ["1", 0]);
    const many = ["2", "3", "4"].map((name) => tuple([name, 0]));
    await expect(session.tuples.outMany("s", many, undefined)).rejects.toMatchObject({ code: "overflow" });
    expect(await session.tuples.count("s", anything)).toBe(1);
    await expect(session.tuples.outMany("s", [tuple(["2", 0]), "nonsense"], undefined)).rejects.toMatchObject({
      code: "codec",
    });
    expect(await session.tuples.count("s", anything)).toBe(1);
    await session.tuples.outMany("s", many.slice(0, 2), undefined);
    expect(await session.tuples.count("s", anything)).toBe(3);
  });
});

describe("finding", () => {
  test("picks the oldest, the newest, or one at random, each with the same chance", async () => {
    const { session } = startTrial();
    await session.tuples.open("newest", { pick: "newest" });
    await session.tuples.open("random", { pick: "random" });
    for (const space of ["oldest", "newest", "random"]) {
      for (let i = 0; i < 100; i++) await session.tuples.out(space, tuple(["n", i]), undefined, {});
    }
    expect(await session.tuples.readNow("oldest", anything)).toBe(tuple(["n", 0]));
    expect(await session.tuples.readNow("newest", anything)).toBe(tuple(["n", 99]));
    expect(await session.tuples.takeMany("newest", anything, 2)).toEqual([tuple(["n", 99]), tuple(["n", 98])]);
    // Served by an index, found after some draws, and found only by a walk: all are reached.
    for (const pattern of [
      ["n", Number],
      ["n", between(0, 49)],
      ["n", between(0, 3)],
    ].map(template)) {
      const wanted = await session.tuples.readAll("random", pattern);
      const seen = new Map<string, number>();
      for (let i = 0; i < 100 * wanted.length; i++) {
        const read = (await session.tuples.readNow("random", pattern))!;
        seen.set(read, (seen.get(read) ?? 0) + 1);
      }
      expect([...seen.keys()].sort()).toEqual([...wanted].sort());
      // 100 expected of each; 200 is ten standard deviations away.
      expect(Math.max(...seen.values())).toBeLessThan(200);
    }
    const taken = await session.tuples.takeMany("random", anything, 60);
    expect(new Set(taken).size).toBe(60);
    expect(await session.tuples.count("random", anything)).toBe(40);
    const left = (await session.tuples.readAll("random", anything)).map((text) =>
      Number(splitText(text).parts[1]!.slice(1)),
    );
    expect(left).toEqual([...left].sort((a, b) => a - b));
  });

  test("across the forms that a partial record covers keeps the order of the space", async () => {
    const { session } = startTrial();
    const records = [{ a: 1, b: 1 }, { a: 1 }, { a: 1, c: 1 }, { b: 1 }];
    for (const each of records) await out(session, each);
    const pattern = template(partial({ a: Number }));
    expect(await session.tuples.readAll("s", pattern)).toEqual(records.slice(0, 3).map(tuple));
    expect(await session.tuples.takeMany("s", pattern, 2)).toEqual(records.slice(0, 2).map(tuple));
    expect(await session.tuples.takeNow("s", pattern)).toBe(tuple({ a: 1, c: 1 }));
    expect(await session.tuples.takeNow("s", pattern)).toBeUndefined();
  });

  test("gives up with overflow after too many that do not match, and harms nobody else", async () => {
    const { session } = startTrial();
    await session.tuples.open("s", { maxScan: 100 });
    for (let i = 0; i < 200; i++) await out(session, ["n", i]);
    const unserved = template(["n", between(150, 160)]);
    for (const refused of [
      session.tuples.takeNow("s", unserved),
      session.tuples.take("s", unserved, {}),
      session.tuples.readAll("s", unserved),
      session.tuples.takeMany("s", unserved, 5),
    ]) {
      await expect(refused).rejects.toMatchObject({ code: "overflow" });
    }
    expect(await session.tuples.count("s", anything)).toBe(200);
    expect(await session.tuples.takeNow("s", template(["n", 155]))).toBe(tuple(["n", 155]));
    expect(await session.tuples.takeNow("s", template(["n", between(50, 60)]))).toBe(tuple(["n", 50]));
  });

  test("refuses what is no tuple and no template", async () => {
    const { session } = startTrial();
    for (const text of ["", "sx", "A1:1:?", "a1:", "o1:1:a", "a2:2:n1", "a1:2:n1x"]) {
      await expect(session.tuples.out("s", text, undefined, {})).rejects.toMatchObject({ code: "codec" });
    }
    for (const text of ["", "n1", "a1:", "A1:2:kx", "A1:3:r1:"]) {
      await expect(session.tuples.takeNow("s", text)).rejects.toMatchObject({ code: "codec" });
    }
    expect(await session.tuples.count("s", template(partial({})))).toBe(0);
  });
});

describe("a space", () => {
  test("keeps its options, and is made by use with defaults", async () => {
    const { session } = startTrial();
    await session.tuples.open("s", { pick: "newest", capacity: 5 });
    await session.tuples.open("s", {});
    await session.tuples.open("s", { pick: "newest", maxScan: 100_000, history: 10_000, whenFull: "wait" });
    await expect(session.tuples.open("s", { pick: "oldest" })).rejects.toMatchObject({ code: "conflict" });
    await expect(session.tuples.open("s", { capacity: 6 })).rejects.toMatchObject({ code: "conflict" });
    await session.tuples.count("used", anything);
    await expect(session.tuples.open("used", { capacity: 6 })).rejects.toMatchObject({ code: "conflict" });
    expect(session.list("space")).toEqual(["s", "used"]);
  });

  test("that is destroyed tells who waits, and makes leases and claims stale", async () => {
    const { clock, session } = startTrial();
    await session.tuples.open("s", { capacity: 1 });
    const lease = await out(session, ["a", 1], 1000);
    const { token } = await session.tuples.claim("s", anything, 1000, {});
    const waiting = [
      outcome(session.tuples.take("s", anything, {})),
      outcome(session.tuples.out("s", tuple(["b", 1, 2]), undefined, {})),
    ];
    await session.tuples.destroy("s");
    expect(await Promise.all(waiting)).toEqual([{ code: "conflict" }, { code: "conflict" }]);
    expect(clock.pending).toBe(0);
    await expect(session.tuples.count("s", anything)).rejects.toMatchObject({ code: "conflict" });
    expect(await session.tuples.settleClaim("s", { kind: "ack", token })).toMatchObject({ code: "stale" });
    await session.tuples.open("s", {});
    expect(await session.tuples.settleClaim("s", { kind: "ack", token })).toMatchObject({ code: "stale" });
    await expect(session.tuples.renew("s", lease.id, 10)).rejects.toMatchObject({ code: "stale" });
    expect(await session.tuples.count("s", anything)).toBe(0);
  });
});
