import type { Delivery, Mailbox } from "@quadrant/contract";
import { expect } from "vitest";
import { type Clause, clause } from "./clause.ts";
import { collect, next } from "./collected.ts";
import { eventually, guard } from "./guard.ts";
import { range } from "./range.ts";
import { rejection } from "./rejection.ts";
import type { Scene } from "./scene.ts";

/** The next `count` letters, acknowledged; then the receiver leaves. */
export async function consume<T>(box: Mailbox<T>, count: number): Promise<Delivery<T>[]> {
  const letters: Delivery<T>[] = [];
  const receiver = await box.receive();
  const iterator = receiver[Symbol.asyncIterator]();
  while (letters.length < count) {
    const letter = await next(iterator);
    await letter.ack();
    letters.push(letter);
  }
  await receiver[Symbol.asyncDispose]();
  return letters;
}

export const bodies = <T>(letters: readonly { readonly data: T }[]): T[] => letters.map((letter) => letter.data);

async function held(scene: Scene): Promise<void> {
  const address = `${scene.name()}.box`;
  const sender = await scene.connect();
  const { id, duplicate } = await (await sender.mailbox(address)).send({ n: 1 }, { headers: { "x-kind": "Größe 🎉" } });
  await sender.close();
  expect(duplicate).toBe(false);
  expect(id).not.toBe("");
  const [letter] = await consume(await scene.other.mailbox(address), 1);
  expect(letter).toMatchObject({ id, subject: address, data: { n: 1 }, headers: { "x-kind": "Größe 🎉" }, attempt: 1 });
}

async function fifo(scene: Scene): Promise<void> {
  const box = await scene.bus.mailbox<number>(scene.name());
  const sending = range(400).map((n) => box.send(n));
  const ids = (await Promise.all(sending)).map((sent) => sent.id);
  expect(new Set(ids).size).toBe(400);
  const letters = await consume(await scene.other.mailbox<number>(box.address), 400);
  expect(bodies(letters)).toEqual(range(400));
  expect(letters.map((letter) => letter.id)).toEqual(ids);
  expect(await box.info()).toEqual({ waiting: 0, held: 0, delayed: 0, dead: 0 });
}

async function competing(scene: Scene): Promise<void> {
  const box = await scene.bus.mailbox<number>(scene.name());
  const same = await scene.other.mailbox<number>(box.address);
  const seen: number[] = [];
  const workers = await Promise.all(
    [box, same, same].map((each) => each.process((letter) => void seen.push(letter.data))),
  );
  await Promise.all(range(300).map((n) => same.send(n)));
  await eventually("300 letters", () => seen.length >= 300);
  await Promise.all(workers.map((worker) => worker[Symbol.asyncDispose]()));
  expect(seen.toSorted((a, b) => a - b)).toEqual(range(300));
  expect(workers.reduce((sum, worker) => sum + worker.processed, 0)).toBe(300);
  expect(await box.info()).toEqual({ waiting: 0, held: 0, delayed: 0, dead: 0 });
}

async function waitingReceiver(scene: Scene): Promise<void> {
  const box = await scene.bus.mailbox<number>(scene.name());
  const letters = collect(scene.own(await box.receive()));
  const same = await scene.other.mailbox<number>(box.address);
  for (const n of range(3)) {
    await same.send(n);
    await letters.atLeast(n + 1);
    await letters.items[n]!.ack();
  }
  expect(bodies(letters.items)).toEqual(range(3));
}

async function continues(scene: Scene): Promise<void> {
  const box = await scene.bus.mailbox<number>(scene.name());
  await box.sendMany(range(500));
  const seen = new Set<number>();
  for (const batch of [7, 93, 150, 250]) {
    for (const letter of await consume(batch % 2 === 0 ? box : await scene.other.mailbox<number>(box.address), batch)) {
      expect(letter.attempt).toBe(1);
      seen.add(letter.data);
    }
  }
  expect(seen.size).toBe(500);
}

async function apart(scene: Scene): Promise<void> {
  const name = scene.name();
  const boxes = await Promise.all(["a", "b"].map((end) => scene.bus.mailbox<string>(`${name}.${end}`)));
  for (const box of boxes) await box.send(`for ${box.address}`);
  for (const box of boxes) expect(bodies(await consume(box, 1))).toEqual([`for ${box.address}`]);
}

async function many(scene: Scene): Promise<void> {
  const box = await scene.bus.mailbox<number>(scene.name());
  const sent = await box.sendMany(range(1_000), { headers: { of: "many" } });
  expect(new Set(sent.map(({ id }) => id)).size).toBe(1_000);
  expect(await box.sendMany([])).toEqual([]);
  const letters = await consume(box, 1_000);
  expect(bodies(letters)).toEqual(range(1_000));
  expect(letters.map(({ id }) => id)).toEqual(sent.map(({ id }) => id));
  expect(letters[999]?.headers).toEqual({ of: "many" });
  await rejection(box.sendMany([1], { id: "x" } as object), "invalid");
}

async function manyInPart(scene: Scene): Promise<void> {
  const box = await scene.bus.mailbox<number>(scene.name(), { capacity: 5 });
  const error = await rejection(box.sendMany(range(8)), "overflow");
  expect(error.sent).toHaveLength(5);
  expect((await box.info()).waiting).toBe(5);
  const letters = await consume(box, 5);
  expect(bodies(letters)).toEqual(range(5));
  expect(letters.map(({ id }) => id)).toEqual(error.sent!.map(({ id }) => id));
}

async function capacity(scene: Scene): Promise<void> {
  const box = await scene.bus.mailbox<number>(scene.name(), { capacity: 3 });
  for (const n of range(3)) await box.send(n);
  await rejection(box.send(3), "overflow");
  expect((await rejection(box.send(3), "overflow")).retryable).toBe(true);
  await consume(box, 1);
  await box.send(4);
  expect(bodies(await consume(box, 3))).toEqual([1, 2, 4]);
}

async function dedupes(scene: Scene): Promise<void> {
  const box = await scene.bus.mailbox<number>(scene.name());
  const same = await scene.other.mailbox<number>(box.address);
  expect(await box.send(1, { id: "x" })).toEqual({ id: "x", duplicate: false });
  expect(await same.send(2, { id: "x" })).toEqual({ id: "x", duplicate: true });
  const racing = await Promise.all(range(8).map((n) => (n % 2 === 0 ? box : same).send(n, { id: "y" })));
  expect(racing.filter((sent) => !sent.duplicate)).toHaveLength(1);
  expect((await consume(box, 2)).map((letter) => letter.id)).toEqual(["x", "y"]);
  // The window outlives the letter.
  expect((await box.send(3, { id: "x" })).duplicate).toBe(true);
  await box.send(4);
  expect(bodies(await consume(box, 1))).toEqual([4]);
}

async function looked(scene: Scene): Promise<void> {
  const box = await scene.bus.mailbox<number>(scene.name());
  const before = Date.now();
  await box.sendMany(range(5), { headers: { h: "1" } });
  expect(bodies(await box.peek(3))).toEqual([0, 1, 2]);
  const [oldest] = await box.peek();
  expect(oldest).toMatchObject({ data: 0, headers: { h: "1" } });
  expect(Math.abs(oldest!.sentAt.getTime() - before)).toBeLessThan(60_000);
  expect(await box.info()).toMatchObject({ waiting: 5, held: 0 });
  expect(await box.purge()).toBe(5);
  expect(await box.purge()).toBe(0);
  expect(await box.peek()).toEqual([]);
  await box.send(9);
  expect(bodies(await consume(box, 1))).toEqual([9]);
}

async function destroyed(scene: Scene): Promise<void> {
  const box = await scene.bus.mailbox<number>(scene.name(), { capacity: 1 });
  await box.send(1);
  expect(await scene.other.list("mailbox")).toContain(box.address);
  await box.destroy();
  expect(await scene.other.list("mailbox")).not.toContain(box.address);
  const again = await scene.bus.mailbox<number>(box.address, { capacity: 2 });
  await again.sendMany([2, 3]);
  expect(bodies(await consume(again, 2))).toEqual([2, 3]);
}

async function options(scene: Scene): Promise<void> {
  const address = scene.name();
  const box = await scene.bus.mailbox<number>(address, { capacity: 2, maxAttempts: 3 });
  await rejection(scene.other.mailbox(address, { capacity: 3 }), "conflict");
  await rejection(scene.other.mailbox(address, { maxAttempts: 4 }), "conflict");
  await scene.other.mailbox(address);
  await scene.other.mailbox(address, { capacity: 2 });
  await box.sendMany([1, 2]);
  await rejection(box.send(3), "overflow");
}

async function ends(scene: Scene): Promise<void> {
  const box = await scene.bus.mailbox<number>(scene.name());
  const controller = new AbortController();
  const bySignal = collect(await box.receive({ signal: controller.signal }));
  const disposed = await box.receive();
  const byDispose = collect(disposed);
  controller.abort();
  await guard(bySignal.ended, "the aborted loop to end");
  await guard(disposed[Symbol.asyncDispose](), "the dispose of an idle receiver");
  await guard(byDispose.ended, "the disposed loop to end");
  await rejection(box.receive({ signal: controller.signal }), "aborted");
  await box.send(1);
  expect((await consume(box, 1))[0]?.attempt).toBe(1);
}

export const mailboxClauses: readonly Clause[] = [
  clause("mailbox/held", "a letter waits for an owner who comes after its sender has gone", held),
  clause("mailbox/fifo", "the letters of one sender arrive in its order, unaltered", fifo),
  clause("mailbox/competing", "several receivers share the letters, each handled once", competing),
  clause("mailbox/waiting", "a receiver that waits gets a letter as it is sent", waitingReceiver),
  clause("mailbox/continue", "receivers that come and go lose nothing and spend no attempt", continues),
  clause("mailbox/apart", "mailboxes do not mix", apart),
  clause("mailbox/send-many", "sendMany keeps the order and returns the ids", many),
  clause("mailbox/send-many-partial", "a sendMany that fails part-way lists what was accepted", manyInPart),
  clause("mailbox/capacity", "beyond its capacity a mailbox refuses with overflow, and recovers", capacity),
  clause("mailbox/dedupe", "an id given again sends nothing, also after its letter is gone", dedupes),
  clause("mailbox/peek-purge", "peek looks without taking; purge removes and counts", looked),
  clause("mailbox/destroy", "a destroyed mailbox is gone with its letters and options", destroyed),
  clause("mailbox/options", "options of a mailbox that exists: left out they stay, different they conflict", options),
  clause("mailbox/receive-end", "an idle receiver ends by its signal or its dispose", ends),
];
