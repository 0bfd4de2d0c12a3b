import type { Bus, BusError, Delivery } from "@quadrant/contract";
import { expect } from "vitest";
import { type Clause, durableClause } from "./clause.ts";
import { collect, gather } from "./collected.ts";
import { patiently, seen, statusesOf, whileDead } from "./faults.ts";
import { eventually, guard } from "./guard.ts";
import { range } from "./range.ts";
import { rejection } from "./rejection.ts";
import type { Scene } from "./scene.ts";

/** Kills the broker and starts it again on what it has kept; resolves when each of the connections has it back. */
async function restarted(scene: Scene, ...buses: readonly Bus[]): Promise<void> {
  const statuses = buses.map((bus) => statusesOf(bus));
  await Promise.all(statuses.map((each) => each.atLeast(1)));
  await whileDead(scene, async () => {
    await Promise.all(statuses.map((each) => seen(each, "disconnected")));
  });
  await Promise.all(statuses.map((each) => seen(each, "reconnected")));
}

async function letters(scene: Scene): Promise<void> {
  const bus = await scene.connect();
  const box = await bus.mailbox<number>(scene.name(), { maxAttempts: 2, capacity: 1_000 });
  await box.sendMany(range(100));
  const receiving = collect(await box.receive({ maxInFlight: 100 }));
  await receiving.atLeast(100);
  const [dead, late, ...rest] = receiving.items as readonly Delivery<number>[];
  await dead!.reject(new TypeError("not this one"));
  await Promise.all(rest.filter((letter) => letter.data % 2 === 0).map((letter) => letter.ack()));
  await restarted(scene, bus);
  // Who held a letter holds it still: nothing has come again, and what was held can be settled.
  await late!.ack();
  await Promise.all(rest.filter((letter) => letter.data % 2 !== 0).map((letter) => letter.ack()));
  expect(receiving.items).toHaveLength(100);
  expect(await box.info()).toMatchObject({ waiting: 0, held: 0, dead: 1 });
  const [record] = await box.deadLetters();
  expect(record).toMatchObject({ data: 0, attempt: 1, error: { message: "not this one" } });
  await rejection(bus.mailbox(box.address, { capacity: 2 }), "conflict");
}

async function heldLetters(scene: Scene): Promise<void> {
  const [bus, other] = [await scene.connect(), await scene.connect()];
  const address = scene.name();
  const box = await bus.mailbox<string>(address, { leaseMs: 60_000 });
  await box.send("held", { headers: { color: "green" } });
  const holder = collect(await box.receive());
  await holder.atLeast(1);
  await restarted(scene, bus, other);
  const same = await other.mailbox<string>(address);
  const second = collect(await same.receive());
  await patiently(() => same.send("marker", { id: "marker" }));
  await eventually("the marker", () => [...holder.items, ...second.items].some(({ data }) => data === "marker"));
  expect(second.items.some(({ data }) => data === "held")).toBe(false);
  await holder.items[0]!.nak();
  await eventually("the letter again", () =>
    [...holder.items.slice(1), ...second.items].some(({ data, attempt }) => data === "held" && attempt === 2),
  );
  // What is held would keep the connections open.
  await Promise.all([...holder.items.slice(1), ...second.items].map((letter) => letter.ack()));
}

async function laterLetters(scene: Scene): Promise<void> {
  const bus = await scene.connect();
  const box = await bus.mailbox<string>(scene.name());
  const day = 86_400_000;
  await box.send("tomorrow", { delayMs: day });
  await box.send("soon", { delayMs: 200 });
  await box.send("gone", { ttlMs: 1 });
  await box.send("once", { id: "chosen" });
  await restarted(scene, bus);
  expect(await patiently(() => box.send("twice", { id: "chosen" }))).toMatchObject({ duplicate: true });
  const receiving = collect(await box.receive());
  await receiving.atLeast(2);
  expect(receiving.items.map(({ data }) => data).toSorted()).toEqual(["once", "soon"]);
  await Promise.all(receiving.items.map((letter) => letter.ack()));
  expect(await box.info()).toMatchObject({ delayed: 1 });
}

async function keyedLetters(scene: Scene): Promise<void> {
  const bus = await scene.connect();
  const box = await bus.mailbox<number>(scene.name());
  for (const n of range(6)) await box.send(n, { key: `k${n % 2}` });
  const receiving = collect(await box.receive());
  await receiving.atLeast(2);
  await restarted(scene, bus);
  for (const at of range(6)) {
    await receiving.atLeast(at + 1);
    await receiving.items[at]!.ack();
  }
  const numbers = receiving.items.map(({ data }) => data);
  expect(numbers.filter((n) => n % 2 === 0)).toEqual([0, 2, 4]);
  expect(numbers.filter((n) => n % 2 === 1)).toEqual([1, 3, 5]);
}

async function entries(scene: Scene): Promise<void> {
  const bus = await scene.connect();
  const log = await bus.log<number>(scene.name(), { maxMessages: 50 });
  for (const n of range(60)) await log.append(`s.${n % 3}`, n, { id: `id-${n}` });
  const before = await gather(log.read({ to: "end" }));
  const member = collect(await log.subscribe({ durable: "d", from: "first", maxInFlight: 5, leaseMs: 60_000 }));
  await member.atLeast(5);
  await Promise.all(member.items.slice(0, 3).map((entry) => entry.ack()));
  await restarted(scene, bus);
  expect(await gather(log.read({ to: "end" }))).toEqual(before);
  expect(await patiently(() => log.append("s.0", 0, { id: "id-30" }))).toEqual({ seq: 31, duplicate: true });
  await rejection(log.append("s.0", 1, { expectLast: 3 }), "conflict");
  expect((await log.append("s.0", 60, { expectLast: 58 })).seq).toBe(61);
  // Where its members left off: what one holds, and then the rest, each once.
  const acknowledged = new Set(member.items.slice(0, 3));
  await eventually("the rest", async () => {
    for (const entry of member.items) if (!acknowledged.has(entry)) await settled(entry, acknowledged);
    return member.items.some(({ data }) => data === 60);
  });
  const sequences = member.items.map(({ seq }) => seq);
  expect(sequences).toEqual(
    range(50)
      .map((n) => n + 11)
      .concat(61),
  );
}

/** What they hold they can settle, also where the broker has forgotten that it lent it and may lend it to another again. */
async function members(scene: Scene): Promise<void> {
  const [bus, other] = [await scene.connect(), await scene.connect()];
  const log = await bus.log<number>(scene.name());
  for (const n of range(12)) await log.append("s", n);
  const options = { durable: "d", from: "first", maxInFlight: 3, leaseMs: 60_000 } as const;
  const mine = collect(await log.subscribe(options));
  await mine.atLeast(3);
  const theirs = collect(await (await other.log<number>(log.name)).subscribe(options));
  await theirs.atLeast(3);
  const [extended, returned, ...held] = [...theirs.items.slice(0, 3), ...mine.items.slice(0, 3)];
  await restarted(scene, bus, other);
  await Promise.all([extended!.extend(70_000), returned!.nak(), ...held.map((entry) => entry.ack())]);
  await extended!.ack();
  const acknowledged = new Set([extended!, ...held]);
  await eventually("the rest", async () => {
    const items = [...mine.items, ...theirs.items].filter((entry) => entry !== returned);
    for (const entry of items) if (!acknowledged.has(entry)) await settled(entry, acknowledged);
    return new Set([...acknowledged].map(({ seq }) => seq)).size === 12;
  });
}

async function settled<T>(entry: Delivery<T>, acknowledged: Set<Delivery<T>>): Promise<void> {
  acknowledged.add(entry);
  await entry.ack();
}

async function tuples(scene: Scene): Promise<void> {
  const bus = await scene.connect();
  const space = await bus.space(scene.name(), { capacity: 100 });
  for (const n of range(10)) await space.out(["t", n]);
  const lease = await space.out(["leased", 1], { leaseMs: 600_000 });
  await space.out(["brief"], { leaseMs: 1 });
  const claim = await space.claim(["t", 0], { leaseMs: 60_000 });
  const other = await space.claim(["t", 1], { leaseMs: 60_000 });
  expect(await space.in(["t", 2])).toEqual(["t", 2]);
  await restarted(scene, bus);
  expect(await space.rdAll(["t", Number])).toEqual(range(7).map((n) => ["t", n + 3]));
  expect(await space.count(["brief"])).toBe(0);
  await claim.nak();
  await other.ack();
  expect(await space.in(["t", Number])).toEqual(["t", 0]);
  await lease.renew(700_000);
  await lease.cancel();
  expect(await space.count(["leased", Number])).toBe(0);
  await rejection(bus.space(space.name, { capacity: 1 }), "conflict");
}

/** Takers and putters go on while the broker is killed: each tuple is taken once, or is still there. */
async function takes(scene: Scene): Promise<void> {
  const [putter, taker] = [await scene.connect({ requestTimeoutMs: 20_000 }), await scene.connect()];
  const name = scene.name();
  const [space, same] = [await putter.space(name), await taker.space(name)];
  const ending = new AbortController();
  const taken: number[] = [];
  const takers = range(8).map(async () => {
    while (!ending.signal.aborted) {
      try {
        taken.push((await same.in(["t", Number], { signal: ending.signal }))[1]);
      } catch (error) {
        // Unknown outcomes go on; a connection that was closed, by a clause that failed, does not.
        if ((error as BusError).code !== "indefinite") return;
      }
    }
  });
  const put = new Set<number>();
  const unknown = new Set<number>();
  let next = 0;
  let putting = true;
  const putters = range(8).map(async () => {
    while (putting) {
      const n = next++;
      await space.out(["t", n]).then(
        () => put.add(n),
        (error: BusError) => {
          unknown.add(n);
          if (error.code === "closed") putting = false;
        },
      );
    }
  });
  for (const _ of range(3)) {
    const mark = put.size + 50;
    await eventually("some puts", () => put.size >= mark);
    await restarted(scene, putter, taker);
  }
  putting = false;
  await guard(Promise.all(putters), "the putters");
  await eventually("every tuple to be taken", async () => (await space.count(["t", Number])) === 0);
  await eventually("what was taken to arrive", () => [...put].every((n) => taken.includes(n)));
  ending.abort();
  await guard(Promise.all(takers), "the takers");
  expect(taken).toHaveLength(new Set(taken).size);
  expect(taken.filter((n) => !put.has(n) && !unknown.has(n))).toEqual([]);
}

async function destroyed(scene: Scene): Promise<void> {
  const [bus, other] = [await scene.connect(), await scene.connect()];
  const name = scene.name();
  const [box, log, space] = [await bus.mailbox<number>(name), await bus.log<number>(name), await bus.space(name)];
  await Promise.all([box.send(1), log.append("s", 1), space.out(["t"])]);
  const [otherBox, otherSpace] = [await other.mailbox<number>(name), await other.space(name)];
  await Promise.all([otherBox.destroy(), (await other.log(name)).destroy(), otherSpace.destroy()]);
  await restarted(scene, other);
  for (const kind of ["mailbox", "log", "space"] as const) expect(await other.list(kind)).not.toContain(name);
  expect(await (await other.mailbox(name)).info()).toMatchObject({ waiting: 0 });
}

/** What a broker that keeps what it acknowledged promises, when it is killed and started again on what it has kept. */
export const keepingClauses: readonly Clause[] = [
  durableClause("kept/letters", "after a kill letters are there, dead ones too, settled ones are not", letters),
  durableClause("kept/leases", "after a kill a letter is held by who held it, its attempts counted", heldLetters),
  durableClause("kept/time", "after a kill delays, lifetimes and chosen ids are what they were", laterLetters),
  durableClause("kept/keys", "after a kill letters of one key are handled one at a time, in order", keyedLetters),
  durableClause("kept/entries", "after a kill a log is the same, and its durables go on where they were", entries),
  durableClause(
    "kept/members",
    "after a kill the members of a durable settle what they hold; nothing is lost",
    members,
  ),
  durableClause("kept/tuples", "after a kill tuples are in their places, with their leases and claims", tuples),
  durableClause("kept/takes", "amid kills no tuple is taken twice, and none is lost", takes),
  durableClause("kept/destroyed", "what was destroyed stays so after a kill", destroyed),
];
