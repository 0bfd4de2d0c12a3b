import type { Delivery, Mailbox } from "@quadrant/contract";
import { expect } from "vitest";
import { type Clause, clause } from "./clause.ts";
import { next } from "./collected.ts";
import { eventually } from "./guard.ts";
import { bodies, consume } from "./mailbox.ts";
import { brokenBytes, brokenJson, numbers } from "./planted.ts";
import { range } from "./range.ts";
import { rejection } from "./rejection.ts";
import type { Scene } from "./scene.ts";

class NoGood extends Error {
  override readonly name = "NoGood";
  readonly code = "E_NO_GOOD";
}

async function receive<T>(scene: Scene, box: Mailbox<T>): Promise<AsyncIterator<Delivery<T>>> {
  return scene.own(await box.receive())[Symbol.asyncIterator]();
}

async function givenBack(scene: Scene): Promise<void> {
  const box = await scene.bus.mailbox<number>(scene.name());
  await box.sendMany([1, 2]);
  const letters = await receive(scene, box);
  const attempts: number[] = [];
  for (let acknowledged = 0; acknowledged < 2; ) {
    const letter = await next(letters);
    if (letter.data === 1) attempts.push(letter.attempt);
    if (letter.data === 1 && letter.attempt < 4) await letter.nak();
    else {
      await letter.ack();
      acknowledged++;
    }
  }
  expect(attempts).toEqual([1, 2, 3, 4]);
  expect(await box.info()).toEqual({ waiting: 0, held: 0, delayed: 0, dead: 0 });
}

async function diesOnce(scene: Scene): Promise<void> {
  const box = await scene.bus.mailbox<{ n: number }>(scene.name(), { maxAttempts: 3 });
  const { id } = await box.send({ n: 1 }, { headers: { h: "Größe" } });
  const letters = await receive(scene, box);
  const before = Date.now();
  for (const attempt of [1, 2, 3]) {
    const letter = await next(letters);
    expect(letter.attempt).toBe(attempt);
    await letter.nak({ error: new NoGood(`attempt ${attempt} was no good`) });
  }
  await box.send({ n: 2 });
  const marker = await next(letters);
  expect(marker.data).toEqual({ n: 2 });
  await marker.ack();
  const dead = await box.deadLetters();
  expect(dead).toHaveLength(1);
  expect(dead[0]).toMatchObject({ id, data: { n: 1 }, headers: { h: "Größe" }, attempt: 3 });
  expect(dead[0]!.error).toEqual({ code: "E_NO_GOOD", message: "attempt 3 was no good" });
  expect(Math.abs(dead[0]!.diedAt.getTime() - before)).toBeLessThan(60_000);
  expect(dead[0]!.sentAt.getTime()).toBeLessThanOrEqual(dead[0]!.diedAt.getTime());
  expect(await box.info()).toEqual({ waiting: 0, held: 0, delayed: 0, dead: 1 });
}

async function crashesCount(scene: Scene): Promise<void> {
  const box = await scene.bus.mailbox<number>(scene.name(), { maxAttempts: 2 });
  await box.send(1);
  const loser = scene.own(await box.receive({ leaseMs: 40, autoExtend: false }))[Symbol.asyncIterator]();
  expect((await next(loser)).attempt).toBe(1);
  expect((await next(loser)).attempt).toBe(2);
  await eventually("the dead letter", async () => (await box.info()).dead === 1);
  const dead = await box.deadLetters();
  expect(dead).toHaveLength(1);
  expect(dead[0]).toMatchObject({ data: 1, attempt: 2 });
  expect(dead[0]!.error.message).not.toBe("");
}

async function rejected(scene: Scene): Promise<void> {
  const box = await scene.bus.mailbox<number>(scene.name());
  await box.sendMany([1, 2]);
  const letters = await receive(scene, box);
  await (await next(letters)).reject(new NoGood("at once"));
  await (await next(letters)).reject();
  const dead = await box.deadLetters();
  expect(dead.map(({ data, attempt }) => [data, attempt])).toEqual([
    [1, 1],
    [2, 1],
  ]);
  expect(dead[0]!.error).toEqual({ code: "E_NO_GOOD", message: "at once" });
  expect(dead[1]!.error.message).not.toBe("");
}

async function redriven(scene: Scene): Promise<void> {
  const box = await scene.bus.mailbox<number>(scene.name(), { maxAttempts: 1 });
  await box.sendMany(range(5));
  const letters = await receive(scene, box);
  for (const _ of range(5)) await (await next(letters)).nak();
  const dead = await box.deadLetters();
  expect(bodies(dead)).toEqual(range(5));
  expect(await box.deadLetters(2)).toHaveLength(2);
  expect(await box.redrive({ ids: [dead[3]!.id, "no such letter"] })).toBe(1);
  const third = await next(letters);
  expect(third).toMatchObject({ id: dead[3]!.id, data: 3, attempt: 1 });
  await third.ack();
  expect(await box.redrive({ limit: 2 })).toBe(2);
  const again = [await next(letters), await next(letters)];
  expect(bodies(again)).toEqual([0, 1]);
  for (const letter of again) await letter.ack();
  expect(await box.redrive()).toBe(2);
  expect(await box.redrive()).toBe(0);
  for (const _ of range(2)) await (await next(letters)).ack();
  expect(await box.info()).toEqual({ waiting: 0, held: 0, delayed: 0, dead: 0 });
}

async function isolated(scene: Scene): Promise<void> {
  const box = await scene.bus.mailbox<{ list: number[] }>(scene.name(), { maxAttempts: 2 });
  await box.send({ list: [1] }, { headers: { h: "1" } });
  const letters = await receive(scene, box);
  for (const _ of range(2)) {
    const letter = await next(letters);
    expect(letter).toMatchObject({ data: { list: [1] }, headers: { h: "1" } });
    letter.data.list.push(2);
    try {
      (letter.headers as Record<string, string>).h = "2";
    } catch {
      // Frozen is as good as a copy.
    }
    await letter.nak();
  }
  expect((await box.deadLetters())[0]).toMatchObject({ data: { list: [1] }, headers: { h: "1" } });
}

async function refusedBySchema(scene: Scene): Promise<void> {
  const box = await scene.bus.mailbox<number>(scene.name(), { schema: numbers });
  await rejection(box.send("text" as unknown as number), "invalid");
  expect(await box.info()).toEqual({ waiting: 0, held: 0, delayed: 0, dead: 0 });
  const untyped = await scene.other.mailbox(box.address);
  await untyped.sendMany(["text", 2]);
  expect(bodies(await consume(box, 1))).toEqual([2]);
  const dead = await eventually("the dead letter", async () => {
    const all = await untyped.deadLetters();
    return all.length > 0 && all;
  });
  expect(dead.map((letter) => [letter.data, letter.error.code])).toEqual([["text", "invalid"]]);
}

async function undecodable(scene: Scene): Promise<void> {
  const box = await scene.bus.mailbox<unknown>(scene.name());
  const broken = await (await scene.connect({ codec: brokenJson })).mailbox(box.address);
  await broken.send("whatever");
  await box.send(2);
  expect(bodies(await consume(box, 1))).toEqual([2]);
  const dead = await eventually("the dead letter", async () => {
    const all = await box.deadLetters();
    return all.length > 0 && all;
  });
  expect(dead.map((letter) => [letter.data, letter.error.code])).toEqual([[brokenBytes, "codec"]]);
}

/** Workers that fail at random, some by letting the lease run out: nothing is lost, nothing is doubled beyond that. */
async function conserved(scene: Scene): Promise<void> {
  const box = await scene.bus.mailbox<number>(scene.name(), { maxAttempts: 4 });
  const count = 300;
  await box.sendMany(range(count));
  const done = new Set<number>();
  const inHand = new Set<number>();
  const workers = await Promise.all(
    range(4).map(async (who) => {
      const bus = who % 2 === 0 ? scene.bus : scene.other;
      const same = await bus.mailbox<number>(box.address);
      return same.process(
        async (letter) => {
          expect(inHand.has(letter.data), "two holders at once").toBe(false);
          inHand.add(letter.data);
          await new Promise((resolve) => setImmediate(resolve));
          inHand.delete(letter.data);
          const fate = (letter.data * 7 + letter.attempt * 13) % 10;
          if (fate < 4) throw new NoGood("not this time");
          if (fate === 4) await letter.reject(new NoGood("never"));
          else done.add(letter.data);
        },
        { concurrency: 4, backoff: () => who },
      );
    }),
  );
  await eventually("every letter's end", async () => {
    const info = await box.info();
    return info.waiting + info.held + info.delayed === 0 && done.size + info.dead >= count;
  });
  await Promise.all(workers.map((worker) => worker[Symbol.asyncDispose]()));
  const dead = bodies(await box.deadLetters(count));
  expect(new Set([...dead, ...done]).size).toBe(count);
  expect(dead.length + done.size).toBe(count);
  expect(dead.length).toBeGreaterThan(0);
}

export const mailboxFailureClauses: readonly Clause[] = [
  clause("failure/nak", "a letter given back comes again, its attempt counted", givenBack),
  clause("failure/dead-once", "after maxAttempts a letter is dead, once, whole, with its error and attempts", diesOnce),
  clause("failure/crashes-count", "a lost lease counts as an attempt, up to the dead letters", crashesCount),
  clause("failure/reject", "reject sends a letter straight to the dead letters", rejected),
  clause("failure/redrive", "redrive brings dead letters back with a fresh count: all, some, or by id", redriven),
  clause("failure/isolation", "what a handler does to a letter does not reach its next attempt", isolated),
  clause("failure/schema", "what fails the schema is not sent, and dead where another sent it", refusedBySchema),
  clause("failure/undecodable", "a letter that cannot be decoded is dead, its bytes kept", undecodable),
  clause("failure/conservation", "sent is handled plus dead, whatever the workers do", conserved),
];
