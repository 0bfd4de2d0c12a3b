import type { Log, LogEntry } from "@quadrant/contract";
import { expect } from "vitest";
import { type Clause, clause } from "./clause.ts";
import { collect, gather, next } from "./collected.ts";
import { eventually, guard } from "./guard.ts";
import { brokenJson, numbers } from "./planted.ts";
import { range } from "./range.ts";
import { rejection } from "./rejection.ts";
import type { Scene } from "./scene.ts";

async function fresh<T = unknown>(scene: Scene): Promise<Log<T>> {
  const log = await scene.bus.log<T>(scene.name());
  scene.own({ [Symbol.asyncDispose]: () => log.destroy() });
  return log;
}

async function filled(scene: Scene, count: number): Promise<Log<number>> {
  const log = await fresh<number>(scene);
  for (const n of range(count)) await log.append(`s.${n % 3}`, n);
  return log;
}

const data = <T>(entries: readonly LogEntry<T>[]): T[] => entries.map((entry) => entry.data);

async function storedInOrder(scene: Scene): Promise<void> {
  const log = await fresh<{ n: number }>(scene);
  const before = Date.now();
  for (const n of range(5)) {
    expect(await log.append("a.b", { n }, { headers: { n: String(n) }, id: `id-${n}` })).toEqual({
      seq: n + 1,
      duplicate: false,
    });
  }
  const entries = await gather(log.read({ to: "end" }));
  expect(entries.map((entry) => entry.seq)).toEqual([1, 2, 3, 4, 5]);
  expect(data(entries)).toEqual(range(5).map((n) => ({ n })));
  const [first] = entries;
  expect(first).toMatchObject({ subject: "a.b", headers: { n: "0" }, id: "id-0" });
  expect(first!.time).toBeInstanceOf(Date);
  expect(Math.abs(first!.time.getTime() - before)).toBeLessThan(60_000);
  const info = await log.info();
  expect(info).toMatchObject({ first: 1, last: 5, count: 5 });
  expect(info.bytes).toBeGreaterThan(0);
}

async function totalOrder(scene: Scene): Promise<void> {
  const log = await fresh<string>(scene);
  const same = await scene.other.log<string>(log.name);
  await Promise.all(range(200).map((n) => (n % 2 === 0 ? log : same).append(`s.${n % 5}`, `${n}`)));
  const [one, two] = await Promise.all([gather(log.read({ to: "end" })), gather(same.read({ to: "end" }))]);
  expect(one.map((entry) => entry.seq)).toEqual(range(200).map((n) => n + 1));
  expect(two).toEqual(one);
  expect(new Set(data(one)).size).toBe(200);
  for (const parity of [0, 1]) {
    const own = data(one)
      .map(Number)
      .filter((n) => n % 2 === parity);
    expect(own).toEqual(own.toSorted((a, b) => a - b));
  }
  expect(await gather(log.read({ to: "end" }))).toEqual(one);
}

async function dedupes(scene: Scene): Promise<void> {
  const log = await fresh<number>(scene);
  const same = await scene.other.log<number>(log.name);
  const first = await log.append("s", 1, { id: "x" });
  expect(await same.append("s", 2, { id: "x" })).toEqual({ seq: first.seq, duplicate: true });
  const racing = await Promise.all(range(8).map((n) => (n % 2 === 0 ? log : same).append("s", n, { id: "y" })));
  expect(racing.filter((outcome) => !outcome.duplicate)).toHaveLength(1);
  expect(new Set(racing.map((outcome) => outcome.seq)).size).toBe(1);
  expect((await log.info()).count).toBe(2);
}

async function expectsLast(scene: Scene): Promise<void> {
  const log = await fresh<number>(scene);
  expect((await log.append("a", 1, { expectLast: 0 })).seq).toBe(1);
  expect((await log.append("b", 2, { expectLast: 0 })).seq).toBe(2);
  await rejection(log.append("a", 3, { expectLast: 0 }), "conflict");
  await rejection(log.append("a", 3, { expectLast: 2 }), "conflict");
  expect((await log.append("a", 3, { expectLast: 1 })).seq).toBe(3);
  expect((await log.info()).count).toBe(3);
}

async function oneWins(scene: Scene): Promise<void> {
  const log = await fresh<number>(scene);
  const same = await scene.other.log<number>(log.name);
  let last = 0;
  for (const round of range(scene.rounds(50))) {
    const outcomes = await Promise.allSettled(
      range(8).map((n) => (n % 2 === 0 ? log : same).append("s", round * 8 + n, { expectLast: last })),
    );
    const won = outcomes.filter((outcome) => outcome.status === "fulfilled");
    expect(won).toHaveLength(1);
    for (const outcome of outcomes) {
      if (outcome.status === "rejected") expect(outcome.reason).toMatchObject({ code: "conflict" });
    }
    last = won[0]!.value.seq;
  }
  expect((await log.info()).count).toBe(scene.rounds(50));
}

async function follows(scene: Scene): Promise<void> {
  const log = await filled(scene, 3);
  const controller = new AbortController();
  const following = collect(log.read({ signal: controller.signal }));
  await following.atLeast(3);
  const same = await scene.other.log<number>(log.name);
  for (const n of [3, 4]) await same.append("s", n);
  await following.atLeast(5);
  expect(data(following.items)).toEqual([0, 1, 2, 3, 4]);
  controller.abort();
  await guard(following.ended, "the reading loop to end");
}

async function stopsAtTheEnd(scene: Scene): Promise<void> {
  const log = await filled(scene, 600);
  const seen: number[] = [];
  for await (const entry of log.read({ to: "end" })) {
    if (seen.length < 100) await log.append("later", -1);
    seen.push(entry.data);
  }
  expect(seen).toEqual(range(600));
  const none = await fresh(scene);
  expect(await gather(none.read({ to: "end" }))).toEqual([]);
}

async function startsWhereTold(scene: Scene): Promise<void> {
  const log = await filled(scene, 6);
  expect(data(await gather(log.read({ from: { seq: 4 }, to: "end" })))).toEqual([3, 4, 5]);
  expect(data(await gather(log.read({ from: { time: new Date(0) }, to: "end" })))).toEqual(range(6));
  expect(data(await gather(log.read({ from: { time: new Date(Date.now() + 3_600_000) }, to: "end" })))).toEqual([]);
  expect(data(await gather(log.read({ from: "new", to: "end" })))).toEqual([]);
  const entries = await gather(log.read({ to: "end" }));
  const { time } = entries[3]!;
  const since = await gather(log.read({ from: { time }, to: "end" }));
  expect(since).toEqual(entries.filter((entry) => entry.time >= time));
}

async function startsAtNew(scene: Scene): Promise<void> {
  const log = await filled(scene, 3);
  const following = collect(log.read({ from: "new" }));
  // Where "new" begins is decided when the broker hears of it: append until something arrives.
  const seqs: number[] = [];
  await eventually("an entry", async () => {
    seqs.push((await log.append("s", -1)).seq);
    return following.items.length > 0;
  });
  const [first] = following.items;
  expect(seqs).toContain(first!.seq);
}

async function filters(scene: Scene): Promise<void> {
  const log = await fresh<number>(scene);
  for (const [n, subject] of ["a.b", "a.c", "b.b", "a.b.c", "a.b"].entries()) await log.append(subject, n);
  expect(data(await gather(log.read({ filter: "a.*", to: "end" })))).toEqual([0, 1, 4]);
  expect(data(await gather(log.read({ filter: "a.>", to: "end" })))).toEqual([0, 1, 3, 4]);
  expect(data(await gather(log.read({ filter: "*.b", to: "end" })))).toEqual([0, 2, 4]);
  expect(data(await gather(log.read({ filter: "x", to: "end" })))).toEqual([]);
  expect((await log.last("a.b"))?.data).toBe(4);
  expect((await log.last("a.c"))?.seq).toBe(2);
  expect(await log.last("nothing")).toBeUndefined();
}

async function apartFromTopics(scene: Scene): Promise<void> {
  const log = await fresh<string>(scene);
  const subject = `${scene.name()}.x`;
  const live = collect(scene.own(await scene.bus.subscribe<string>(subject)));
  await log.append(subject, "stored");
  await scene.bus.publish(subject, "live");
  await live.atLeast(1);
  expect(live.items.map((message) => message.data)).toEqual(["live"]);
  expect(data(await gather(log.read({ to: "end" })))).toEqual(["stored"]);
}

async function destroyed(scene: Scene): Promise<void> {
  const log = await filled(scene, 3);
  expect(await scene.other.list("log")).toContain(log.name);
  await log.destroy();
  expect(await scene.other.list("log")).not.toContain(log.name);
  const again = await scene.bus.log<number>(log.name, { maxMessages: 7 });
  expect(await again.info()).toMatchObject({ count: 0 });
  expect((await again.append("s", 1)).duplicate).toBe(false);
}

async function validates(scene: Scene): Promise<void> {
  const log = await scene.bus.log<number>(scene.name(), { schema: numbers });
  await rejection(log.append("s", "text" as unknown as number), "invalid");
  await log.append("s", 1);
  expect(data(await gather(log.read({ to: "end" })))).toEqual([1]);
}

async function unreadable(scene: Scene): Promise<void> {
  const log = await fresh<number>(scene);
  await log.append("s", 1);
  const broken = await (await scene.connect({ codec: brokenJson })).log(log.name);
  const { seq } = await broken.append("s", 2);
  const iterator = log.read({ to: "end" })[Symbol.asyncIterator]();
  expect((await next(iterator)).data).toBe(1);
  const error = await rejection(iterator.next(), "codec");
  expect(error.message).toContain(String(seq));
}

export const logClauses: readonly Clause[] = [
  clause("log/append", "an append resolves once stored, with its sequence, and is read back whole", storedInOrder),
  clause("log/total-order", "appends of all connections have one order, the same for all who read", totalOrder),
  clause("log/dedupe", "an id given again stores nothing and returns the first sequence", dedupes),
  clause("log/expect-last", "expectLast holds for the subject, else conflict and nothing stored", expectsLast),
  clause("log/expect-last-race", "of 8 concurrent appends with one expectation exactly one wins", oneWins),
  clause("log/follow", "a read follows what is appended later, until its signal", follows),
  clause("log/to-end", "to: end stops at what was last when it began", stopsAtTheEnd),
  clause("log/from", "a read starts at the sequence or time it names", startsWhereTold),
  clause("log/from-new", "a read from new yields what is appended later", startsAtNew),
  clause("log/filter", "a filter picks subjects; last is the newest of a subject", filters),
  clause("log/apart-from-topics", "append reaches no live subscriber, publish stores nothing", apartFromTopics),
  clause("log/destroy", "a destroyed log is gone with its entries and options", destroyed),
  clause("log/schema", "what fails the schema is not appended", validates),
  clause("log/unreadable", "a read that meets what it cannot decode throws codec and names the entry", unreadable),
];
