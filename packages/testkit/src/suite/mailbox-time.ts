import { expect } from "vitest";
import { type Clause, clause } from "./clause.ts";
import { collect, next } from "./collected.ts";
import { eventually } from "./guard.ts";
import { bodies, consume } from "./mailbox.ts";
import type { Scene } from "./scene.ts";

/** Clocks of two processes, and of a timer and a stamp, may round differently. */
const roundingMs = 2;

async function delayed(scene: Scene): Promise<void> {
  const box = await scene.bus.mailbox<string>(scene.name());
  const letters = collect(scene.own(await box.receive()));
  const sentAt = performance.now();
  await box.send("later", { delayMs: 150 });
  await box.send("now");
  await letters.atLeast(2);
  expect(performance.now() - sentAt).toBeGreaterThanOrEqual(150 - roundingMs);
  expect(bodies(letters.items)).toEqual(["now", "later"]);
  expect(letters.items.map(({ attempt }) => attempt)).toEqual([1, 1]);
  for (const letter of letters.items) await letter.ack();
}

async function dueInOrder(scene: Scene): Promise<void> {
  const box = await scene.bus.mailbox<number>(scene.name());
  // Far enough apart for a sender that is held up between two of them.
  for (const delayMs of [900, 50, 450]) await box.send(delayMs, { delayMs });
  expect(bodies(await consume(box, 3))).toEqual([50, 450, 900]);
}

async function delayedOutlivesItsSender(scene: Scene): Promise<void> {
  const sender = await scene.connect();
  const address = scene.name();
  await (await sender.mailbox(address)).sendMany([1, 2, 3], { delayMs: 200 });
  await sender.close();
  const box = await scene.bus.mailbox<number>(address);
  expect(await box.info()).toEqual({ waiting: 0, held: 0, delayed: 3, dead: 0 });
  expect(bodies(await consume(box, 3))).toEqual([1, 2, 3]);
}

async function nakDelay(scene: Scene): Promise<void> {
  const box = await scene.bus.mailbox<string>(scene.name());
  await box.send("first");
  const letters = scene.own(await box.receive())[Symbol.asyncIterator]();
  const first = await next(letters);
  const givenBackAt = performance.now();
  await first.nak({ delayMs: 150 });
  expect(await box.info()).toMatchObject({ waiting: 0, held: 0, delayed: 1 });
  await box.send("second");
  const second = await next(letters);
  expect(second.data).toBe("second");
  await second.ack();
  const again = await next(letters);
  expect(performance.now() - givenBackAt).toBeGreaterThanOrEqual(150 - roundingMs);
  expect(again).toMatchObject({ data: "first", attempt: 2 });
  await again.ack();
}

async function expires(scene: Scene): Promise<void> {
  const box = await scene.bus.mailbox<string>(scene.name());
  await box.sendMany(["expires", "expires"], { ttlMs: 40 });
  await box.send("delayed beyond it", { ttlMs: 40, delayMs: 80 });
  await box.send("in time", { ttlMs: 60_000 });
  await eventually("the three to expire", async () => {
    const { waiting, delayed: later } = await box.info();
    return waiting + later === 1;
  });
  await box.send("last");
  expect(bodies(await consume(box, 2))).toEqual(["in time", "last"]);
  expect(await box.info()).toEqual({ waiting: 0, held: 0, delayed: 0, dead: 0 });
}

async function heldOutlivesItsTime(scene: Scene): Promise<void> {
  const box = await scene.bus.mailbox<string>(scene.name());
  const clock = await scene.bus.mailbox<string>(scene.name());
  const letters = scene.own(await box.receive())[Symbol.asyncIterator]();
  await box.send("in hand", { ttlMs: 1_000 });
  const letter = await next(letters);
  await clock.send("tick", { ttlMs: 1_000 });
  await eventually("as long a time to pass", async () => (await clock.info()).waiting === 0);
  expect(letter.signal.aborted).toBe(false);
  await letter.ack();
  expect(await box.info()).toEqual({ waiting: 0, held: 0, delayed: 0, dead: 0 });
}

export const mailboxTimeClauses: readonly Clause[] = [
  clause("time/delay", "a delayed letter comes after its delay, and holds up no other", delayed),
  clause("time/delay-order", "delayed letters come as they are due, not as they were sent", dueInOrder),
  clause("time/delay-kept", "a delay outlives its sender", delayedOutlivesItsSender),
  clause("time/nak-delay", "a letter given back with a delay comes after it", nakDelay),
  clause("time/ttl", "an expired letter is not delivered, delayed or not, and is not dead", expires),
  clause("time/ttl-in-hand", "a letter that expires in its holder's hand is still the holder's", heldOutlivesItsTime),
];
