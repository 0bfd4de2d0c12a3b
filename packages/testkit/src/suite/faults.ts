import { setImmediate as turn } from "node:timers/promises";
import { type Bus, type BusErrorCode, type BusStatus, isBusError } from "@quadrant/contract";
import { expect } from "vitest";
import { type Clause, faultClause } from "./clause.ts";
import { type Collected, collect } from "./collected.ts";
import { guard } from "./guard.ts";
import { overdue } from "./overdue.ts";
import { range } from "./range.ts";
import { rejection } from "./rejection.ts";
import type { Scene } from "./scene.ts";
import { everyQuestion, type Question, unanswered, unansweredMs } from "./unanswered.ts";

/** Runs `work` while the broker lives but does nothing. */
export async function whilePaused(scene: Scene, work: () => Promise<void>): Promise<void> {
  await scene.broker.pause();
  try {
    await work();
  } finally {
    await scene.broker.resume();
  }
}

/** Runs `work` while there is no broker. */
export async function whileDead(scene: Scene, work: () => Promise<void>): Promise<void> {
  await scene.broker.kill();
  try {
    await work();
  } finally {
    await scene.broker.restart();
  }
}

export function statusesOf(bus: Bus): Collected<BusStatus> {
  return collect<BusStatus>(bus.status());
}

export async function seen(statuses: Collected<BusStatus>, kind: BusStatus["kind"], times: number = 1): Promise<void> {
  await statuses.until(
    `${kind}, ${times} times`,
    (items) => items.filter((each) => each.kind === kind).length >= times,
  );
}

/** What came of a question: the code of its rejection, undefined where it resolved; or what is wrong with its end. */
async function endOf({ what, ask, mayResolve }: Question): Promise<BusErrorCode | undefined> {
  const answer = (async () => ask())().then(
    () => undefined,
    (error: unknown) => error,
  );
  await turn();
  const end = await Promise.race([answer, overdue(unansweredMs).then(() => "overdue" as const)]);
  if (end === "overdue") throw new Error(`${what} did not end in its time`);
  if (end === undefined && mayResolve) return undefined;
  const code = isBusError(end) ? end.code : undefined;
  if (code === undefined || !unanswered.includes(code)) throw new Error(`${what}: ${code ?? ""} ${end ?? "resolved"}`);
  return code;
}

/** Everything is asked of a broker that does not answer; each operation ends in its time, and says of a write what it may say. */
async function everythingEnds(scene: Scene, fault: (work: () => Promise<void>) => Promise<void>): Promise<void> {
  const bus = await scene.connect({ requestTimeoutMs: unansweredMs });
  // The broker of a busy machine may take longer than a second, too.
  const questions = await patiently(() => everyQuestion(scene, bus));
  let ends: readonly PromiseSettledResult<BusErrorCode | undefined>[] = [];
  await fault(async () => {
    const asked: Promise<BusErrorCode | undefined>[] = [];
    for (const question of questions) {
      const end = endOf(question);
      end.catch(() => undefined);
      asked.push(end);
      // A turn each: the time of one is not that of the next.
      await turn();
    }
    ends = await Promise.allSettled(asked);
  });
  expect(ends.flatMap((end) => (end.status === "rejected" ? [String(end.reason)] : []))).toEqual([]);
  for (const [index, { what, count }] of questions.entries()) {
    if (count === undefined) continue;
    const { value: code } = ends[index] as PromiseFulfilledResult<BusErrorCode>;
    // Only "indefinite" leaves open whether it happened.
    expect(await count(), `${what} after ${code}`).toBeLessThanOrEqual(code === "indefinite" ? 1 : 0);
  }
  await worksAgain(scene, bus);
  // What it holds is not waited for.
  await bus.close({ drainMs: 0 });
}

/** The connection is what it was, without anybody's help. */
export async function worksAgain(scene: Scene, bus: Bus): Promise<void> {
  const name = scene.name();
  const box = await patiently(() => bus.mailbox<number>(name));
  await patiently(() => box.send(1, { id: "once" }));
  expect((await box.info()).waiting).toBe(1);
}

/** Repeats what a broker that is just coming back may still refuse. */
export async function patiently<T>(operation: () => Promise<T>): Promise<T> {
  const again = async (): Promise<T> => {
    try {
      return await operation();
    } catch (error) {
      if (!unanswered.includes((error as { code: BusErrorCode }).code)) throw error;
      return again();
    }
  };
  return guard(again(), "the broker to answer again");
}

async function takesHonestly(scene: Scene): Promise<void> {
  const bus = await scene.connect({ requestTimeoutMs: 300 });
  const name = scene.name();
  const space = await bus.space(name);
  await space.outMany([["a"], ["b"]]);
  const codes: BusErrorCode[] = [];
  await whilePaused(scene, async () => {
    const controller = new AbortController();
    const aborted = space.in(["b"], { signal: controller.signal });
    codes.push((await rejection(space.in(["a"], { timeoutMs: 100 }), ...unanswered)).code);
    controller.abort();
    codes.push((await rejection(aborted, "aborted", "indefinite")).code);
  });
  const same = await scene.bus.space(name);
  for (const [index, field] of ["a", "b"].entries()) {
    // "timeout", "unavailable" and "aborted" say that nothing was taken.
    if (codes[index] !== "indefinite") expect(await same.count([field]), `${field} after ${codes[index]}`).toBe(1);
  }
}

/** What was claimed for one that has given up comes back by the end of its lease or because it is given back: once. */
async function comesBackOnce(scene: Scene): Promise<void> {
  const space = await (await scene.connect()).space(scene.name());
  const count = 50;
  await space.outMany(range(count).map((n) => ["claimed", n]));
  await whilePaused(scene, async () => {
    const claims = range(count).map((n) => space.claim(["claimed", n], { timeoutMs: 50, leaseMs: 1 }));
    await Promise.all(claims.map((claim) => rejection(claim, ...unanswered)));
  });
  const there = (): Promise<number> => space.count(["claimed", Number]);
  while ((await there()) < count);
  // What is answered late comes before this, and what is done about it before the next.
  await there();
  expect(await there()).toBe(count);
}

async function callsInFlight(scene: Scene): Promise<void> {
  const [serving, calling] = [await scene.connect(), await scene.connect()];
  const address = scene.name();
  const started = Promise.withResolvers<void>();
  const service = {
    wait: () => {
      started.resolve();
      return new Promise<void>(() => undefined);
    },
    quick: (n: number) => n,
  };
  await serving.serve(address, service);
  const stub = calling.client<typeof service>(address, { timeoutMs: 15_000 });
  const call = stub.wait();
  await guard(started.promise, "the call to start");
  await whileDead(scene, async () => undefined);
  await rejection(call, "indefinite");
  const answered = async (): Promise<number> => {
    try {
      return await stub.quick(7);
    } catch (error) {
      // Until the server has registered again nobody serves the address.
      if (!["no-responder", ...unanswered].includes((error as { code: string }).code)) throw error;
      return answered();
    }
  };
  expect(await guard(answered(), "the server to be back")).toBe(7);
  await serving.close({ drainMs: 0 });
}

async function connects(scene: Scene): Promise<void> {
  await whileDead(scene, async () => {
    await rejection(scene.connect({ timeoutMs: 200 }), "unavailable");
    const controller = new AbortController();
    const aborted = scene.connect({ timeoutMs: 20_000, signal: controller.signal });
    controller.abort();
    await rejection(aborted, "aborted");
  });
  await scene.broker.kill();
  const patient = scene.connect({ timeoutMs: 20_000 });
  await scene.broker.restart();
  await worksAgain(scene, await guard(patient, "the connection that kept trying"));
  await whilePaused(scene, async () => {
    await rejection(scene.connect({ timeoutMs: 200 }), "unavailable");
  });
}

async function closes(scene: Scene, fault: (work: () => Promise<void>) => Promise<void>): Promise<void> {
  const bus = await scene.connect();
  const name = scene.name();
  const space = await bus.space(name);
  const box = await bus.mailbox(name);
  const loops = [collect(await bus.subscribe(name)), collect(await box.receive())];
  const waiting = space.in(["never"]);
  await fault(async () => {
    const publishing = bus.publish(name, 1).catch(() => undefined);
    const closing = bus.close({ drainMs: 200 });
    await rejection(waiting, "closed", "indefinite");
    await guard(closing, "the close");
    await guard(publishing, "the publish");
    for (const loop of loops) {
      await guard(
        loop.ended.catch(() => undefined),
        "a loop to end",
      );
    }
    await rejection(bus.publish(name, 2), "closed");
  });
}

export const faultClauses: readonly Clause[] = [
  faultClause(
    "fault/paused",
    "with the broker stopped every operation ends in its time, and says what it may say",
    (scene) => everythingEnds(scene, (work) => whilePaused(scene, work)),
  ),
  faultClause(
    "fault/killed",
    "with the broker gone every operation ends in its time, and says what it may say",
    (scene) => everythingEnds(scene, (work) => whileDead(scene, work)),
  ),
  faultClause("fault/take", "an `in` that gave up on a stopped broker took nothing, or says indefinite", takesHonestly),
  faultClause("fault/claim", "what a claim that gave up on a stopped broker got comes back, once", comesBackOnce),
  faultClause(
    "fault/call",
    "a call in flight when the broker dies is indefinite; its server is back with the broker",
    callsInFlight,
  ),
  faultClause("fault/connect", "connect keeps trying until its timeout or signal", connects),
  faultClause("fault/close-paused", "close ends with the broker stopped", (scene) =>
    closes(scene, (work) => whilePaused(scene, work)),
  ),
  faultClause("fault/close-killed", "close ends with the broker gone", (scene) =>
    closes(scene, (work) => whileDead(scene, work)),
  ),
];
