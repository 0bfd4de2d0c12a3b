import { readdir } from "node:fs/promises";
import type { Bus, BusStatus, Delivery } from "@quadrant/contract";
import { expect } from "vitest";
import { type Clause, clause } from "./clause.ts";
import { collect, next } from "./collected.ts";
import { eventually, gate, guard } from "./guard.ts";
import { range } from "./range.ts";
import { rejection } from "./rejection.ts";
import type { Scene } from "./scene.ts";

async function closesOnce(scene: Scene): Promise<void> {
  const bus = await scene.connect();
  await bus.publish(scene.name(), 1);
  await guard(Promise.all([bus.close(), bus.close(), bus[Symbol.asyncDispose]()]), "three closes at once");
  await guard(bus.close({ drainMs: 0 }), "a late close");
  await guard(bus[Symbol.asyncDispose](), "a late dispose");
}

interface Opened {
  readonly what: string;
  use(): PromiseLike<unknown>;
}

function use(what: string, operation: () => PromiseLike<unknown>): Opened {
  return { what, use: operation };
}

async function blobOperations(bus: Bus, name: string): Promise<readonly Opened[]> {
  const store = await bus.blobs(name);
  await store.put("blob", new Uint8Array(1));
  return [
    use("blobs", () => bus.blobs(name)),
    use("put", () => store.put("blob", new Uint8Array(1))),
    use("get", () => store.get("blob")),
    use("delete", () => store.delete("blob")),
    use("blobs.list", () => store.list()),
    use("blobs.destroy", () => store.destroy()),
  ];
}

/** Everything a connection can be asked for, and everything asked of what it gave. */
async function everyOperation(bus: Bus, name: string): Promise<readonly Opened[]> {
  const log = await bus.log<number>(name);
  const box = await bus.mailbox<number>(name);
  const space = await bus.space(name);
  const lease = await space.out(["t"], { leaseMs: 60_000 });
  await space.out(["claimed"]);
  const claim = await space.claim(["claimed"]);
  const stub = bus.client<{ run(): number }>(name);
  return [
    ...(await blobOperations(bus, name)),
    use("publish", () => bus.publish(name, 1)),
    use("subscribe", () => bus.subscribe(name)),
    use("log", () => bus.log(name)),
    use("mailbox", () => bus.mailbox(name)),
    use("space", () => bus.space(name)),
    use("serve", () => bus.serve(name, { run: () => 1 })),
    use("call", () => stub.run()),
    use("call of a new stub", () => bus.client<{ run(): number }>(name).run()),
    use("services", () => bus.services()),
    use("list", () => bus.list("mailbox")),
    use("flush", () => bus.flush()),
    use("append", () => log.append("s", 1)),
    use("read", () => log.read({ to: "end" })[Symbol.asyncIterator]().next()),
    use("log.subscribe", () => log.subscribe({ durable: "d" })),
    use("log.last", () => log.last("s")),
    use("log.info", () => log.info()),
    use("log.deadLetters", () => log.deadLetters("d")),
    use("log.redrive", () => log.redrive("d")),
    use("log.destroy", () => log.destroy()),
    use("send", () => box.send(1)),
    use("sendMany", () => box.sendMany([1])),
    use("receive", () => box.receive()),
    use("process", () => box.process(() => undefined)),
    use("mailbox.info", () => box.info()),
    use("peek", () => box.peek()),
    use("deadLetters", () => box.deadLetters()),
    use("redrive", () => box.redrive()),
    use("purge", () => box.purge()),
    use("mailbox.destroy", () => box.destroy()),
    use("out", () => space.out(["t"])),
    use("outMany", () => space.outMany([["t"]])),
    use("in", () => space.in(["t"])),
    use("rd", () => space.rd(["t"])),
    use("inp", () => space.inp(["t"])),
    use("rdp", () => space.rdp(["t"])),
    use("inMany", () => space.inMany(["t"], { max: 1 })),
    use("rdAll", () => space.rdAll(["t"])),
    use("count", () => space.count(["t"])),
    use("claim", () => space.claim(["t"])),
    use("eval", () => space.eval(() => ["t"])),
    use("space.destroy", () => space.destroy()),
    use("lease.renew", () => lease.renew(1_000)),
    use("claim.extend", () => claim.extend(1_000)),
  ];
}

async function usedAfterwards(scene: Scene): Promise<void> {
  const bus = await scene.connect();
  const name = scene.name();
  const operations = await everyOperation(bus, name);
  await bus.close({ drainMs: 0 });
  for (const { what, use: again } of operations) {
    // A claim that close gave back is stale rather than closed.
    const codes = what === "claim.extend" ? (["closed", "stale"] as const) : (["closed"] as const);
    await rejection((async () => again())(), ...codes).catch((error: Error) =>
      expect.fail(`${what} after close: ${error.message}`),
    );
  }
  const box = await scene.bus.mailbox(name);
  expect(await box.info()).toEqual({ waiting: 0, held: 0, delayed: 0, dead: 0 });
  await scene.other.log(name).then((log) => log.destroy());
  await scene.other.blobs(name).then((store) => store.destroy());
}

async function drains(scene: Scene): Promise<void> {
  const bus = await scene.connect();
  const name = scene.name();
  const finish = gate();
  const box = await bus.mailbox<number>(name);
  const done: number[] = [];
  let handling = false;
  await box.process(async (letter) => {
    handling = true;
    await finish.opened;
    await bus.publish(`${name}.done`, letter.data);
    done.push(letter.data);
  });
  let running = false;
  const service = {
    async slow(n: number) {
      running = true;
      await finish.opened;
      return n;
    },
  };
  await bus.serve(name, service);
  const messages = scene.own(await scene.other.subscribe<number>(`${name}.done`))[Symbol.asyncIterator]();
  const same = await scene.other.mailbox<number>(name);
  await same.send(7);
  const call = scene.other.client<typeof service>(name, { timeoutMs: 30_000 }).slow(8);
  await eventually("the letter to be held", async () => (await same.info()).held === 1);
  // Held by the broker, it may still be on its way: what is not in hand yet goes back.
  await eventually("the handler to run", () => handling);
  await eventually("the call to run", () => running);
  const closing = bus.close();
  finish.open();
  expect(await guard(call, "the call in flight")).toBe(8);
  await guard(closing, "the close");
  expect(done).toEqual([7]);
  expect((await next(messages)).data).toBe(7);
  expect(await same.info()).toEqual({ waiting: 0, held: 0, delayed: 0, dead: 0 });
}

async function drainsForSoLong(scene: Scene): Promise<void> {
  const bus = await scene.connect();
  const box = await bus.mailbox<number>(scene.name());
  const started: Delivery<number>[] = [];
  const never = gate();
  scene.own({ [Symbol.asyncDispose]: async () => never.open() });
  await box.process(async (letter) => {
    started.push(letter);
    await never.opened;
  });
  const same = await scene.other.mailbox<number>(box.address);
  await same.send(1);
  await eventually("the handler to run", () => started.length === 1);
  await guard(bus.close({ drainMs: 50 }), "a close that does not wait for ever");
  expect(started[0]!.signal.aborted).toBe(true);
  const again = await next(scene.own(await same.receive())[Symbol.asyncIterator]());
  expect(again).toMatchObject({ data: 1, attempt: 2 });
  await again.ack();
}

async function endsWhatWaits(scene: Scene): Promise<void> {
  const bus = await scene.connect();
  const name = scene.name();
  const space = await bus.space(name);
  const log = await bus.log(name);
  const box = await bus.mailbox(name);
  const waiting = [space.in(["t"]), space.rd(["t"]), space.claim(["t"])];
  const loops = [
    collect(await bus.subscribe(name)),
    collect(await box.receive()),
    collect(await log.subscribe({ durable: "d" })),
  ];
  const reading = collect(log.read());
  await Promise.all([
    guard(bus.close({ drainMs: 200 }), "the close"),
    ...waiting.map((each) => rejection(each, "closed")),
  ]);
  for (const loop of loops) await guard(loop.ended, "a loop to end");
  await guard(
    reading.ended.catch((error: { code?: string }) => expect(error.code).toBe("closed")),
    "the reading loop to end",
  );
  await (await scene.other.log(name)).destroy();
}

async function callEnds(scene: Scene): Promise<void> {
  const address = scene.name();
  const never = gate();
  const service = { wait: () => never.opened };
  scene.own(await scene.other.serve(address, service));
  scene.own({ [Symbol.asyncDispose]: async () => never.open() });
  const bus = await scene.connect();
  const call = bus.client<typeof service>(address, { timeoutMs: 60_000 }).wait();
  await Promise.all([guard(bus.close({ drainMs: 50 }), "the close"), rejection(call, "closed", "indefinite")]);
}

async function statuses(scene: Scene): Promise<void> {
  const bus = await scene.connect();
  const first = collect<BusStatus>(bus.status());
  const second = collect<BusStatus>(bus.status());
  await first.atLeast(1);
  await bus.publish(scene.name(), 1);
  await bus.close();
  for (const each of [first, second]) {
    await guard(each.ended, "the status loop to end");
    expect(each.items.map((status) => status.kind)).toEqual(["connected", "closed"]);
    for (const status of each.items) expect(status.at).toBeInstanceOf(Date);
  }
}

async function underLoad(scene: Scene): Promise<void> {
  const subject = scene.name();
  const messages = collect(scene.own(await scene.bus.subscribe<number>(subject, { buffer: 100_000 })));
  const bus = await scene.connect();
  let accepted = 0;
  const publishing = range(5_000).map((n) =>
    bus.publish(subject, n).then(
      () => accepted++,
      (error: { code: string }) => expect(error.code).toBe("closed"),
    ),
  );
  await guard(Promise.all([bus.close(), ...publishing]), "the close and every publish");
  await messages.atLeast(accepted);
  const data = messages.items.map((message) => message.data);
  expect(data).toEqual(data.toSorted((a, b) => a - b));
  expect(new Set(data).size).toBe(data.length);
}

/** What the process holds open, as far as it can be told: what keeps it alive, and on Linux its file descriptors. */
async function openHandles(): Promise<number> {
  const descriptors = await readdir("/proc/self/fd").catch(() => []);
  return process.getActiveResourcesInfo().filter((kind) => kind !== "Timeout").length + descriptors.length;
}

async function leavesNothing(scene: Scene): Promise<void> {
  const use = async (): Promise<void> => {
    const bus = await scene.connect();
    const name = scene.name();
    const box = await bus.mailbox(name);
    await Promise.all([bus.subscribe(name), box.receive(), box.process(() => undefined)]);
    await bus.serve(name, { run: () => 1 });
    const waiting = (await bus.space(name)).in(["never"]).catch(() => undefined);
    await bus.client<{ run(): number }>(name).run();
    await bus.close({ drainMs: 100 });
    await waiting;
  };
  await use();
  const before = await openHandles();
  await Promise.all(range(5).map(use));
  await eventually("what five connections held to be released", async () => (await openHandles()) <= before);
}

async function manyConnections(scene: Scene): Promise<void> {
  const subject = scene.name();
  const messages = collect(scene.own(await scene.bus.subscribe<number>(subject)));
  const buses = await Promise.all(range(20).map(() => scene.connect()));
  await Promise.all(buses.map((bus, n) => bus.publish(subject, n)));
  await Promise.all(buses.map((bus) => bus.close()));
  await messages.atLeast(20);
  expect(messages.items.map(({ data }) => data).toSorted((a, b) => a - b)).toEqual(range(20));
}

export const busCloseClauses: readonly Clause[] = [
  clause("close/twice", "closing twice, or at once, is harmless", closesOnce),
  clause("close/used-after", "every operation after close is closed, at once", usedAfterwards),
  clause("close/drain", "close lets handlers and calls in flight finish and sends what they sent", drains),
  clause("close/drain-limit", "close waits drainMs at most; what is unfinished is given back", drainsForSoLong),
  clause("close/waiters", "close ends what waits: operations are closed, loops end", endsWhatWaits),
  clause("close/calls", "close ends the calls it waits for", callEnds),
  clause("close/status", "a status listener sees connected first and closed last, then ends", statuses),
  clause(
    "close/under-load",
    "a close amid publishing: what was accepted arrives, in order, the rest is closed",
    underLoad,
  ),
  clause("close/leaves-nothing", "after close nothing is left open", leavesNothing),
  clause("close/many", "twenty connections come, publish and go", manyConnections),
];
