import { type Bus, type BusError, connect } from "@quadrant/bus";
import { type StartedBroker, startBroker } from "@quadrant/testkit/brokers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

let broker: StartedBroker;
let bus: Bus;
let other: Bus;

const url = (from: number): string => {
  const addresses = broker.members.map(({ address }) => address);
  return `nats://${[...addresses.slice(from), ...addresses.slice(0, from)].join(",")}?replicas=3`;
};

beforeAll(async () => {
  broker = await startBroker("nats", { cluster: true });
  bus = await connect(url(0), { ...broker.options, requestTimeoutMs: 15_000 });
  other = await connect(url(1), { ...broker.options, requestTimeoutMs: 15_000 });
}, 120_000);

afterAll(async () => {
  await bus?.close({ drainMs: 500 });
  await other?.close({ drainMs: 500 });
  await broker?.[Symbol.asyncDispose]();
});

/** Until the server that takes over has done so. */
async function patiently<T>(work: () => Promise<T>): Promise<T> {
  const end = Date.now() + 60_000;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error as BusError).retryable || Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

describe("three servers and replicas=3", () => {
  it("keep every acknowledged letter and entry when one of them is killed, and serve on", {
    timeout: 180_000,
  }, async () => {
    const box = await patiently(() => bus.mailbox<number>("b"));
    const log = await patiently(() => bus.log<number>("l"));
    const same = await other.mailbox<number>("b");
    const handled = new Set<number>();
    const worker = await same.process((letter) => void handled.add(letter.data), { concurrency: 4 });
    const count = 300;
    const work = (async () => {
      for (let n = 0; n < count; n++) {
        await patiently(() => box.send(n, { id: `letter-${n}` }));
        await patiently(() => log.append("s", n, { id: `entry-${n}` }));
      }
    })();
    await expect.poll(() => handled.size, { timeout: 60_000 }).toBeGreaterThan(50);
    await broker.members[0]!.kill();
    await work;
    await expect.poll(() => handled.size, { timeout: 90_000 }).toBe(count);
    await broker.members[0]!.restart();
    const entries: number[] = [];
    await patiently(async () => {
      entries.length = 0;
      for await (const entry of log.read({ to: "end" })) entries.push(entry.data);
    });
    expect(entries).toEqual(Array.from({ length: count }, (_, n) => n));
    await worker[Symbol.asyncDispose]();
  });

  it("says what it does not promise here", () => {
    const { how } = bus.support["log.expectLast"]!;
    expect(["native", "refused"]).toContain(how);
  });

  it("pass calls and messages from one server's clients to another's", async () => {
    await other.serve("calc", { add: (a: number, b: number) => a + b });
    const stub = bus.client<{ add(a: number, b: number): number }>("calc");
    expect(await patiently(async () => await stub.add(1, 2))).toBe(3);
    const subscription = await other.subscribe<number>("across");
    const iterator = subscription[Symbol.asyncIterator]();
    const arrived = iterator.next();
    const timer = setInterval(() => void bus.publish("across", 1), 20);
    expect((await arrived).value?.data).toBe(1);
    clearInterval(timer);
    await subscription[Symbol.asyncDispose]();
  });
});
