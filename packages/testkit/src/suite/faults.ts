import type { Bus, BusErrorCode, BusStatus } from "@quadrant/contract";
import { expect } from "vitest";
import { type Clause, faultClause } from "./clause.ts";
import { type Collected, collect, gather } from "./collected.ts";
import { guard } from "./guard.ts";
import { rejection } from "./rejection.ts";
import type { Scene } from "./scene.ts";

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

/** What may be said of an operation that a broker did not answer. */
const unanswered: readonly BusErrorCode[] = ["unavailable", "timeout", "indefinite"];

interface Written {
  readonly what: string;
  readonly code: BusErrorCode;
  /** How often it happened, asked when the broker answers again. */
  readonly count: () => Promise<number>;
}

/** Everything is asked of a broker that does not answer; each operation ends, and says of a write what it may say. */
async function everythingEnds(scene: Scene, fault: (work: () => Promise<void>) => Promise<void>): Promise<void> {
  const bus = await scene.connect({ requestTimeoutMs: 300 });
  const name = scene.name();
  const [log, box, space] = [await bus.log<number>(name), await bus.mailbox<number>(name), await bus.space(name)];
  await bus.serve(name, { run: () => 1 });
  const wait = { timeoutMs: 300 };
  const written: Written[] = [];
  await fault(async () => {
    const ended = (what: string, operation: PromiseLike<unknown>): Promise<BusErrorCode> =>
      rejection(operation, ...unanswered).then(
        (error) => error.code,
        (error: Error) => expect.fail(`${what}: ${error.message}`),
      );
    const writes: readonly (readonly [string, Promise<unknown>, () => Promise<number>])[] = [
      ["append", log.append("s", 1), async () => (await (await scene.bus.log(name)).info()).count],
      ["send", box.send(1), async () => (await (await scene.bus.mailbox(name)).info()).waiting],
      ["out", space.out(["t"], wait), async () => (await scene.bus.space(name)).count(["t"])],
      ["out without a timeout", space.out(["v"]), async () => (await scene.bus.space(name)).count(["v"])],
      ["outMany", space.outMany([["u"]]), async () => (await scene.bus.space(name)).count(["u"])],
    ];
    const others: readonly (readonly [string, PromiseLike<unknown>])[] = [
      ["subscribe", bus.subscribe(name)],
      ["log", bus.log(scene.name())],
      ["mailbox", bus.mailbox(scene.name())],
      ["space", bus.space(scene.name())],
      ["read", gather(log.read({ to: "end" }))],
      ["log.info", log.info()],
      ["mailbox.info", box.info()],
      ["peek", box.peek()],
      ["purge", box.purge()],
      ["in", space.in(["none"], wait)],
      ["rd", space.rd(["none"], wait)],
      ["inp", space.inp(["none"])],
      ["count", space.count(["none"])],
      ["claim", space.claim(["none"], wait)],
      ["call", bus.client<{ run(): number }>(name, wait).run()],
      ["services", bus.services()],
      ["list", bus.list("mailbox")],
      ["flush", bus.publish(name, 1).then(() => bus.flush())],
    ];
    const [codes] = await Promise.all([
      Promise.all(writes.map(([what, operation]) => ended(what, operation))),
      Promise.all(others.map(([what, operation]) => ended(what, operation))),
    ]);
    for (const [index, [what, , count]] of writes.entries()) written.push({ what, code: codes[index]!, count });
  });
  for (const { what, code, count } of written) {
    // Only "indefinite" leaves open whether it happened.
    const times = await count();
    expect(times, `${what} after ${code}`).toBeLessThanOrEqual(code === "indefinite" ? 1 : 0);
  }
  await worksAgain(scene, bus);
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
  faultClause("fault/paused", "with the broker stopped every operation ends, and says what it may say", (scene) =>
    everythingEnds(scene, (work) => whilePaused(scene, work)),
  ),
  faultClause("fault/killed", "with the broker gone every operation ends, and says what it may say", (scene) =>
    everythingEnds(scene, (work) => whileDead(scene, work)),
  ),
  faultClause("fault/take", "an `in` that gave up on a stopped broker took nothing, or says indefinite", takesHonestly),
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
