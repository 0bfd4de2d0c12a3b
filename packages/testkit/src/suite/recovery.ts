import type { Bus } from "@quadrant/contract";
import { expect } from "vitest";
import { type Clause, faultClause } from "./clause.ts";
import { collect } from "./collected.ts";
import { patiently, seen, statusesOf, whileDead, whilePaused } from "./faults.ts";
import { eventually, guard } from "./guard.ts";
import { range } from "./range.ts";
import type { Scene } from "./scene.ts";

/** Kills and restarts the broker; resolves when every one of the connections has it back. */
async function outage(scene: Scene, buses: readonly Bus[]): Promise<void> {
  const statuses = buses.map((bus) => statusesOf(bus));
  await Promise.all(statuses.map((each) => each.atLeast(1)));
  await whileDead(scene, async () => {
    await Promise.all(statuses.map((each) => seen(each, "disconnected")));
  });
  await Promise.all(statuses.map((each) => seen(each, "reconnected")));
}

async function subscriptions(scene: Scene): Promise<void> {
  const [bus, publisher] = [await scene.connect(), await scene.connect()];
  const root = scene.name();
  const plain = [`${root}.a`, `${root}.*`, `${root}.>`, `${root}.a`];
  const received = await Promise.all(plain.map(async (pattern) => collect(await bus.subscribe<number>(pattern))));
  const members = await Promise.all(
    range(2).map(async () => collect(await bus.subscribe<number>(`${root}.a`, { group: "g" }))),
  );
  for (const round of range(2)) {
    await outage(scene, [bus, publisher]);
    for (const n of range(50)) await publisher.publish(`${root}.a`, round * 50 + n);
    const expected = range(50 * (round + 1));
    for (const messages of received) {
      await messages.until("the last", (items) => items.some((message) => message.data === expected.at(-1)));
      expect(messages.items.map((message) => message.data)).toEqual(expected);
    }
    const shared = (): number[] => members.flatMap((each) => each.items.map((message) => message.data));
    await eventually("the group's messages", () => shared().length >= expected.length);
    expect(shared().toSorted((a, b) => a - b)).toEqual(expected);
  }
}

async function receivers(scene: Scene): Promise<void> {
  const [bus, sender] = [await scene.connect(), await scene.connect()];
  const address = scene.name();
  const box = await bus.mailbox<number>(address);
  const handled: number[] = [];
  const worker = await box.process((letter) => void handled.push(letter.data));
  const letters = await (await bus.mailbox<number>(`${address}.second`)).receive();
  const received = collect(letters);
  const same = await sender.mailbox<number>(address);
  await same.send(1);
  await eventually("the first letter", () => handled.length === 1);
  await outage(scene, [bus, sender]);
  await patiently(() => same.send(2, { id: "second" }));
  await eventually("the letter after the outage", () => handled.includes(2));
  const second = await patiently(() => sender.mailbox<number>(`${address}.second`));
  await patiently(() => second.send(3, { id: "third" }));
  await received.atLeast(1);
  await received.items[0]!.ack();
  await worker[Symbol.asyncDispose]();
  expect(handled).toEqual([1, 2]);
}

async function waiters(scene: Scene): Promise<void> {
  const [bus, other] = [await scene.connect(), await scene.connect()];
  const name = scene.name();
  const [space, same] = [await bus.space(name), await other.space(name)];
  const waiting = [space.in(["t", Number]), space.rd(["r", Number])];
  const log = await bus.log<number>(name);
  const following = collect(log.read());
  const durable = collect(await log.subscribe({ durable: "d", from: "first" }));
  await outage(scene, [bus, other]);
  await patiently(() =>
    same.outMany([
      ["t", 1],
      ["r", 2],
    ]),
  );
  expect(await guard(Promise.all(waiting), "the waiters")).toEqual([
    ["t", 1],
    ["r", 2],
  ]);
  await patiently(async () => (await other.log<number>(name)).append("s", 1, { id: "first" }));
  await durable.atLeast(1);
  await durable.items[0]!.ack();
  await following.atLeast(1);
  expect(following.items[0]?.data).toBe(1);
}

async function askedMeanwhile(scene: Scene): Promise<void> {
  const [bus, other] = [await scene.connect({ requestTimeoutMs: 20_000 }), await scene.connect()];
  const statuses = statusesOf(bus);
  const name = scene.name();
  const service = { run: () => "served" };
  await statuses.atLeast(1);
  await scene.broker.kill();
  await seen(statuses, "disconnected");
  const asked = Promise.all([
    bus.subscribe<number>(name),
    bus.subscribe<number>(name, { group: "g" }),
    bus.mailbox<number>(name, { capacity: 5 }),
    bus.log<number>(name),
    bus.space(name),
    bus.serve(name, service),
  ]);
  await scene.broker.restart();
  const [plain, member, box, log, space] = await guard(asked, "what was asked meanwhile");
  await patiently(() => other.publish(name, 1));
  for (const subscription of [plain, member]) {
    const messages = collect(subscription);
    await messages.atLeast(1);
    expect(messages.items.map((message) => message.data)).toEqual([1]);
  }
  await Promise.all([box.send(1), log.append("s", 1), space.out(["t"])]);
  expect(await other.client<typeof service>(name).run()).toBe("served");
}

async function outbox(scene: Scene): Promise<void> {
  const bus = await scene.connect();
  const subject = scene.name();
  const messages = collect(await bus.subscribe<number>(subject, { buffer: 4_096 }));
  const statuses = statusesOf(bus);
  await bus.publish(subject, -1);
  await messages.atLeast(1);
  await whileDead(scene, async () => {
    await seen(statuses, "disconnected");
    await Promise.all(range(500).map((n) => bus.publish(subject, n)));
  });
  await messages.until("the last", (items) => items.some((message) => message.data === 499));
  expect(messages.items.map((message) => message.data)).toEqual([-1, ...range(500)]);
  await bus.flush();
}

async function outboxBounded(scene: Scene): Promise<void> {
  const bus = await scene.connect({ outboxBytes: 1_048_576, requestTimeoutMs: 300 });
  const subject = scene.name();
  const subscription = scene.own(await scene.bus.subscribe<string>(subject, { buffer: 100_000 }));
  const messages = collect(subscription);
  const body = "x".repeat(4_096);
  let accepted = 0;
  let refused = 0;
  await whilePaused(scene, async () => {
    const publishing = range(5_000).map((n) =>
      bus.publish(subject, `${n}:${body}`).then(
        () => accepted++,
        (error: { code: string }) => {
          expect(error.code).toBe("overflow");
          refused++;
        },
      ),
    );
    await guard(Promise.all(publishing), "every publish to end");
    expect(refused).toBeGreaterThan(0);
    expect(accepted).toBeGreaterThan(0);
  });
  await bus.flush().catch(() => bus.flush());
  await patiently(() => bus.publish(subject, "marker"));
  await messages.until("the marker", (items) => items.some((message) => message.data === "marker"));
  // A refused publish was not sent, an accepted one arrived or is counted as lost.
  expect(messages.items.length + subscription.dropped).toBe(accepted + 1);
  const order = messages.items.slice(0, -1).map((message) => Number(message.data.slice(0, message.data.indexOf(":"))));
  expect(order).toEqual(order.toSorted((a, b) => a - b));
}

async function transitions(scene: Scene): Promise<void> {
  const bus = await scene.connect();
  const statuses = statusesOf(bus);
  await statuses.atLeast(1);
  for (const _ of range(2)) {
    await outage(scene, [bus]);
    await patiently(() => bus.list("mailbox"));
  }
  await bus.close();
  await guard(statuses.ended, "the statuses to end");
  const kinds = statuses.items.map((status) => status.kind).filter((kind) => kind !== "gap");
  expect(kinds).toEqual(["connected", "disconnected", "reconnected", "disconnected", "reconnected", "closed"]);
}

async function longPause(scene: Scene): Promise<void> {
  const [bus, other] = [await scene.connect(), await scene.connect()];
  const name = scene.name();
  const statuses = statusesOf(bus);
  const messages = collect(await bus.subscribe<number>(name));
  const box = await bus.mailbox<number>(name);
  await box.sendMany(range(20));
  const space = await bus.space(name);
  const waiting = space.in(["late"]);
  const service = { run: () => "served" };
  await bus.serve(name, service);
  await whilePaused(scene, async () => {
    await seen(statuses, "disconnected");
  });
  await seen(statuses, "reconnected");
  await patiently(async () => (await other.space(name)).outMany([["late"]]));
  expect(await guard(waiting, "the waiter")).toEqual(["late"]);
  await patiently(() => other.publish(name, 1));
  await messages.atLeast(1);
  expect(messages.items).toHaveLength(1);
  expect(await patiently(async () => other.client<typeof service>(name).run())).toBe("served");
  const handled = new Set<number>();
  const worker = await box.process((letter) => void handled.add(letter.data));
  await eventually("every letter", () => handled.size === 20);
  await worker[Symbol.asyncDispose]();
}

async function consumersThroughPauses(scene: Scene): Promise<void> {
  const [sender, receiver] = [await scene.connect(), await scene.connect()];
  const address = scene.name();
  const box = await sender.mailbox<number>(address);
  const same = await receiver.mailbox<number>(address);
  const handled = new Set<number>();
  const worker = await same.process((letter) => void handled.add(letter.data), { concurrency: 4 });
  const count = 600;
  const sending = (async () => {
    for (const n of range(count)) await patiently(() => box.send(n, { id: `letter-${n}` }));
  })();
  for (const share of [count / 3, count / 2]) {
    await eventually(`${share} letters`, () => handled.size >= share);
    await whilePaused(scene, async () => {
      // Long enough for something to be under way: until nothing more is handled.
      let before = -1;
      await eventually("standstill", () => {
        const same = before === handled.size;
        before = handled.size;
        return same;
      });
    });
  }
  await guard(sending, "every letter to be sent");
  await eventually("every letter", () => handled.size === count);
  await worker[Symbol.asyncDispose]();
  expect((await box.info()).dead).toBe(0);
}

export const recoveryClauses: readonly Clause[] = [
  faultClause("recovery/subscriptions", "after an outage every subscription is there again, once", subscriptions),
  faultClause("recovery/receivers", "after an outage receivers and workers go on", receivers),
  faultClause("recovery/waiters", "after an outage waiting takers, readers of logs and durables go on", waiters),
  faultClause("recovery/meanwhile", "what was asked of a broker that was gone is done when it is back", askedMeanwhile),
  faultClause("recovery/outbox", "what was published during an outage is sent after it, in order", outbox),
  faultClause(
    "recovery/outbox-bound",
    "what waits for a stopped broker is bounded, and the rest is overflow",
    outboxBounded,
  ),
  faultClause("recovery/status", "an outage is reported once: disconnected, then reconnected", transitions),
  faultClause(
    "recovery/pause",
    "a broker that stood still for long is back with everything, and nothing is lost",
    longPause,
  ),
  faultClause(
    "recovery/consumers",
    "letters sent and handled across pauses of the broker are all handled",
    consumersThroughPauses,
  ),
];
