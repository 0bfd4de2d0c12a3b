import { any, type SpaceEvent, type Subscription, type Tuple, type TupleSpace } from "@quadrant/contract";
import { expect } from "vitest";
import { type Clause, clause } from "./clause.ts";
import { collect } from "./collected.ts";
import { eventually, guard } from "./guard.ts";
import { range } from "./range.ts";
import { rejection } from "./rejection.ts";
import type { Scene } from "./scene.ts";
import { registered, spaces } from "./space.ts";

export type Happened = SpaceEvent<Tuple>;

/** "out [1]", in the order in which it happened. */
export function said(events: readonly Happened[]): string[] {
  return events.map(({ kind, tuple }) => `${kind} ${JSON.stringify(tuple)}`);
}

export function watched(
  space: TupleSpace,
  from?: number,
  template: readonly (typeof any | string)[] = [any],
): Promise<Subscription<Happened>> {
  return space.watch(template, { from }) as Promise<Subscription<Happened>>;
}

/** The next so many events; the watch is left then. */
export async function take(watch: Subscription<Happened>, count: number): Promise<Happened[]> {
  const events: Happened[] = [];
  const reading = (async () => {
    for await (const event of watch) if (events.push(event) === count) return;
  })();
  await guard(reading, `${count} events`);
  expect(events, "the watch ended early").toHaveLength(count);
  return events;
}

/** All that has happened since the beginning. The marker is not part of it. */
export async function all(space: TupleSpace): Promise<Happened[]> {
  const marker = `marker ${Math.random()}`;
  await space.out([marker], { leaseMs: 0 });
  const events: Happened[] = [];
  const reading = (async () => {
    for await (const event of await watched(space, 0)) {
      if (JSON.stringify(event.tuple) === JSON.stringify([marker])) return;
      events.push(event);
    }
  })();
  await guard(reading, "all events");
  return events;
}

export function isWithoutGaps(events: readonly Happened[]): void {
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => events[0]!.seq + index));
}

async function outsAndIns(scene: Scene): Promise<void> {
  const { space, same } = await spaces(scene);
  await space.out(["before"]);
  const watch = collect(await watched(same));
  await space.out([1]);
  await space.outMany([[2], [3]]);
  expect(await same.in([1])).toEqual([1]);
  expect(await space.inp([2])).toEqual([2]);
  expect(await space.rd([3])).toEqual([3]);
  expect(await same.inMany([any], { max: 10 })).toEqual([["before"], [3]]);
  await watch.atLeast(7);
  expect(said(watch.items)).toEqual(["out [1]", "out [2]", "out [3]", "in [1]", "in [2]", 'in ["before"]', "in [3]"]);
  isWithoutGaps(watch.items);
  const events = [...watch.items];
  expect(await all(space)).toEqual([{ kind: "out", seq: events[0]!.seq - 1, tuple: ["before"] }, ...events]);
}

async function handedOver(scene: Scene): Promise<void> {
  const { space, same } = await spaces(scene);
  const [taking, reading] = [same.in([1]), same.rd([1])];
  await registered(same);
  await space.out([1]);
  await guard(Promise.all([taking, reading]), "the waiters");
  await space.out([2], { leaseMs: 0 });
  const pulsed = same.in([3]);
  await registered(same);
  await space.out([3], { leaseMs: 0 });
  await guard(pulsed, "the taker of what is not stored");
  expect(said(await all(space))).toEqual(["out [1]", "in [1]", "out [2]", "expire [2]", "out [3]", "in [3]"]);
}

async function leases(scene: Scene): Promise<void> {
  const { space, same } = await spaces(scene);
  const watch = collect(await watched(same));
  await space.out([1], { leaseMs: 40 });
  await watch.atLeast(2);
  const lease = await space.out([2], { leaseMs: 60_000 });
  await lease.cancel();
  await lease.cancel();
  await watch.atLeast(4);
  expect(said(watch.items)).toEqual(["out [1]", "expire [1]", "out [2]", "expire [2]"]);
  isWithoutGaps(watch.items);
}

async function claims(scene: Scene): Promise<void> {
  const { space, same } = await spaces(scene);
  const watch = collect(await watched(same));
  await space.out([1]);
  await (await space.claim([1])).nak();
  await (await space.claim([1])).ack();
  await watch.atLeast(4);
  await space.out([2]);
  await same.claim([2], { leaseMs: 40 });
  await watch.atLeast(7);
  const claim = await space.claim([2]);
  const [reading, taking] = [same.rd([2]), same.in([2])];
  await registered(same);
  await claim.nak();
  await guard(Promise.all([reading, taking]), "the waiters");
  const expired = await space.out([3], { leaseMs: 300 });
  await space.out([4], { leaseMs: 300 });
  const held = await space.claim([3]);
  await eventually("the leases to run out", async () => (await space.count([4])) === 0);
  await held.nak();
  await rejection(expired.renew(1_000), "stale");
  expect(said(await all(space))).toEqual([
    ...["out [1]", "in [1]", "return [1]", "in [1]"],
    ...["out [2]", "in [2]", "return [2]", "in [2]", "return [2]", "in [2]"],
    ...["out [3]", "out [4]", "in [3]", "expire [4]"],
  ]);
}

async function filtered(scene: Scene): Promise<void> {
  const { space, same } = await spaces(scene);
  const watch = await same.watch(["even", Number]);
  for (const n of range(6)) await space.out([n % 2 === 0 ? "even" : "odd", n]);
  const reading: SpaceEvent<readonly ["even", number]>[] = [];
  await guard(
    (async () => {
      for await (const event of watch) if (reading.push(event) === 3) return;
    })(),
    "three events",
  );
  expect(reading.map(({ tuple }) => tuple)).toEqual([0, 2, 4].map((n) => ["even", n]));
  const [first] = reading;
  expect(reading.map(({ seq }) => seq - first!.seq)).toEqual([0, 2, 4]);
  const odd = await take(await watched(same, first!.seq, ["odd", any]), 3);
  expect(odd.map(({ seq }) => seq - first!.seq)).toEqual([1, 3, 5]);
}

/** Longer than a page, with pauses of who watches and of who puts. */
async function resumed(scene: Scene): Promise<void> {
  const { space, same } = await spaces(scene);
  const count = 700;
  const from: Happened[] = [];
  for (const chunk of range(7)) {
    await space.outMany(range(100).map((n) => ["t", chunk * 100 + n]));
    if (chunk % 3 === 0) from.push(...(await take(await watched(same, from.at(-1)?.seq ?? 0, ["t", any]), 50)));
  }
  from.push(...(await take(await watched(same, from.at(-1)!.seq, ["t", any]), count - from.length)));
  isWithoutGaps(from);
  expect(from.map(({ tuple }) => (tuple as readonly unknown[])[1])).toEqual(range(count));
}

/** What is replayed is what is there. */
async function replayed(scene: Scene): Promise<void> {
  const { space, same } = await spaces(scene);
  await Promise.all(
    range(8).map(async (who) => {
      const mine = who % 2 === 0 ? space : same;
      for (const n of range(scene.rounds(40))) {
        await mine.out([n % 5]);
        if (n % 3 === 0) await mine.inp([any]);
        else if (n % 3 === 1) await (await mine.claim([Number], { timeoutMs: 1_000 })).nak();
      }
    }),
  );
  const events = await all(space);
  isWithoutGaps(events);
  const content = new Map<string, number>();
  for (const { kind, tuple } of events) {
    const text = JSON.stringify(tuple);
    const left = (content.get(text) ?? 0) + (kind === "out" || kind === "return" ? 1 : -1);
    expect(left, `event after event, of ${text}`).toBeGreaterThanOrEqual(0);
    content.set(text, left);
  }
  const there = (await same.rdAll([any])).map((tuple) => JSON.stringify(tuple)).toSorted();
  expect([...content].flatMap(([text, count]) => Array<string>(count).fill(text)).toSorted()).toEqual(there);
}

async function bounded(scene: Scene): Promise<void> {
  const name = scene.name();
  const space = await scene.bus.space(name, { history: 10 });
  const same = await scene.other.space(name);
  const watch = await watched(same);
  await space.out(["one"], { leaseMs: 0 });
  const { seq } = (await take(watch, 2))[1]!;
  const slow = await watched(same, seq, [any, any]);
  const slowly = slow[Symbol.asyncIterator]();
  await space.outMany(range(20).map((n) => ["t", n]));
  const first = await guard(slowly.next(), "the slow watcher's first event");
  expect(first.value?.seq).toBe(seq + 1);
  await rejection(watched(same, seq), "gap");
  await rejection(watched(same, seq + 9), "gap");
  await rejection(watched(same, seq + 21), "gap");
  const kept = await take(await watched(same, seq + 10, ["t", any]), 10);
  expect(kept.map((event) => event.seq - seq)).toEqual(range(10).map((n) => n + 11));
  // Whoever falls behind what is held is told, and has had all before it.
  for (const _ of range(3)) {
    await space.outMany(range(1_000).map((n) => ["u", n]));
    await space.inMany(["u", Number], { max: 1_000 });
  }
  const had: number[] = [];
  const reading = (async () => {
    for (;;) {
      const next = await slowly.next();
      if (next.done === true) return;
      had.push(next.value.seq);
    }
  })();
  await rejection(guard(reading, "the slow watcher's end"), "gap");
  expect(had).toEqual(had.map((_, index) => seq + 2 + index));
  expect(await same.count(["t", Number])).toBe(20);
}

async function ends(scene: Scene): Promise<void> {
  const { space, same } = await spaces(scene);
  const abort = new AbortController();
  const aborted = collect((await same.watch([any], { signal: abort.signal })) as Subscription<Happened>);
  const left = await watched(same);
  const closing = await scene.connect();
  const closed = collect(await watched(await closing.space(space.name)));
  await space.out([1]);
  await aborted.atLeast(1);
  await closed.atLeast(1);
  await take(left, 1);
  abort.abort();
  await guard(aborted.ended, "the aborted watch to end");
  await guard(closing.close({ drainMs: 100 }), "the close");
  await guard(closed.ended, "the watch of a connection that is closed to end");
  await rejection(same.watch([any], { signal: AbortSignal.abort() }), "aborted");
  await rejection(same.watch([any], { from: -1 }), "invalid");
  await rejection(same.watch([any], { from: 1.5 }), "invalid");
}

async function moves(scene: Scene): Promise<void> {
  if (scene.bus.support["space.collect"]!.how === "refused") return;
  const { space, same } = await spaces(scene);
  const target = await scene.other.space(scene.name());
  await space.outMany([[1], [2]]);
  expect(await same.copyCollect([1], await scene.other.space(target.name))).toBe(1);
  expect(await same.collect([any], await scene.other.space(target.name))).toBe(2);
  expect(said(await all(space))).toEqual(["out [1]", "out [2]", "in [1]", "in [2]"]);
  expect(said(await all(target))).toEqual(["out [1]", "out [1]", "out [2]"]);
}

async function joined(scene: Scene): Promise<void> {
  if (scene.bus.support["space.inAll"]!.how === "refused") return;
  const { space, same } = await spaces(scene);
  await space.out([1]);
  const taking = same.inAll([[1], [2]]);
  await registered(same);
  await space.out([2]);
  await guard(taking, "both");
  const events = said(await all(space));
  expect(events.slice(0, 2)).toEqual(["out [1]", "out [2]"]);
  expect(events.slice(2).toSorted()).toEqual(["in [1]", "in [2]"]);
}

async function tooLittleRoom(scene: Scene): Promise<void> {
  const name = scene.name();
  const space = await scene.bus.space(name, { capacity: 1 });
  const same = await scene.other.space(name);
  await space.out([1]);
  await rejection(space.out([0], { timeoutMs: 20 }), "timeout");
  const waiting = space.out([2]);
  await registered(space);
  await same.in([1]);
  await guard(waiting, "the out that waited for room");
  expect(said(await all(same))).toEqual(["out [1]", "in [1]", "out [2]"]);
}

export const spaceWatchClauses: readonly Clause[] = [
  clause("watch/outs-and-ins", "a watch tells what is put out and taken, in order and numbered", outsAndIns),
  clause("watch/handed-over", "what goes straight to who waits, or is not stored, is told in full", handedOver),
  clause("watch/leases", "the end of a lease is told, by time or by cancel", leases),
  clause("watch/claims", "a claim is an in, and a return when the tuple goes back", claims),
  clause("watch/filter", "a watch tells what matches, and skips the numbers of the rest", filtered),
  clause("watch/from", "from goes on after a number, also over what nobody watched", resumed),
  clause("watch/replay", "the events, replayed, give what is in the space", replayed),
  clause("watch/history", "beyond what is kept is a gap, for who comes late and for who falls behind", bounded),
  clause("watch/end", "a watch ends when it is left, aborted, or its connection closed", ends),
  clause("watch/collect", "what is moved or copied is told tuple by tuple in both spaces", moves),
  clause("watch/joint", "an inAll is told tuple by tuple, after what came", joined),
  clause("watch/room", "what waits for room is told once it has come in", tooLittleRoom),
];
