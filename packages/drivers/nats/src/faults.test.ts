import { type Bus, type BusError, connect, type Mailbox } from "@quadrant/bus";
import { type StartedBroker, startBroker } from "@quadrant/testkit/brokers";
import { faultProxy } from "@quadrant/testkit/faults";
import { afterEach, describe, expect, it } from "vitest";

const owned: AsyncDisposable[] = [];

afterEach(async () => {
  for (const each of owned.splice(0).reverse()) await each[Symbol.asyncDispose]();
});

async function server(): Promise<StartedBroker> {
  const broker = await startBroker("nats");
  owned.push(broker);
  return broker;
}

async function open(url: string, requestTimeoutMs: number = 10_000): Promise<Bus> {
  const bus = await connect(url, { requestTimeoutMs });
  owned.push({ [Symbol.asyncDispose]: () => bus.close({ drainMs: 200 }) });
  return bus;
}

describe("a server that is killed twice under load", () => {
  it("loses no acknowledged letter, and handles none that was not sent", { timeout: 120_000 }, async () => {
    const broker = await server();
    const [sender, receiver] = [await open(broker.url), await open(broker.url)];
    const box = await sender.mailbox<number>("jobs");
    const same = await receiver.mailbox<number>("jobs");
    const handled = new Map<number, number>();
    const [lanes, concurrency] = [32, 8];
    const worker = await same.process((letter) => void handled.set(letter.data, (handled.get(letter.data) ?? 0) + 1), {
      concurrency,
    });
    const count = 4_000;
    const acknowledged = new Set<number>();
    const unknown = new Set<number>();
    let next = 0;
    const sending = Array.from({ length: lanes }, async () => {
      while (next < count) {
        const n = next++;
        await box.send(n).then(
          () => acknowledged.add(n),
          (error: BusError) => {
            if (error.code === "indefinite") unknown.add(n);
          },
        );
      }
    });
    for (const share of [count / 3, count / 2]) {
      await expect.poll(() => acknowledged.size, { timeout: 30_000 }).toBeGreaterThan(share);
      await broker.kill();
      await broker.restart();
    }
    await Promise.all(sending);
    await expect.poll(() => [...acknowledged].filter((n) => !handled.has(n)).length, { timeout: 60_000 }).toBe(0);
    expect([...handled.keys()].filter((n) => !acknowledged.has(n) && !unknown.has(n))).toEqual([]);
    // Twice comes only what was being sent, or handled, in the instant of a kill.
    const repeated = [...handled.values()].reduce((sum, times) => sum + times - 1, 0);
    expect(repeated).toBeLessThanOrEqual(2 * (lanes + concurrency));
    await worker[Symbol.asyncDispose]();
  });
});

/** What became of each write, by its number. */
class Outcomes {
  readonly done = new Set<number>();
  readonly failed = new Map<number, string>();
  readonly indefinite = new Set<number>();

  get size(): number {
    return this.done.size + this.failed.size + this.indefinite.size;
  }

  async of(n: number, write: Promise<unknown>): Promise<void> {
    try {
      await write;
      this.done.add(n);
    } catch (error) {
      const { code } = error as BusError;
      if (code === "indefinite") this.indefinite.add(n);
      else this.failed.set(n, code);
    }
  }

  /** Against how often each is stored: what is done once, what has failed never, and of the rest nobody knows. */
  reconcile(stored: ReadonlyMap<number, number>): void {
    const times = (numbers: Iterable<number>): number[] => [...numbers].map((n) => stored.get(n) ?? 0);
    expect([...this.done].filter((n) => stored.get(n) !== 1)).toEqual([]);
    expect([...this.failed].filter(([n]) => stored.has(n))).toEqual([]);
    expect(Math.max(0, ...times(this.indefinite))).toBeLessThanOrEqual(1);
    const found = times(this.indefinite).reduce((sum, count) => sum + count, 0);
    expect([...stored.values()].reduce((sum, count) => sum + count, 0)).toBe(this.done.size + found);
  }
}

function counted(numbers: Iterable<number>): Map<number, number> {
  const counts = new Map<number, number>();
  for (const n of numbers) counts.set(n, (counts.get(n) ?? 0) + 1);
  return counts;
}

describe("writes amid faults", () => {
  it("each is done, failed or indefinite, and the streams hold what that says", { timeout: 120_000 }, async () => {
    const broker = await server();
    const proxy = await faultProxy(broker.url);
    owned.push(proxy);
    const [bus, other] = [await open(proxy.url, 1_000), await open(broker.url)];
    const [log, box] = [await bus.log<number>("l"), await bus.mailbox<number>("b")];
    const [entries, letters] = [new Outcomes(), new Outcomes()];
    let writing = true;
    let next = 0;
    const lanes = Array.from({ length: 16 }, async () => {
      while (writing) {
        const n = next++;
        await Promise.all([entries.of(n, log.append("s", n)), letters.of(n, box.send(n))]);
      }
    });
    const more = async (count: number): Promise<void> => {
      const before = entries.done.size;
      await expect.poll(() => entries.done.size, { timeout: 30_000 }).toBeGreaterThan(before + count);
    };
    try {
      await more(200);
      for (let cut = 0; cut < 5; cut++) {
        await proxy.reset();
        await more(200);
      }
      await broker.kill();
      await broker.restart();
      await more(200);
      // Longer than a write waits for its answer: what was on its way stays unknown, what comes then is not even sent.
      await broker.kill();
      await expect
        .poll(() => Math.min(entries.failed.size, letters.failed.size), { timeout: 30_000 })
        .toBeGreaterThan(0);
      await broker.restart();
      await more(200);
    } finally {
      writing = false;
    }
    await Promise.all(lanes);

    expect([entries.size, letters.size]).toEqual([next, next]);
    for (const { failed } of [entries, letters]) expect(new Set(failed.values())).toEqual(new Set(["unavailable"]));
    expect(entries.indefinite.size + letters.indefinite.size).toBeGreaterThan(0);
    const stored: number[] = [];
    for await (const { data } of (await other.log<number>("l")).read({ to: "end" })) stored.push(data);
    entries.reconcile(counted(stored));
    const received = await emptied(await other.mailbox<number>("b"));
    letters.reconcile(received);
  });
});

/** How often each letter was in it; each is acknowledged at once. */
async function emptied(box: Mailbox<number>): Promise<Map<number, number>> {
  const received: number[] = [];
  const worker = await box.process(({ data }) => void received.push(data), { concurrency: 64 });
  await expect
    .poll(
      async () => {
        const { waiting, held } = await box.info();
        return waiting + held;
      },
      { timeout: 30_000 },
    )
    .toBe(0);
  await worker[Symbol.asyncDispose]();
  return counted(received);
}

describe("a connection that is cut", () => {
  it("comes back with its subscriptions, receivers and servers, each once", { timeout: 60_000 }, async () => {
    const broker = await server();
    const proxy = await faultProxy(broker.url);
    owned.push(proxy);
    const [bus, other] = [await open(proxy.url), await open(broker.url)];
    const received: number[] = [];
    const subscription = await bus.subscribe<number>("s");
    const loop = (async () => {
      for await (const { data } of subscription) received.push(data);
    })();
    await bus.serve("calc", { add: (a: number, b: number) => a + b });
    const box = await bus.mailbox<number>("jobs");
    const handled: number[] = [];
    const worker = await box.process((letter) => void handled.push(letter.data));
    const stub = other.client<{ add(a: number, b: number): number }>("calc", { timeoutMs: 20_000 });
    const same = await other.mailbox<number>("jobs");
    for (let round = 0; round < 3; round++) {
      const back = statusOf(bus, "reconnected");
      await proxy.reset();
      await back;
      await other.publish("s", round);
      await same.send(round);
      await expect.poll(() => received.at(-1), { timeout: 10_000 }).toBe(round);
      await expect.poll(() => handled.at(-1), { timeout: 10_000 }).toBe(round);
      expect(await stub.add(round, 1)).toBe(round + 1);
    }
    expect(received).toEqual([0, 1, 2]);
    expect(handled).toEqual([0, 1, 2]);
    await worker[Symbol.asyncDispose]();
    await subscription[Symbol.asyncDispose]();
    await loop;
  });
});

describe("many mailboxes", () => {
  it("cost no stream each, and a consumer only while somebody receives", { timeout: 120_000 }, async () => {
    const bus = await open((await server()).url);
    const names = Array.from({ length: 2_000 }, (_, n) => `many.${n}`);
    const boxes = await Promise.all(names.map((name) => bus.mailbox<number>(name)));
    await Promise.all(boxes.map((box, n) => box.send(n)));
    expect((await bus.list("mailbox")).filter((name) => name.startsWith("many."))).toHaveLength(2_000);
    expect(await boxes[1_234]!.info()).toMatchObject({ waiting: 1 });
    const iterator = (await boxes[1_999]!.receive())[Symbol.asyncIterator]();
    const { value } = await iterator.next();
    expect(value?.data).toBe(1_999);
    await value?.ack();
    await iterator.return?.();
  });
});

async function statusOf(bus: Bus, kind: string): Promise<void> {
  for await (const status of bus.status()) if (status.kind === kind) return;
}
