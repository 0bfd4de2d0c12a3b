import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect as connectTcp, createServer, type Socket } from "node:net";
import {
  type Driver,
  type Envelope,
  encodeTemplate,
  encodeTuple,
  isBusError,
  noHeaders,
  type TopicSink,
} from "@quadrant/contract";
import { afterEach, describe, expect, test, vi } from "vitest";
import { Dealer } from "zeromq";
import { open, startHub } from "./index.ts";
import { encodeHello, encodeWelcome } from "./wire/packet.ts";
import { encodeValues } from "./wire/values.ts";

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

/** A hub in a process of its own, that can be stopped and killed. */
async function hubProcess(
  url = "zmq://127.0.0.1:0",
): Promise<{ readonly url: string; readonly process: ChildProcess }> {
  const program = `import { startHub } from ${JSON.stringify(new URL("./index.ts", import.meta.url).href)};
    const hub = await startHub({ url: ${JSON.stringify(url)} });
    process.stdin.on("end", () => process.exit()).resume();
    console.log(hub.url);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], { stdio: ["pipe", "pipe", "inherit"] });
  cleanups.push(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  });
  const [line] = (await once(child.stdout!, "data")) as [Buffer];
  return { url: line.toString().trim(), process: child };
}

/** A TCP relay to a hub whose connections can be cut. */
async function relay(url: string): Promise<{ readonly url: string; cut(): void; refuse(on: boolean): void }> {
  const target = new URL(url);
  const sockets = new Set<Socket>();
  let refusing = false;
  // Without Nagle, as ZeroMQ itself.
  const server = createServer({ noDelay: true }, (near) => {
    if (refusing) {
      near.destroy();
      return;
    }
    const far = connectTcp({ port: Number(target.port), host: target.hostname, noDelay: true });
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
      one.pipe(other);
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const cut = (): void => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  cleanups.push(() => {
    cut();
    server.close();
  });
  return {
    url: `zmq://127.0.0.1:${(server.address() as { port: number }).port}`,
    cut,
    refuse: (on) => {
      refusing = on;
      if (on) cut();
    },
  };
}

function envelope(subject: string, text: string): Envelope {
  return { subject, headers: noHeaders, contentType: "", body: Buffer.from(text) };
}

function collector(): TopicSink & { readonly texts: string[]; missed: number } {
  const texts: string[] = [];
  const sink = {
    texts,
    missed: 0,
    deliver: (batch: readonly Envelope[]) => {
      for (const each of batch) texts.push(Buffer.from(each.body).toString());
    },
    lost: (count: number) => {
      sink.missed += count;
    },
    end: () => undefined,
  };
  return sink;
}

const until = (condition: () => void): Promise<void> => vi.waitFor(condition, { timeout: 30_000, interval: 20 });

async function rejection(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe("a connection that is cut", () => {
  test("loses, repeats and reorders nothing: messages, letters, tuples and calls under ten cuts", async () => {
    const url = await hub();
    const cuttable = await relay(url);
    const near = await client(cuttable.url);
    const far = await client(url);
    const sink = collector();
    await near.topics!.subscribe("n", undefined, sink);
    await near.calls!.serve({ address: "echo", instance: "1", methods: ["echo"] }, (call) =>
      call.reply({ kind: "value", contentType: "", body: call.request.body }),
    );
    const states: string[] = [];
    near.onStatus((status) => states.push(status.kind));
    const count = 4_000;
    for (let i = 0; i < count; i++) {
      if (i % (count / 10) === count / 20) cuttable.cut();
      await far.topics!.publish(envelope("n", String(i)));
      await near.topics!.publish(envelope("m", String(i)));
      const id = `letter-${i}`;
      const letter = { id, dedupe: false, headers: noHeaders, contentType: "", body: Buffer.from(id) };
      if (i % 20 === 0) {
        expect(await near.queues!.send("box", [letter])).toEqual([{ duplicate: false }]);
        await near.tuples!.out("space", encodeTuple(["n", i]), undefined, {});
      }
    }
    await until(() => expect(sink.texts.length + sink.missed).toBe(count));
    expect(sink.missed).toBe(0);
    expect(sink.texts).toEqual([...Array(count).keys()].map(String));
    expect(await far.queues!.info("box")).toMatchObject({ waiting: count / 20 });
    const letters = await near.queues!.fetch("box", { max: count });
    expect(letters.map((letter) => letter.id)).toEqual([...Array(count / 20).keys()].map((i) => `letter-${i * 20}`));
    expect(letters.every((letter) => letter.attempt === 1)).toBe(true);
    expect(await far.tuples!.count("space", encodeTemplate(["n", Number]))).toBe(count / 20);
    await until(() => expect(states.filter((state) => state === "reconnected")).toHaveLength(10));
    expect(states.filter((state) => state === "disconnected")).toHaveLength(10);
    const reply = await new Promise<string>((resolve, reject) => {
      far.calls!.call(
        {
          address: "echo",
          method: "echo",
          headers: noHeaders,
          contentType: "",
          body: Buffer.from("hi"),
          timeoutMs: 5_000,
          credit: 0,
        },
        { reply: (frame) => resolve(Buffer.from(frame.body).toString()), fail: reject },
      );
    });
    expect(reply).toBe("hi");
  });

  test("captures nothing while it lasts, and waits on afterwards", async () => {
    const url = await hub();
    const cuttable = await relay(url);
    const near = await client(cuttable.url);
    const far = await client(url);
    const taken = near.tuples!.take("s", encodeTemplate(["job", Number]), {});
    const letters = near.queues!.fetch("box", { max: 1 });
    await near.flush();
    cuttable.refuse(true);
    // The hub has noticed once the waiters are gone.
    await until(async () => expect(await clientsOf(far)).toContainEqual(expect.objectContaining({ attached: false })));
    await far.tuples!.out("s", encodeTuple(["job", 1]), undefined, {});
    await far.queues!.send("box", [
      { id: "1", dedupe: false, headers: noHeaders, contentType: "", body: Buffer.alloc(1) },
    ]);
    expect(await far.tuples!.takeNow("s", encodeTemplate(["job", Number]))).toBe(encodeTuple(["job", 1]));
    expect(await far.queues!.info("box")).toMatchObject({ waiting: 1, held: 0 });
    await far.tuples!.out("s", encodeTuple(["job", 2]), undefined, {});
    cuttable.refuse(false);
    expect(await taken).toBe(encodeTuple(["job", 2]));
    expect((await letters)[0]).toMatchObject({ id: "1", attempt: 1 });
  });

  test("what a killed client was waiting for goes to the next one", async () => {
    const url = await hub();
    const cuttable = await relay(url);
    const doomed = await client(cuttable.url);
    const lost = rejection(doomed.tuples!.take("s", encodeTemplate(["job"]), {}));
    await doomed.flush();
    const far = await client(url);
    const next = far.tuples!.take("s", encodeTemplate(["job"]), {});
    await far.flush();
    cuttable.refuse(true);
    await far.tuples!.out("s", encodeTuple(["job"]), undefined, {});
    expect(await next).toBe(encodeTuple(["job"]));
    await doomed.close(0);
    expect(isBusError(await lost, "closed")).toBe(true);
  });
});

async function clientsOf(driver: Driver): Promise<readonly Record<string, unknown>[]> {
  const { hub } = (await driver.describe()) as { hub: { clients: readonly Record<string, unknown>[] } };
  return hub.clients;
}

describe("a hub", () => {
  test("that is killed and started again finds its clients: subscriptions once each, waiters, servers, options", async () => {
    const first = await hubProcess();
    const a = await client(first.url);
    const b = await client(first.url);
    const sink = collector();
    await a.topics!.subscribe("news.>", undefined, sink);
    await a.queues!.open("box", { leaseMs: 1234, maxAttempts: 2 });
    await a.calls!.serve({ address: "echo", instance: "1", methods: ["echo"] }, (call) =>
      call.reply({ kind: "value", contentType: "", body: call.request.body }),
    );
    const taken = a.tuples!.take("s", encodeTemplate(["late"]), {});
    const letters = a.queues!.fetch("box", { max: 1 });
    const states: string[] = [];
    for (const driver of [a, b]) driver.onStatus((status) => states.push(status.kind));
    first.process.kill("SIGKILL");
    await until(() => expect(states).toEqual(["disconnected", "disconnected"]));
    await b.topics!.publish(envelope("news.early", "published while away"));
    await hubProcess(first.url);
    await until(() => expect(states.filter((state) => state === "reconnected")).toHaveLength(2));
    await a.flush();
    await b.topics!.publish(envelope("news.x", "after"));
    await until(() => expect(sink.texts).toContain("after"));
    expect(sink.texts.filter((text) => text === "after")).toHaveLength(1);
    await b.tuples!.out("s", encodeTuple(["late"]), undefined, {});
    expect(await taken).toBe(encodeTuple(["late"]));
    expect(await rejection(b.queues!.open("box", { leaseMs: 99 }))).toMatchObject({ code: "conflict" });
    await b.queues!.send("box", [
      { id: "1", dedupe: false, headers: noHeaders, contentType: "", body: Buffer.alloc(1) },
    ]);
    expect(await letters).toHaveLength(1);
    expect(await b.calls!.services()).toMatchObject([{ address: "echo", instance: "1" }]);
  });

  test("that is stopped: every operation ends; what was given up is undone when it goes on", async () => {
    const { url, process: hubChild } = await hubProcess();
    const driver = await client(url, { requestTimeoutMs: 300 });
    await driver.tuples!.out("s", encodeTuple(["only"]), undefined, {});
    hubChild.kill("SIGSTOP");
    const gaveUp = await Promise.all([
      rejection(driver.flush()),
      rejection(driver.queues!.info("box")),
      rejection(
        driver.queues!.send("box", [
          { id: "1", dedupe: true, headers: noHeaders, contentType: "", body: Buffer.alloc(1) },
        ]),
      ),
      rejection(driver.tuples!.take("s", encodeTemplate(["only"]), { timeoutMs: 200 })),
      rejection(driver.tuples!.read("s", encodeTemplate(["only"]), { timeoutMs: 200 })),
      rejection(driver.tuples!.take("s", encodeTemplate(["only"]), { signal: AbortSignal.timeout(100) })),
      rejection(driver.topics!.subscribe("x", undefined, collector())),
      rejection(driver.logs!.append("log", { ...envelope("a", "x"), id: undefined })),
    ]);
    expect(gaveUp.map((error) => (isBusError(error) ? error.code : error))).toEqual([
      "unavailable",
      "unavailable",
      "indefinite",
      "indefinite",
      "unavailable",
      "indefinite",
      "indefinite",
      "indefinite",
    ]);
    hubChild.kill("SIGCONT");
    // The two takes came too late: what they captured is back.
    expect(await driver.tuples!.take("s", encodeTemplate(["only"]), { timeoutMs: 20_000 })).toBe(encodeTuple(["only"]));
  });

  test("a server that vanished before it got the call is passed over", async () => {
    const url = await hub();
    const cuttable = await relay(url);
    const doomed = await client(cuttable.url);
    const steady = await client(url);
    const serve = (driver: Driver, name: string): Promise<unknown> =>
      driver.calls!.serve({ address: "who", instance: name, methods: ["who"] }, (call) =>
        call.reply({ kind: "value", contentType: "", body: Buffer.from(name) }),
      );
    await serve(doomed, "doomed");
    await serve(steady, "steady");
    cuttable.refuse(true);
    const caller = await client(url);
    const answers = await Promise.all(
      [1, 2, 3, 4].map(
        () =>
          new Promise<string>((resolve) => {
            caller.calls!.call(
              {
                address: "who",
                method: "who",
                headers: noHeaders,
                contentType: "",
                body: Buffer.alloc(0),
                timeoutMs: 5_000,
                credit: 0,
              },
              { reply: (frame) => resolve(Buffer.from(frame.body).toString()), fail: (error) => resolve(error.code) },
            );
          }),
      ),
    );
    expect(answers).toEqual(["steady", "steady", "steady", "steady"]);
  });

  test("drops what is malformed, counts it, and goes on", async () => {
    const url = await hub();
    const driver = await client(url);
    const sink = collector();
    await driver.topics!.subscribe("t", undefined, sink);
    const raw = new Dealer({ linger: 0 });
    cleanups.push(() => raw.close());
    raw.connect(url.replace("zmq:", "tcp:"));
    const session = "11".repeat(16);
    for (const packet of [
      Buffer.alloc(0),
      Buffer.from("GET / HTTP/1.1\r\n\r\n"),
      Buffer.from([0x51, 2, 1]),
      Buffer.from([0x51, 2, 4]),
      Buffer.from([0x51, 2, 200, 1, 2, 3]),
      encodeHello(session, 99, Buffer.from([0xc1])),
      encodeWelcome({ hub: session, session, resumed: true, received: 1 }, encodeValues([])),
      Buffer.concat([encodeHello(undefined, 0, encodeValues(["x"])).subarray(0, 26), Buffer.alloc(100_000, 0x91)]),
    ]) {
      await raw.send(packet);
    }
    await raw.send([Buffer.from("two"), Buffer.from("frames")]);
    await raw.send(encodeHello(undefined, 0, encodeValues(["raw"])));
    const [welcome] = (await raw.receive()) as [Buffer];
    expect(welcome[2]).toBeGreaterThan(1);
    await driver.topics!.publish(envelope("t", "still here"));
    await until(() => expect(sink.texts).toEqual(["still here"]));
    const { hub: description } = (await driver.describe()) as { hub: { malformed: number } };
    expect(description.malformed).toBeGreaterThanOrEqual(5);
  });

  test("a subscriber that does not read is dropped from, told how much, and nobody else suffers", async () => {
    const { url } = await hubProcess();
    const slow = await hubReaderProcess(url);
    const quick = await client(url);
    const sink = collector();
    await quick.topics!.subscribe("flood", undefined, sink);
    const publisher = await client(url);
    slow.kill("SIGSTOP");
    const body = "x".repeat(16_384);
    const count = 4_000;
    for (let i = 0; i < count; i += 100) {
      for (let j = i; j < i + 100; j++) await publisher.topics!.publish(envelope("flood", body));
      // No faster than the quick one reads, so that it has nothing to lose.
      await until(() => expect(sink.texts).toHaveLength(i + 100));
    }
    expect(sink.missed).toBe(0);
    slow.kill("SIGCONT");
    slow.stdin!.write("report\n");
    const [line] = (await once(slow.stdout!, "data")) as [Buffer];
    const { delivered, lost } = JSON.parse(line.toString()) as { delivered: number; lost: number };
    expect(lost).toBeGreaterThan(0);
    expect(delivered + lost).toBe(count);
  });
});

/** A subscriber to "flood" in a process of its own; reports once it accounts for as many as were published. */
async function hubReaderProcess(url: string): Promise<ChildProcess> {
  const program = `import { open } from ${JSON.stringify(new URL("./index.ts", import.meta.url).href)};
    const driver = await open(new URL(${JSON.stringify(url)}), ${JSON.stringify({ ...options, name: "slow" })});
    let delivered = 0, lost = 0, asked = false;
    const report = () => { if (asked && delivered + lost === 4000) console.log(JSON.stringify({ delivered, lost })); };
    await driver.topics.subscribe("flood", undefined, {
      deliver: (batch) => { delivered += batch.length; report(); }, lost: (count) => { lost += count; report(); }, end: () => {},
    });
    process.stdin.on("data", () => { asked = true; report(); }).on("end", () => process.exit());
    console.log("ready");`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], { stdio: ["pipe", "pipe", "inherit"] });
  cleanups.push(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  });
  await once(child.stdout!, "data");
  return child;
}
