import { connect } from "@quadrant/bus";
import type { Bus, BusError } from "@quadrant/contract";
import { type StartedBroker, startBroker } from "@quadrant/testkit/brokers";
import { type FaultProxy, faultProxy } from "@quadrant/testkit/faults";
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";

let broker: StartedBroker;
let proxy: FaultProxy;
const buses: Bus[] = [];

beforeAll(async () => {
  broker = await startBroker("redis", { durable: "always" });
  proxy = await faultProxy(broker.url);
});
afterEach(async () => {
  await proxy.heal();
  await Promise.all(buses.splice(0).map((bus) => bus.close({ drainMs: 100 })));
});
afterAll(async () => {
  await proxy.close();
  await broker[Symbol.asyncDispose]();
});

async function open(url: string): Promise<Bus> {
  const bus = await connect(url, { requestTimeoutMs: 15_000 });
  buses.push(bus);
  return bus;
}

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1));

async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await what())) await turn();
}

/** Resets every connection through the proxy, again and again, whenever `progress` has moved on, until `work` is done. */
async function throughResets(work: Promise<unknown>, progress: () => number, times: number): Promise<void> {
  let done = false;
  const ended = work.finally(() => {
    done = true;
  });
  for (let reset = 0; reset < times && !done; reset++) {
    const before = progress();
    await until(() => done || progress() > before + 5);
    await proxy.reset();
  }
  await ended;
}

test("letters sent while connections break are there once each", async () => {
  const [bus, other] = [await open(proxy.url), await open(broker.url)];
  const box = await bus.mailbox<number>("sent");
  const sent = new Set<number>();
  const unknown = new Set<number>();
  const send = async (n: number): Promise<void> => {
    await box.send(n).then(
      () => sent.add(n),
      (error: BusError) => {
        if (error.code === "indefinite") unknown.add(n);
      },
    );
  };
  const sending = (async () => {
    for (let n = 0; n < 400; n += 4) await Promise.all([0, 1, 2, 3].map((add) => send(n + add)));
  })();
  await throughResets(sending, () => sent.size, 15);
  const letters = (await (await other.mailbox<number>("sent")).peek(1_000)).map(({ data }) => data);
  expect(letters).toHaveLength(new Set(letters).size);
  expect([...sent].filter((n) => !letters.includes(n))).toEqual([]);
  expect(letters.filter((n) => !sent.has(n) && !unknown.has(n))).toEqual([]);
  // Asked again with their numbers: the server knows what it has done.
  expect(unknown.size).toBe(0);
});

test("letters handled while connections break are handled once each", async () => {
  const [bus, other] = [await open(proxy.url), await open(broker.url)];
  const box = await other.mailbox<number>("handled", { leaseMs: 20_000 });
  await box.sendMany(Array.from({ length: 300 }, (_, n) => n));
  const handled: number[] = [];
  const worker = await (await bus.mailbox<number>("handled")).process((letter) => void handled.push(letter.data));
  await throughResets(
    until(async () => {
      const { waiting, held } = await box.info();
      return waiting + held === 0;
    }),
    () => handled.length,
    10,
  );
  await worker[Symbol.asyncDispose]();
  expect(handled.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 300 }, (_, n) => n));
});

test("tuples taken while connections break are taken once each, and none is lost", async () => {
  const [bus, other] = [await open(proxy.url), await open(broker.url)];
  const [space, same] = [await other.space("taken"), await bus.space("taken")];
  const taken: number[] = [];
  const count = 300;
  const takers = Array.from({ length: 8 }, async () => {
    for (;;) {
      const [, n] = await same.in(["t", Number]);
      if (n < 0) return;
      taken.push(n);
    }
  });
  const putting = (async () => {
    for (let n = 0; n < count; n++) {
      await space.out(["t", n]);
      if (n % 10 === 0) await turn();
    }
    await until(() => taken.length >= count);
    await space.outMany(takers.map(() => ["t", -1]));
    await Promise.all(takers);
  })();
  await throughResets(putting, () => taken.length, 12);
  expect(taken.toSorted((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, n) => n));
  expect(await space.count(["t", Number])).toBe(0);
});

test("entries appended while connections break are there once each, in order", async () => {
  const bus = await open(proxy.url);
  const log = await bus.log<number>("appended");
  const sequences: number[] = [];
  const appending = (async () => {
    for (let n = 0; n < 200; n++) sequences.push((await log.append("s", n)).seq);
  })();
  await throughResets(appending, () => sequences.length, 12);
  expect(sequences).toEqual(Array.from({ length: 200 }, (_, n) => n + 1));
  const entries: number[] = [];
  for await (const { data } of log.read({ to: "end" })) entries.push(data);
  expect(entries).toEqual(Array.from({ length: 200 }, (_, n) => n));
});

test("messages published while connections break arrive once each, in order, at plain subscribers and in a group", async () => {
  const [bus, other] = [await open(proxy.url), await open(broker.url)];
  const plain: number[] = [];
  const shared: number[] = [];
  const collect = async (into: number[], group?: string): Promise<void> => {
    const messages = await other.subscribe<number>("resets", { buffer: 10_000, group });
    void (async () => {
      for await (const { data } of messages) into.push(data);
    })();
  };
  await Promise.all([collect(plain), collect(shared, "g"), collect(shared, "g")]);
  const publishing = (async () => {
    for (let n = 0; n < 600; n++) {
      await bus.publish("resets", n);
      if (n % 5 === 0) await turn();
    }
    await bus.flush();
    await until(() => plain.at(-1) === 599 && shared.length >= 600);
  })();
  await throughResets(publishing, () => plain.length, 12);
  expect(plain).toEqual(Array.from({ length: 600 }, (_, n) => n));
  expect(shared.toSorted((a, b) => a - b)).toEqual(plain);
});

test("what a subscriber misses while its connection is cut is counted", async () => {
  const [bus, other] = [await open(proxy.url), await open(broker.url)];
  const subscription = await bus.subscribe<number>("missed", { buffer: 10_000 });
  const received: number[] = [];
  void (async () => {
    for await (const { data } of subscription) received.push(data);
  })();
  await other.publish("missed", 0);
  await until(() => received.length === 1);
  let published = 1;
  for (let round = 0; round < 3; round++) {
    // Nothing is on its way: what comes afterwards came over the new connection.
    await until(() => received.at(-1) === published - 1);
    const before = received.length;
    await proxy.cut();
    for (let n = 0; n < 50; n++) await other.publish("missed", published++);
    await other.flush();
    await proxy.heal();
    await until(async () => {
      await other.publish("missed", published++);
      return received.length > before;
    });
  }
  await other.publish("missed", published++);
  await until(() => received.at(-1) === published - 1);
  expect(received.length + subscription.dropped).toBe(published);
  expect(subscription.dropped).toBeGreaterThanOrEqual(150);
});

test("a subscriber that the server cuts off for being slow hears how much it lost", async () => {
  const redis = new Redis(Number(new URL(broker.url).port));
  await redis.config("SET", "client-output-buffer-limit", "pubsub 262144 0 0");
  const [bus, other] = [await open(proxy.url), await open(broker.url)];
  const subscription = await bus.subscribe<string>("slow", { buffer: 100_000 });
  let received = 0;
  void (async () => {
    for await (const _ of subscription) received++;
  })();
  const body = "x".repeat(10_000);
  await other.publish("slow", body);
  await until(() => received === 1);
  proxy.down.silence();
  let published = 1;
  const connections = async (): Promise<number> =>
    Number(await redis.info("clients").then((info) => /connected_clients:(\d+)/.exec(info)![1]));
  const before = await connections();
  while ((await connections()) >= before) {
    for (let n = 0; n < 50; n++) await other.publish("slow", body);
    published += 50;
    await other.flush();
  }
  await proxy.heal();
  await until(async () => {
    await other.publish("slow", body);
    await other.flush();
    published++;
    return received + subscription.dropped === published;
  });
  expect(subscription.dropped).toBeGreaterThan(0);
  await redis.config("SET", "client-output-buffer-limit", "pubsub 33554432 8388608 60");
  redis.disconnect();
});

test("a call is executed at most once while connections break, and ends", async () => {
  const [bus, other] = [await open(proxy.url), await open(broker.url)];
  const executed = new Map<number, number>();
  const service = {
    run(n: number) {
      executed.set(n, (executed.get(n) ?? 0) + 1);
      return n;
    },
  };
  await other.serve("counted", service);
  const stub = bus.client<typeof service>("counted", { timeoutMs: 10_000 });
  let ended = 0;
  const calling = (async () => {
    for (let n = 0; n < 300; n++) {
      await stub.run(n).then(
        (result) => expect(result).toBe(n),
        (error: BusError) => expect(["indefinite", "no-responder", "unavailable"]).toContain(error.code),
      );
      ended++;
    }
  })();
  await throughResets(calling, () => ended, 12);
  expect([...executed.values()].filter((times) => times > 1)).toEqual([]);
  expect(ended).toBe(300);
});
