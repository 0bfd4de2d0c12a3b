import { once } from "node:events";
import { connect as connectTcp, createServer, type Socket } from "node:net";
import { type Driver, type Envelope, encodeTemplate, encodeTuple, isBusError, noHeaders } from "@quadrant/contract";
import { type StartedBroker, startBroker } from "@quadrant/testkit/brokers";
import { afterEach, expect, test, vi } from "vitest";
import { open, startHub } from "./index.ts";

const options = {
  name: "test",
  timeoutMs: 10_000,
  requestTimeoutMs: 10_000,
  maxPayloadBytes: 8 << 20,
  outboxBytes: 64 << 20,
};

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function client(url: string, change: Partial<typeof options> = {}): Promise<Driver> {
  const driver = await open(new URL(url), { ...options, ...change });
  cleanups.push(() => driver.close(0));
  return driver;
}

async function hub(): Promise<string> {
  const started = await startHub();
  cleanups.push(() => started[Symbol.asyncDispose]());
  return started.url;
}

async function hubProcess(): Promise<StartedBroker> {
  const broker = await startBroker("zeromq");
  cleanups.push(() => broker.kill());
  return broker;
}

/** A TCP relay, slow where told so, that can let nobody through. */
async function relay(
  url: string,
  delayMs = 0,
): Promise<{ readonly url: string; cut(): void; refuse(on: boolean): void }> {
  const sockets = new Set<Socket>();
  let refusing = false;
  const server = createServer({ noDelay: true }, (near) => {
    if (refusing) {
      near.destroy();
      return;
    }
    const far = connectTcp({ port: Number(new URL(url).port), host: "127.0.0.1", noDelay: true });
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.on("error", () => other.destroy());
      one.on("close", () => {
        sockets.delete(one);
        other.destroy();
      });
      one.on("data", (data) => {
        const pass = (): void => void (other.destroyed || other.write(data));
        if (delayMs === 0) pass();
        else setTimeout(pass, delayMs);
      });
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const cut = (): void => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  const refuse = (on: boolean): void => {
    refusing = on;
    if (on) cut();
  };
  cleanups.push(() => {
    refuse(true);
    server.close();
  });
  return { url: `zmq://127.0.0.1:${(server.address() as { port: number }).port}`, cut, refuse };
}

function envelope(subject: string, body: Uint8Array): Envelope {
  return { subject, headers: noHeaders, contentType: "", body };
}

function counter(): {
  readonly count: () => number;
  deliver(batch: readonly Envelope[]): void;
  lost(): void;
  end(): void;
} {
  let count = 0;
  return {
    count: () => count,
    deliver: (batch) => {
      count += batch.length;
    },
    lost: () => undefined,
    end: () => undefined,
  };
}

const until = (condition: () => void | Promise<void>): Promise<void> =>
  vi.waitFor(condition, { timeout: 30_000, interval: 20 });

async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => "done",
    (error: unknown) => (isBusError(error) ? error.code : String(error)),
  );
}

test("a member of a group, and a server, that leave while the hub cannot be told are gone when it can", async () => {
  const url = await hub();
  const cuttable = await relay(url);
  const away = await client(cuttable.url, { requestTimeoutMs: 100 });
  const here = await client(url);
  const statuses: string[] = [];
  away.onStatus(({ kind }) => statuses.push(kind));
  const [gone, stays] = [counter(), counter()];
  const member = await away.topics!.subscribe("g.*", "workers", gone);
  await here.topics!.subscribe("g.*", "workers", stays);
  const server = await away.calls!.serve({ address: "a", instance: "i", methods: ["m"] }, (call) => call.refuse());
  cuttable.refuse(true);
  await until(() => expect(statuses).toEqual(["disconnected"]));
  await Promise.all([member.close(), server.close()]);
  cuttable.refuse(false);
  await until(() => expect(statuses).toEqual(["disconnected", "reconnected"]));
  await away.flush();
  for (let i = 0; i < 100; i++) await here.topics!.publish(envelope("g.x", Buffer.from("x")));
  await here.flush();
  await until(() => expect(stays.count()).toBe(100));
  expect(await here.calls!.services()).toEqual([]);
});

test("flush waits for what waits for room in the outbox", async () => {
  const broker = await hubProcess();
  const publisher = await client(broker.url, { outboxBytes: 64 << 10 });
  const subscriber = await client(broker.url);
  const sink = counter();
  await subscriber.topics!.subscribe("f", undefined, sink);
  const published = [publisher.topics!.publish(envelope("f", new Uint8Array(900)))];
  // The outbox is full when one has to wait for room; one more was not written either when the flush was asked for.
  while (published.at(-1) === undefined) published.push(publisher.topics!.publish(envelope("f", new Uint8Array(900))));
  published.push(publisher.topics!.publish(envelope("f", new Uint8Array(900))));
  const order: string[] = [];
  const all = Promise.all(published).then(() => order.push("published"));
  await publisher.flush().then(() => order.push("flushed"));
  await all;
  expect(order).toEqual(["published", "flushed"]);
  await subscriber.flush();
  expect(sink.count()).toBe(published.length);
});

test("an out that names no timeout ends with the connection's, unless the hub has it and waits for room", async () => {
  const broker = await hubProcess();
  const driver = await client(broker.url, { requestTimeoutMs: 1_000 });
  const patient = await client(broker.url);
  await driver.tuples!.open("full", { capacity: 1 });
  await driver.tuples!.out("full", encodeTuple(["first"]), undefined, {});
  const second = driver.tuples!.out("full", encodeTuple(["second"]), undefined, {}).then(() => "done");
  // Three deadlines of others pass meanwhile.
  for (let i = 0; i < 3; i++) {
    const nothing = driver.tuples!.take("full", encodeTemplate(["none"]), { timeoutMs: 1_000 });
    // A busy hub may not say in time which of the two ended first.
    expect(["timeout", "indefinite"]).toContain(await Promise.race([second, codeOf(nothing)]));
  }
  await broker.pause();
  expect(["indefinite", "unavailable"]).toContain(
    await codeOf(driver.tuples!.out("empty", encodeTuple(["t"]), undefined, {})),
  );
  await broker.resume();
  expect(await patient.tuples!.take("full", encodeTemplate(["first"]), {})).toBe(encodeTuple(["first"]));
  expect(await second).toBe("done");
});

test("a write that is under way when the connection closes is indefinite", async () => {
  const broker = await hubProcess();
  const driver = await client(broker.url);
  await driver.queues!.open("box", {});
  await broker.pause();
  const { body, headers } = envelope("", new Uint8Array(1));
  const sending = codeOf(driver.queues!.send("box", [{ id: "1", dedupe: false, headers, contentType: "", body }]));
  const looking = codeOf(driver.queues!.info("box"));
  // The socket takes it in a later turn.
  await new Promise((resolve) => setImmediate(resolve));
  await driver.close(0);
  expect(await sending).toBe("indefinite");
  expect(await looking).toBe("closed");
  await broker.resume();
});

test("takes that are under way when the connection closes are got, or go back", async () => {
  const url = await hub();
  const other = await client(url);
  const tuples = Array.from({ length: 2_000 }, (_, n) => encodeTuple(["t", n]));
  await other.tuples!.outMany("s", tuples, undefined);
  const leaving = await client(url);
  let got = 0;
  const takes = tuples.map(() =>
    leaving.tuples!.takeNow("s", encodeTemplate(["t", Number])).then(
      (tuple) => {
        if (tuple !== undefined) got++;
      },
      () => undefined,
    ),
  );
  await takes[100];
  await leaving.close(500);
  await Promise.all(takes);
  await until(async () => expect(await other.tuples!.count("s", encodeTemplate(["t", Number]))).toBe(2_000 - got));
});

test("takes nothing when the result is too large to be told", async () => {
  const driver = await client(await hub());
  const text = "x".repeat(7 << 20);
  for (let n = 0; n < 10; n++) await driver.tuples!.out("s", encodeTuple([n, text]), undefined, {});
  const all = encodeTemplate([Number, String]);
  expect(await codeOf(driver.tuples!.takeMany("s", all, 10))).toBe("too-large");
  expect(await driver.tuples!.count("s", all)).toBe(10);
  const taken = await driver.tuples!.takeMany("s", all, 2);
  expect(taken).toEqual([encodeTuple([0, text]), encodeTuple([1, text])]);
});

test("what was answered is not kept until its deadline", async () => {
  const driver = await client(await hub(), { requestTimeoutMs: 3_600_000 });
  await driver.queues!.open("box", {});
  const send = async (): Promise<void> => {
    const body = new Uint8Array(64_000);
    await driver.queues!.send("box", [{ id: "1", dedupe: false, headers: noHeaders, contentType: "", body }]);
    await driver.queues!.purge("box");
  };
  const before = process.memoryUsage().arrayBuffers;
  for (let i = 0; i < 2_000; i++) await send();
  // 128 MB were sent; what is garbage may not have been collected yet, but it can be.
  await until(() => {
    void new Uint8Array(8 << 20);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64e6);
  });
});

test("takes that are given up go back, however slow the network and often the connection is cut", async () => {
  const url = await hub();
  const cuttable = await relay(url, 40);
  const [here, away] = [await client(url), await client(cuttable.url)];
  const template = encodeTemplate(["t", Number]);
  const taken: string[] = [];
  let stop = false;
  const takers = Array.from({ length: 20 }, async (_, n) => {
    while (!stop) {
      await away.tuples!.take("s", template, { timeoutMs: 10 + 5 * n }).then(
        (tuple) => taken.push(tuple),
        () => undefined,
      );
    }
  });
  const statuses: string[] = [];
  away.onStatus(({ kind }) => statuses.push(kind));
  const tuples = Array.from({ length: 300 }, (_, n) => encodeTuple(["t", n]));
  for (const [n, tuple] of tuples.entries()) {
    await here.tuples!.out("s", tuple, undefined, {});
    if (n % 100 === 99) {
      const before = statuses.length;
      cuttable.cut();
      await until(() => expect(statuses.length).toBeGreaterThanOrEqual(before + 2));
    } else await new Promise((resolve) => setTimeout(resolve, 2));
  }
  stop = true;
  await Promise.all(takers);
  await until(async () => {
    const left = await here.tuples!.readAll("s", template);
    expect([...taken, ...left].toSorted()).toEqual(tuples.toSorted());
  });
});
