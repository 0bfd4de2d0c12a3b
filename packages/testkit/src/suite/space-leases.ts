import { setImmediate as turn } from "node:timers/promises";
import { any, type Claim, isBusError, type Tuple } from "@quadrant/contract";
import { expect } from "vitest";
import { type Clause, clause } from "./clause.ts";
import { aborted, eventually, guard } from "./guard.ts";
import { range } from "./range.ts";
import { decided, rejection } from "./rejection.ts";
import type { Scene } from "./scene.ts";
import { registered, spaces } from "./space.ts";

async function expires(scene: Scene): Promise<void> {
  const { space, same } = await spaces(scene);
  const lease = await space.out(["t", 1], { leaseMs: 40 });
  expect(lease.expiresInMs).toBeLessThanOrEqual(40);
  await space.outMany(
    [
      ["t", 2],
      ["t", 3],
    ],
    { leaseMs: 40 },
  );
  await space.out(["t", 4]);
  await eventually("the leases to run out", async () => (await same.count(["t", any])) === 1);
  expect(await same.rdAll(["t", any])).toEqual([["t", 4]]);
  expect(await same.in(["t", any])).toEqual(["t", 4]);
  await rejection(lease.renew(1_000), "stale");
}

async function renewed(scene: Scene): Promise<void> {
  const { space, same } = await spaces(scene);
  const forever = await space.out(["forever"]);
  expect(forever.expiresInMs).toBe(Number.POSITIVE_INFINITY);
  const longer = await space.out(["longer"], { leaseMs: 700 });
  await longer.renew(60_000);
  expect(longer.expiresInMs).toBeGreaterThan(700);
  expect(longer.expiresInMs).toBeLessThanOrEqual(60_000);
  const shorter = await space.out(["shorter"], { leaseMs: 60_000 });
  await shorter.renew(30);
  await forever.renew(30);
  const clock = await space.out(["clock"], { leaseMs: 700 });
  await eventually("three to be gone", async () => {
    const left = await same.rdAll([String]);
    return left.length === 1;
  });
  expect(await same.rdp(["longer"])).toEqual(["longer"]);
  await rejection(clock.renew(1_000), "stale");
  await rejection(shorter.renew(1_000), "stale");
  await same.in(["longer"]);
  await rejection(longer.renew(1_000), "stale");
  await longer.cancel();
}

async function cancelled(scene: Scene): Promise<void> {
  const { space, same } = await spaces(scene);
  const lease = await space.out(["t"], { leaseMs: 60_000 });
  const other = await space.out(["t"]);
  await lease.cancel();
  expect(await same.count(["t"])).toBe(1);
  await lease.cancel();
  await other.cancel();
  expect(await same.inp(["t"])).toBeUndefined();
}

async function claimed(scene: Scene): Promise<void> {
  const { space, same } = await spaces(scene);
  await space.outMany([
    ["t", 1],
    ["t", 2],
  ]);
  const claim = await same.claim(["t", Number]);
  expect(claim.tuple).toEqual(["t", 1]);
  expect(await space.rdp(["t", 1])).toBeUndefined();
  expect(await space.count(["t", any])).toBe(1);
  await claim.ack();
  await claim.ack();
  await rejection(claim.nak(), "stale");
  await claim[Symbol.asyncDispose]();
  expect(await space.rdAll(["t", any])).toEqual([["t", 2]]);
  const waiting = same.claim(["late"]);
  await registered(same);
  await space.out(["late"]);
  await (await guard(waiting, "the claim")).ack();
  await decided("timeout", () => same.claim(["nothing"], { timeoutMs: 10 }));
}

async function putBack(scene: Scene): Promise<void> {
  const { space, same } = await spaces(scene);
  const ways: readonly { readonly leaseMs?: number; readonly end: (claim: Claim<Tuple>) => PromiseLike<unknown> }[] = [
    { end: (claim) => claim.nak() },
    { end: (claim) => claim[Symbol.asyncDispose]() },
    {
      leaseMs: 50,
      end: () => eventually("the lease to run out", async () => (await space.count(["t", any])) === 4),
    },
  ];
  for (const { leaseMs, end } of ways) {
    await space.outMany(range(4).map((n) => ["t", n]));
    await (await same.claim(["t", 2])).nak();
    const claim = await same.claim(["t", 1], { leaseMs });
    await end(claim);
    expect(await space.rdAll(["t", any])).toEqual(range(4).map((n) => ["t", n]));
    for (const n of range(4)) expect(await space.in(["t", Number])).toEqual(["t", n]);
  }
}

async function fenced(scene: Scene): Promise<void> {
  const { space, same } = await spaces(scene);
  await space.out(["t"]);
  const first = await space.claim(["t"], { leaseMs: 40 });
  const second = await same.claim(["t"]);
  await aborted(first.signal);
  await rejection(first.ack(), "stale");
  await rejection(first.nak(), "stale");
  await rejection(first.extend(1_000), "stale");
  await first[Symbol.asyncDispose]();
  expect(await space.rdp(["t"])).toBeUndefined();
  await second.nak();
  expect(await space.inp(["t"])).toEqual(["t"]);
}

async function extended(scene: Scene): Promise<void> {
  const { space, same } = await spaces(scene);
  await space.outMany([["kept"], ["lost"]]);
  const kept = await space.claim(["kept"], { leaseMs: 700 });
  await kept.extend(60_000);
  await space.claim(["lost"], { leaseMs: 700 });
  expect(await guard(same.in(["lost"]), "the lost claim's tuple")).toEqual(["lost"]);
  expect(kept.signal.aborted).toBe(false);
  expect(await same.rdp(["kept"])).toBeUndefined();
  await kept.ack();
  expect(await same.rdp(["kept"])).toBeUndefined();
}

async function returnsToWaiters(scene: Scene): Promise<void> {
  const { space, same } = await spaces(scene);
  await space.out(["t"]);
  const claim = await same.claim(["t"]);
  const reading = space.rd(["t"]);
  const taking = space.in(["t"]);
  await registered(space);
  await claim.nak();
  expect(await guard(reading, "the reader")).toEqual(["t"]);
  expect(await guard(taking, "the taker")).toEqual(["t"]);
  expect(await same.count(["t"])).toBe(0);
}

async function clockNeverStops(scene: Scene): Promise<void> {
  const { space, same } = await spaces(scene);
  await space.out(["t"], { leaseMs: 600 });
  await space.out(["clock"], { leaseMs: 700 });
  const claim = await same.claim(["t"]);
  await eventually("the clock to run out", async () => (await space.count(["clock"])) === 0);
  expect(claim.signal.aborted).toBe(false);
  await claim.nak();
  expect(await space.rdp(["t"])).toBeUndefined();
}

async function takersDeath(scene: Scene): Promise<void> {
  const { space } = await spaces(scene);
  await space.outMany(range(3).map((n) => ["t", n]));
  const taker = await scene.connect();
  await (await taker.space(space.name)).claim(["t", 0], { leaseMs: 60_000 });
  await taker.close({ drainMs: 0 });
  for (const n of range(3)) expect(await guard(space.in(["t", Number]), "the tuple")).toEqual(["t", n]);
}

async function connectionsClose(scene: Scene): Promise<void> {
  const { space } = await spaces(scene);
  const taken = new Set<number>();
  let unknown = 0;
  const took = (n: number): void => {
    expect(taken.has(n)).toBe(false);
    taken.add(n);
  };
  const attempt = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if (isBusError(error, "indefinite")) unknown++;
      else if (!isBusError(error, "aborted") && !isBusError(error, "closed") && !isBusError(error, "stale"))
        throw error;
    }
  };
  const visits = range(4).map(async (visitor) => {
    for (const visit of range(6)) {
      const bus = await scene.connect();
      const same = await bus.space(space.name);
      const controller = new AbortController();
      const works = range(3 + visitor).map((n) =>
        attempt(async () => {
          if (n % 2 === 0) {
            took((await same.in(["t", Number], { signal: controller.signal }))[1]);
            return;
          }
          const claim = await same.claim(["t", Number], { signal: controller.signal, leaseMs: 60_000 });
          // Some are left to the closing connection.
          if (n % 3 === 0) return;
          await claim.ack();
          took(claim.tuple[1]);
        }),
      );
      if (visit % 2 === 0) await works[0];
      if (visit % 3 === 0) controller.abort();
      await bus.close({ drainMs: 200 });
      await Promise.all(works);
    }
  });
  let sent = 0;
  let closing = true;
  const sending = (async () => {
    while (closing) {
      await space.out(["t", sent++]);
      while (closing && sent - taken.size > 100) await turn();
    }
  })();
  await guard(Promise.all(visits), "the connections to close");
  closing = false;
  await sending;
  while (taken.size < sent - unknown) {
    took((await guard(space.in(["t", Number]), `the last of ${sent - taken.size} tuples, ${unknown} in doubt`))[1]);
  }
  expect(taken.size).toBeGreaterThan(0);
}

export const spaceLeaseClauses: readonly Clause[] = [
  clause("tuple-lease/expire", "a tuple is gone when its lease is", expires),
  clause("tuple-lease/renew", "renew counts from now, longer or shorter; stale once the tuple is gone", renewed),
  clause("tuple-lease/cancel", "cancel ends a lease at once", cancelled),
  clause("claim/ack", "a claimed tuple is nobody else's, and gone once acknowledged", claimed),
  clause("claim/put-back", "given back, disposed or run out, a tuple is in its original place again", putBack),
  clause("claim/fencing", "a settlement after the claim was lost is stale and changes nothing", fenced),
  clause("claim/extend", "extend moves the end of the claim", extended),
  clause("claim/waiters", "what comes back serves those who wait, as an out does", returnsToWaiters),
  clause("claim/lease-clock", "a tuple's own lease runs on while it is claimed", clockNeverStops),
  clause("claim/close", "what a connection claimed comes back when it closes", takersDeath),
  clause(
    "claim/connections-close",
    "what was on its way to a connection that closes was taken, or comes to another; no outcome is told wrong",
    connectionsClose,
  ),
];
