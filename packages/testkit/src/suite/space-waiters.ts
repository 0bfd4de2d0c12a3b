import { any, type BusError } from "@quadrant/contract";
import { expect } from "vitest";
import { type Clause, clause } from "./clause.ts";
import { guard } from "./guard.ts";
import { range } from "./range.ts";
import { abortedLater, decided, rejection } from "./rejection.ts";
import type { Scene } from "./scene.ts";
import { registered, spaces } from "./space.ts";

async function woken(scene: Scene): Promise<void> {
  const { space, same } = await spaces(scene);
  const taking = space.in(["job", Number]);
  const reading = space.rd(["note", String]);
  await registered(space);
  await same.out(["other", 1]);
  await same.out(["note", "x"]);
  expect(await guard(reading, "the reader")).toEqual(["note", "x"]);
  await same.out(["job", 7]);
  expect(await guard(taking, "the taker")).toEqual(["job", 7]);
  expect(await same.count(["job", any])).toBe(0);
  expect(await same.count(["note", any])).toBe(1);
}

async function readersAndOneTaker(scene: Scene): Promise<void> {
  const { space, same } = await spaces(scene);
  const readers = range(5).map((n) => (n % 2 === 0 ? space : same).rd(["t", Number]));
  const taker = space.in(["t", any]);
  const more = range(5).map((n) => (n % 2 === 0 ? space : same).rd([any, Number]));
  await Promise.all([registered(space), registered(same)]);
  await same.out(["t", 1]);
  const all = await guard(Promise.all([...readers, taker, ...more]), "all eleven");
  for (const tuple of all) expect(tuple).toEqual(["t", 1]);
  expect(await space.count(["t", any])).toBe(0);
}

async function longestWaiting(scene: Scene): Promise<void> {
  const { space, same } = await spaces(scene);
  const order: number[] = [];
  const takers = range(6).map(async (who) => {
    const [, n] = await space.in(["t", who % 2 === 0 ? Number : any]);
    order[who] = n as number;
  });
  await registered(space);
  for (const n of range(6)) await same.out(["t", n]);
  await guard(Promise.all(takers), "six takers");
  expect(order).toEqual(range(6));
}

async function oneOfTwo(scene: Scene): Promise<void> {
  const { space, same } = await spaces(scene);
  const won: number[] = [];
  const takers = [space, same].map(async (each, who) => {
    await each.in(["t"]);
    won.push(who);
  });
  await Promise.all([registered(space), registered(same)]);
  await same.out(["t"]);
  await guard(Promise.race(takers), "one of the takers");
  expect(await same.inp(["t"])).toBeUndefined();
  expect(won).toHaveLength(1);
  await same.out(["t"]);
  await guard(Promise.all(takers), "both takers");
}

/** `in` against its abort or timeout: whoever wins, the tuple is in one place. */
async function race(scene: Scene, kind: "abort" | "timeout"): Promise<void> {
  const { space, same } = await spaces(scene);
  const outcomes = { taken: 0, ended: 0, unknown: 0 };
  for (const round of range(scene.rounds(2_000))) {
    const controller = new AbortController();
    const wait = kind === "abort" ? { signal: controller.signal } : { timeoutMs: round % 3 };
    const taking = space.in(["t", round], wait).then(
      (tuple) => tuple[1],
      (error: BusError) => error.code,
    );
    const putting = same.out(["t", round]);
    if (round % 4 === 1) await Promise.resolve();
    if (round % 4 === 2) await new Promise((resolve) => setImmediate(resolve));
    if (round % 4 === 3) await putting;
    controller.abort();
    const outcome = await guard(taking, "the taker's end");
    await putting;
    const rest = await same.inp(["t", round]);
    if (outcome === round) {
      outcomes.taken++;
      expect(rest).toBeUndefined();
    } else if (outcome === "indefinite") {
      // A loaded broker did not answer in time, and so promised nothing: the tuple may come back yet.
      outcomes.unknown++;
    } else {
      outcomes.ended++;
      expect(outcome).toBe(kind === "abort" ? "aborted" : "timeout");
      expect(rest).toEqual(["t", round]);
    }
  }
  expect(outcomes.taken + outcomes.ended + outcomes.unknown).toBe(scene.rounds(2_000));
  expect(await space.count(["t", any])).toBeLessThanOrEqual(outcomes.unknown);
}

async function ends(scene: Scene): Promise<void> {
  const { space, same } = await spaces(scene);
  for (const wait of [space.in, space.rd] as const) {
    await decided("timeout", () => wait.call(space, ["t"], { timeoutMs: 20 }));
    await decided("timeout", () => wait.call(space, ["t"], { timeoutMs: 0 }));
    await decided("aborted", () => abortedLater((signal) => wait.call(space, ["t"], { signal })));
  }
  await same.out(["t"]);
  expect(await same.count(["t"])).toBe(1);
  expect(await space.in(["t"], { timeoutMs: 0 })).toEqual(["t"]);
}

async function readerBeforeTaker(scene: Scene): Promise<void> {
  const { space, same } = await spaces(scene);
  for (const round of range(scene.rounds(200))) {
    const reading = space.rd(["t", round]);
    await registered(space);
    await same.out(["t", round]);
    expect(await same.inp(["t", round])).toEqual(["t", round]);
    expect(await guard(reading, "the reader")).toEqual(["t", round]);
  }
}

async function pulses(scene: Scene): Promise<void> {
  const { space, same } = await spaces(scene);
  await same.out(["tick", 0], { leaseMs: 0 });
  expect(await space.rdp(["tick", any])).toBeUndefined();
  const readers = range(3).map(() => space.rd(["tick", Number]));
  await registered(space);
  const lease = await same.out(["tick", 1], { leaseMs: 0 });
  expect(await guard(Promise.all(readers), "the readers")).toEqual(range(3).map(() => ["tick", 1]));
  expect(await space.rdp(["tick", any])).toBeUndefined();
  await rejection(lease.renew(1_000), "stale");
  await lease.cancel();
  const taker = space.in(["tick", Number]);
  await registered(space);
  await same.out(["tick", 2], { leaseMs: 0 });
  expect(await guard(taker, "the taker")).toEqual(["tick", 2]);
}

async function idleWaiters(scene: Scene): Promise<void> {
  const { space, same } = await spaces(scene);
  const controller = new AbortController();
  const idle = range(2_000).map((n) =>
    space.in(["idle", n], { signal: controller.signal }).catch((error: BusError) => error.code),
  );
  await registered(space);
  for (const n of range(100)) {
    await same.out(["busy", n]);
    expect(await same.in(["busy", n])).toEqual(["busy", n]);
  }
  await same.out(["idle", 1_999]);
  expect(await guard(idle[1_999]!, "the woken one")).toEqual(["idle", 1_999]);
  controller.abort();
  const rest = await guard(Promise.all(idle.slice(0, -1)), "the aborted ones");
  // "indefinite": a loaded broker did not get round to two thousand withdrawals in time.
  expect(rest.filter((code) => code !== "aborted" && code !== "indefinite")).toEqual([]);
}

export const spaceWaiterClauses: readonly Clause[] = [
  clause("waiters/woken", "in and rd block until somebody puts a match", woken),
  clause("waiters/readers-and-taker", "one out satisfies every waiting rd and one waiting in", readersAndOneTaker),
  clause("waiters/longest", "the longest-waiting match is served first", longestWaiting),
  clause("waiters/one-of-two", "one out satisfies one of two takers; the other waits on", oneOfTwo),
  clause("waiters/end", "a wait ends by its signal or its timeout and takes nothing", ends),
  clause("waiters/abort-race", "abort and capture are one decision", (scene) => race(scene, "abort")),
  clause("waiters/timeout-race", "timeout and capture are one decision", (scene) => race(scene, "timeout")),
  clause("waiters/reader-first", "a waiting rd gets what was put although it was taken since", readerBeforeTaker),
  clause("waiters/pulse", "leaseMs 0 is seen by who waits and stored nowhere", pulses),
  clause("waiters/idle", "thousands who wait for something else disturb nobody", idleWaiters),
];
