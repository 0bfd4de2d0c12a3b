import { expect, test } from "vitest";
import { Engine } from "./engine.ts";
import type { Journal } from "./journal.ts";
import { MemoryJournal } from "./memory-journal.ts";
import { RowKind } from "./row.ts";
import { bodyOf, envelope, letter, startKeptTrial, template, tuple } from "./trial.ts";

const job = tuple(["job", 1]);
const jobs = template(["job", Number]);

test("the lease of a claimed tuple that was cancelled stays so", async () => {
  const one = await startKeptTrial();
  const { id } = await one.session.tuples.out("s", job, undefined, {});
  const { token } = await one.session.tuples.claim("s", jobs, 1_000, {});
  await one.session.tuples.cancel("s", id);
  const { session } = await one.restart();
  expect(await session.tuples.settleClaim("s", { kind: "nak", token })).toBeUndefined();
  expect(await session.tuples.count("s", jobs)).toBe(0);
  await expect(session.tuples.renew("s", id, 1_000)).rejects.toMatchObject({ code: "stale" });
});

test("leases that end at once end in the order in which they were lent", async () => {
  const one = await startKeptTrial();
  await one.session.queues.open("q", { leaseMs: 50, maxAttempts: 1 });
  await one.session.queues.send("q", [letter("a"), letter("b")]);
  const [first] = await one.session.queues.fetch("q", { max: 2 });
  await one.session.queues.settle("q", [{ kind: "release", token: first!.token }]);
  await one.session.queues.fetch("q", { max: 1 });
  const { session, clock } = await one.restart();
  clock.advance(50);
  expect((await session.queues.deadLetters("q", 9)).map(({ id }) => id)).toEqual(["b", "a"]);
});

test("no name of a lease is ever given twice, whatever was given before the end", async () => {
  let trial = await startKeptTrial();
  const names = new Set<string>();
  for (let round = 0; round < 3; round++) {
    const lease = await trial.session.tuples.out("s", job, undefined, {});
    const { token } = await trial.session.tuples.claim("s", jobs, 1_000, {});
    await trial.session.tuples.settleClaim("s", { kind: "ack", token });
    await trial.session.queues.send("q", [letter(`${round}`)]);
    const [lent] = await trial.session.queues.fetch("q", { max: 1 });
    await trial.session.queues.settle("q", [{ kind: "ack", token: lent!.token }]);
    for (const name of [lease.id, token, lent!.token]) {
      expect(names.has(name)).toBe(false);
      names.add(name);
    }
    trial = await trial.restart();
    // What was settled before is stale after.
    expect(await trial.session.queues.settle("q", [{ kind: "ack", token: lent!.token }])).toMatchObject([
      { code: "stale" },
    ]);
  }
});

test("what was handed over by a ticket is had again by it, until it has arrived, was given back, or a minute has passed", async () => {
  const one = await startKeptTrial();
  const texts = [1, 2, 3, 4].map((n) => tuple(["job", n]));
  await one.session.tuples.outMany("s", texts, undefined);
  await one.session.tuples.takeRevocable("s", jobs, {}, "lost");
  (await one.session.tuples.takeRevocable("s", jobs, {}, "arrived")).arrived();
  (await one.session.tuples.takeRevocable("s", jobs, {}, "undone")).restore();
  await one.session.tuples.takeManyRevocable("s", template(["job", 4]), 9, "many");
  const two = await one.restart();
  const { tuples } = two.session;
  expect(await tuples.readAll("s", jobs)).toEqual([texts[2]]);
  expect((await tuples.takeRevocable("s", jobs, {}, "lost")).tuple).toBe(texts[0]);
  expect((await tuples.takeManyRevocable("s", jobs, 9, "many")).tuples).toEqual([texts[3]]);
  // It has arrived, so it is asked anew.
  expect((await tuples.takeRevocable("s", jobs, { timeoutMs: 0 }, "arrived")).tuple).toBe(texts[2]);
  const three = await two.restart();
  three.clock.advance(60_000);
  expect(await three.session.tuples.count("s", jobs)).toBe(0);
  const four = await three.restart();
  await expect(four.session.tuples.takeRevocable("s", jobs, { timeoutMs: 0 }, "lost")).rejects.toMatchObject({
    code: "timeout",
  });
  // The engine and the space; the rest is its history: what the tuples were, and six groups of events.
  expect(four.journal.size).toBe(2 + 4 + 6);
});

test("what an inAll was handed over by a ticket is had again in the order of its templates; a collect is kept whole", async () => {
  const one = await startKeptTrial();
  const texts = [1, 2, 3].map((n) => tuple(["job", n]));
  await one.session.tuples.outMany("s", texts, undefined);
  const both = [template(["job", 3]), jobs];
  await one.session.tuples.takeAllRevocable("s", both, {}, "lost");
  expect(await one.session.tuples.collect("s", jobs, "t", false)).toBe(1);
  const two = await one.restart();
  const { tuples } = two.session;
  expect((await tuples.takeAllRevocable("s", both, {}, "lost")).tuples).toEqual([texts[2], texts[0]]);
  expect(await tuples.readAll("s", jobs)).toEqual([]);
  expect(await tuples.readAll("t", jobs)).toEqual([texts[1]]);
  (await tuples.takeAllRevocable("s", both, {}, "lost")).restore();
  expect(await tuples.readAll("s", jobs)).toEqual([texts[0], texts[2]]);
});

test("a durable goes on where it was: what it lent, what died, what was redriven after retention took it", async () => {
  const one = await startKeptTrial();
  const { logs } = one.session;
  await logs.open("l", { maxMessages: 2 });
  for (const n of [1, 2]) await logs.append("l", envelope("s", `${n}`));
  await logs.openDurable("l", { durable: "d", from: "first", maxAttempts: 1, leaseMs: 1_000 });
  const [first, second] = await logs.fetch("l", "d", { max: 2 });
  await logs.settle("l", "d", [
    { kind: "reject", token: first!.token, failure: { code: "x", message: "y" } },
    { kind: "reject", token: second!.token, failure: { code: "x", message: "y" } },
  ]);
  for (const n of [3, 4]) await logs.append("l", envelope("s", `${n}`));
  expect(await logs.redrive("l", "d", { limit: 1 })).toBe(1);
  const [held] = await logs.fetch("l", "d", { max: 1 });
  expect(bodyOf(held!)).toBe("1");
  const two = await one.restart();
  expect(await two.session.logs.info("l")).toMatchObject({ first: 3, last: 4 });
  expect(await two.session.logs.settle("l", "d", [{ kind: "release", token: held!.token }])).toEqual([undefined]);
  const again = await two.session.logs.fetch("l", "d", { max: 9 });
  expect(again.map(bodyOf)).toEqual(["1", "3", "4"]);
  expect((await two.session.logs.deadLetters("l", "d", 9)).map(bodyOf)).toEqual(["2"]);
  await two.session.logs.destroy("l");
  const three = await two.restart();
  expect(three.session.list("log")).toEqual([]);
  await expect(three.session.logs.append("l", envelope("s"))).rejects.toMatchObject({ code: "conflict" });
});

test("a journal whose rows make no sense is refused", async () => {
  const { session, journal } = await startKeptTrial();
  await session.queues.send("q", [letter("a")]);
  const rows = new Map(journal.rows);
  for (const [row, data] of rows) if (data[0] === RowKind.queue) rows.delete(row);
  await expect(startKeptTrial(new MemoryJournal(rows))).rejects.toMatchObject({ code: "unavailable" });
});

test("letters that expire while the journal is read are gone, and no others; one that is held keeps its lease", async () => {
  const one = await startKeptTrial();
  await one.session.queues.open("q", { leaseMs: 1_000 });
  const lasting = letter("lasting");
  await one.session.queues.send("q", [letter("held", { ttlMs: 20 }), letter("gone", { ttlMs: 20 }), lasting]);
  const [held] = await one.session.queues.fetch("q", { max: 1 });
  const { clock } = one;
  const journal = one.journal.kill();
  const slow: Journal = {
    load: async (visit) => {
      const freeBytes = await journal.load(visit);
      clock.advance(30);
      return freeBytes;
    },
    commit: (changes) => journal.commit(changes),
    close: () => journal.close(),
  };
  const { queues } = (await Engine.recover(slow, { clock })).connect("trial");
  clock.advance(1);
  expect(await queues.info("q")).toMatchObject({ waiting: 1, held: 1 });
  for (const id of ["lasting", "next"]) {
    if (id === "next") await queues.send("q", [letter(id)]);
    expect(await queues.fetch("q", { max: 9 })).toMatchObject([{ id }]);
  }
  expect(await queues.settle("q", [{ kind: "ack", token: held!.token }])).toEqual([undefined]);
});
