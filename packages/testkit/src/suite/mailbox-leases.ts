import type { Delivery, Mailbox } from "@quadrant/contract";
import { expect } from "vitest";
import { type Clause, clause } from "./clause.ts";
import { collect, next } from "./collected.ts";
import { aborted, eventually, guard } from "./guard.ts";
import { consume } from "./mailbox.ts";
import { range } from "./range.ts";
import { rejection } from "./rejection.ts";
import type { Scene } from "./scene.ts";

/** The lease of a receiver that is to lose it. Those that are to keep theirs have the mailbox's: 30 s. */
const shortMs = 60;

interface Lost {
  readonly box: Mailbox<string>;
  /** Whose lease has run out. */
  readonly first: Delivery<string>;
  /** The same letter, in the hands of another receiver. */
  readonly second: Delivery<string>;
  /** Whatever that receiver is given next. */
  readonly others: AsyncIterator<Delivery<string>>;
}

async function loseALease(scene: Scene, secondLeaseMs?: number): Promise<Lost> {
  const box = await scene.bus.mailbox<string>(scene.name());
  await box.send("letter", { headers: { h: "1" } });
  const loser = scene.own(await box.receive({ leaseMs: shortMs, autoExtend: false }));
  const first = await next(loser[Symbol.asyncIterator]());
  const same = await scene.other.mailbox<string>(box.address);
  const winner = scene.own(await same.receive({ leaseMs: secondLeaseMs, autoExtend: false }));
  const others = winner[Symbol.asyncIterator]();
  const second = await next(others);
  return { box, first, second, others };
}

async function runsOut(scene: Scene): Promise<void> {
  const { box, first, second } = await loseALease(scene);
  expect(first.attempt).toBe(1);
  expect(second).toMatchObject({ id: first.id, data: "letter", headers: { h: "1" }, attempt: 2 });
  await aborted(first.signal);
  await second.ack();
  expect(await box.info()).toEqual({ waiting: 0, held: 0, delayed: 0, dead: 0 });
}

async function fenced(scene: Scene): Promise<void> {
  // The second holder dies too, after the first one's late ack: the letter must come a third time.
  const { box, first, second } = await loseALease(scene, 400);
  expect(second.attempt).toBe(2);
  await rejection(first.ack(), "stale");
  const third = await next(scene.own(await box.receive())[Symbol.asyncIterator]());
  expect(third).toMatchObject({ id: first.id, attempt: 3 });
  await rejection(second.ack(), "stale");
  await third.ack();
  expect(await box.info()).toEqual({ waiting: 0, held: 0, delayed: 0, dead: 0 });
}

async function staleSettlements(scene: Scene): Promise<void> {
  const settlements: readonly ((letter: Delivery<string>) => Promise<void>)[] = [
    (letter) => letter.nak(),
    (letter) => letter.nak({ delayMs: 10 }),
    (letter) => letter.reject(new Error("late")),
    (letter) => letter.extend(30_000),
  ];
  for (const settle of settlements) {
    const { box, first, second } = await loseALease(scene);
    await rejection(settle(first), "stale");
    expect(await box.info()).toEqual({ waiting: 0, held: 1, delayed: 0, dead: 0 });
    await second.ack();
    expect(await box.info()).toEqual({ waiting: 0, held: 0, delayed: 0, dead: 0 });
  }
}

async function firstWins(scene: Scene): Promise<void> {
  const box = await scene.bus.mailbox<number>(scene.name());
  const iterator = scene.own(await box.receive())[Symbol.asyncIterator]();
  await box.send(1);
  const acked = await next(iterator);
  await Promise.all([acked.ack(), acked.ack()]);
  await acked.ack();
  await rejection(acked.nak(), "stale");
  await rejection(acked.reject(), "stale");
  await box.send(2);
  const given = await next(iterator);
  await given.nak();
  await rejection(given.ack(), "stale");
  const again = await next(iterator);
  expect(again).toMatchObject({ data: 2, attempt: 2 });
  await again.ack();
  expect(await box.info()).toEqual({ waiting: 0, held: 0, delayed: 0, dead: 0 });
}

async function keptAlive(scene: Scene): Promise<void> {
  const box = await scene.bus.mailbox<string>(scene.name());
  const clock = await scene.bus.mailbox<string>(scene.name());
  await box.sendMany(["in hand", "waiting here"]);
  await clock.send("tick");
  const leaseMs = 900;
  const receiver = scene.own(await box.receive({ leaseMs }));
  const iterator = receiver[Symbol.asyncIterator]();
  const kept = await next(iterator);
  // A lease of the same length that nobody renews, begun later: when it has run out, the renewed one would have.
  const ticking = scene.own(await clock.receive({ leaseMs, autoExtend: false }))[Symbol.asyncIterator]();
  await next(ticking);
  const tock = await next(
    scene.own(await scene.other.mailbox<string>(clock.address).then((same) => same.receive()))[Symbol.asyncIterator](),
  );
  expect(tock.attempt).toBe(2);
  expect(kept.signal.aborted).toBe(false);
  await kept.ack();
  const waited = await next(iterator);
  expect(waited).toMatchObject({ data: "waiting here", attempt: 1 });
  await waited.ack();
  await tock.ack();
  expect(await box.info()).toEqual({ waiting: 0, held: 0, delayed: 0, dead: 0 });
}

async function extended(scene: Scene): Promise<void> {
  const box = await scene.bus.mailbox<string>(scene.name());
  await box.sendMany(["kept", "lost"]);
  const receivers = await Promise.all(
    range(2).map(async () => scene.own(await box.receive({ leaseMs: 700, autoExtend: false }))),
  );
  const kept = await next(receivers[0]![Symbol.asyncIterator]());
  await kept.extend(60_000);
  await next(receivers[1]![Symbol.asyncIterator]());
  const third = scene.own(await (await scene.other.mailbox<string>(box.address)).receive())[Symbol.asyncIterator]();
  const again = await next(third);
  expect(again).toMatchObject({ data: "lost", attempt: 2 });
  expect(kept.signal.aborted).toBe(false);
  await kept.ack();
  await again.ack();
  expect(await box.info()).toEqual({ waiting: 0, held: 0, delayed: 0, dead: 0 });
}

async function nothingAhead(scene: Scene): Promise<void> {
  const box = await scene.bus.mailbox<number>(scene.name());
  await box.sendMany(range(4));
  const careful = scene.own(await box.receive({ autoExtend: false, leaseMs: 60_000 }));
  const first = await next(careful[Symbol.asyncIterator]());
  expect(first.data).toBe(0);
  const rest = await consume(await scene.other.mailbox<number>(box.address), 3);
  expect(rest.map(({ data, attempt }) => [data, attempt])).toEqual([
    [1, 1],
    [2, 1],
    [3, 1],
  ]);
  expect(await box.info()).toMatchObject({ waiting: 0, held: 1 });
  await first.ack();
}

async function bounded(scene: Scene): Promise<void> {
  const box = await scene.bus.mailbox<number>(scene.name());
  await box.sendMany(range(10));
  const receiver = scene.own(await box.receive({ maxInFlight: 3 }));
  const inHand = collect(receiver);
  await inHand.atLeast(3);
  const rest = await consume(await scene.other.mailbox<number>(box.address), 7);
  expect(rest.map(({ data }) => data)).toEqual([3, 4, 5, 6, 7, 8, 9]);
  expect(inHand.items).toHaveLength(3);
  await inHand.items[0]!.ack();
  await box.send(10);
  await inHand.atLeast(4);
  expect(inHand.items[3]?.data).toBe(10);
  for (const letter of inHand.items.slice(1)) await letter.ack();
}

async function released(scene: Scene): Promise<void> {
  const box = await scene.bus.mailbox<number>(scene.name(), { maxAttempts: 1 });
  await box.sendMany(range(10));
  for (const letter of range(3)) {
    // Fetches ahead, hands over one, leaves: the others must not have spent their only attempt.
    const receiver = await box.receive();
    const delivery = await next(receiver[Symbol.asyncIterator]());
    expect(delivery).toMatchObject({ data: letter, attempt: 1 });
    await eventually("letters fetched ahead", async () => (await box.info()).held > 1);
    await delivery.ack();
    await receiver[Symbol.asyncDispose]();
  }
  const closing = await scene.connect();
  const ahead = await (await closing.mailbox<number>(box.address)).receive();
  const delivery = await next(ahead[Symbol.asyncIterator]());
  await delivery.ack();
  await closing.close();
  // Another connection's letters go back one by one, to receivers that may be there already: all of them, in whatever order.
  const rest = (await consume(box, 6)).toSorted((a, b) => a.data - b.data);
  expect(rest.map(({ data, attempt }) => [data, attempt])).toEqual(range(6).map((n) => [n + 4, 1]));
  expect((await box.info()).dead).toBe(0);
}

async function releasedInFlight(scene: Scene): Promise<void> {
  const box = await scene.bus.mailbox<number>(scene.name(), { maxAttempts: 1 });
  const same = await scene.other.mailbox<number>(box.address);
  const count = scene.rounds(1_000);
  const seen: number[] = [];
  const sending = (async () => {
    for (const n of range(count)) await same.send(n);
  })();
  // Receivers that leave while letters are on their way to them, every third before it has seen one.
  for (let round = 0; seen.length < count; round++) {
    const controller = new AbortController();
    const receiver = await box.receive({ signal: controller.signal, maxInFlight: 1 + (round % 16) });
    if (round % 3 === 0) setImmediate(() => controller.abort());
    let left = round % 5;
    for await (const letter of receiver) {
      expect(letter.attempt).toBe(1);
      seen.push(letter.data);
      await letter.ack();
      if (left-- === 0 || seen.length === count) break;
    }
  }
  await sending;
  expect(seen.toSorted((a, b) => a - b)).toEqual(range(count));
  expect(await box.info()).toEqual({ waiting: 0, held: 0, delayed: 0, dead: 0 });
}

async function connectionsClose(scene: Scene): Promise<void> {
  const box = await scene.bus.mailbox<number>(scene.name());
  const open = new Set<number>();
  let closing = true;
  const handle = async (letter: Delivery<number>): Promise<void> => {
    await letter.ack();
    open.delete(letter.data);
  };
  const visits = range(4).map(async (visitor) => {
    for (const visit of range(6)) {
      const bus = await scene.connect();
      const same = await bus.mailbox<number>(box.address);
      const controller = new AbortController();
      const receiver = await same.receive({ maxInFlight: 1 + visitor * 4, signal: controller.signal });
      if (visit % 2 === 0) setTimeout(() => controller.abort(), 20);
      let left = (visitor + visit) % 3;
      for await (const letter of receiver) {
        await handle(letter);
        if (left-- === 0) break;
      }
      await bus.close({ drainMs: 500 });
    }
  });
  const sending = (async () => {
    for (let n = 0; closing; n++) {
      open.add(n);
      await box.send(n);
    }
  })();
  await Promise.all(visits);
  closing = false;
  await sending;
  // The mailbox's lease is longer than this waits.
  const receiver = scene.own(await box.receive());
  const reading = (async () => {
    for await (const letter of receiver) {
      await handle(letter);
      if (open.size === 0) break;
    }
  })();
  if (open.size > 0) await guard(reading, `the last of ${open.size} letters`);
  expect(open.size).toBe(0);
}

async function settledAfterTheLoop(scene: Scene): Promise<void> {
  const box = await scene.bus.mailbox<number>(scene.name());
  await box.send(1);
  const receiver = await box.receive();
  const delivery = await next(receiver[Symbol.asyncIterator]());
  await receiver[Symbol.asyncDispose]();
  expect(delivery.signal.aborted).toBe(true);
  await delivery.ack();
  expect(await box.info()).toEqual({ waiting: 0, held: 0, delayed: 0, dead: 0 });
}

export const mailboxLeaseClauses: readonly Clause[] = [
  clause(
    "lease/runs-out",
    "a letter whose lease ran out comes again, its attempt counted, its signal aborted",
    runsOut,
  ),
  clause(
    "lease/fencing",
    "a late ack is stale and changes nothing: the next holder's death brings the letter back",
    fenced,
  ),
  clause("lease/stale-settlement", "every settlement after the lease is stale and changes nothing", staleSettlements),
  clause("lease/first-wins", "the first settlement wins: again it resolves, another is stale", firstWins),
  clause("lease/renewed", "while the receiver lives, what it holds is not lost, in hand or waiting", keptAlive),
  clause("lease/extend", "extend moves the end of the lease", extended),
  clause("lease/nothing-ahead", "without autoExtend nothing is fetched ahead of the iterator", nothingAhead),
  clause("lease/max-in-flight", "a receiver holds at most maxInFlight letters", bounded),
  clause("lease/release", "what nobody saw goes back when the receiver leaves, without an attempt", released),
  clause(
    "lease/release-race",
    "receivers that leave while letters come lose none and spend no attempt",
    releasedInFlight,
  ),
  clause(
    "lease/connections-close",
    "what was on its way to a connection that closes comes to another long before its lease ends",
    connectionsClose,
  ),
  clause("lease/after-the-loop", "a letter in hand can be settled after its loop was left", settledAfterTheLoop),
];
