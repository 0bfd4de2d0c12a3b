import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Driver, encodeTemplate, encodeTuple, noHeaders } from "@quadrant/contract";
import { afterEach, describe, expect, test, vi } from "vitest";
import { Dealer } from "zeromq";
import { maxPacketBytes, maxPayloadBytes } from "./hub/limits.ts";
import { type Hub, open, startHub } from "./index.ts";
import { Link } from "./link/link.ts";
import { Operation } from "./wire/operation.ts";
import { encodeHello, PacketKind } from "./wire/packet.ts";
import { RecordKind } from "./wire/record.ts";
import { encodeValues } from "./wire/values.ts";

const options = {
  name: "test",
  timeoutMs: 10_000,
  requestTimeoutMs: 10_000,
  maxPayloadBytes: 64 << 20,
  outboxBytes: 64 << 20,
};

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function hub(url?: string): Promise<string> {
  const started = await startHub({ url });
  cleanups.push(() => started[Symbol.asyncDispose]());
  return started.url;
}

async function client(url: string): Promise<Driver> {
  const driver = await open(new URL(url), options);
  cleanups.push(() => driver.close(0));
  return driver;
}

/** A peer that speaks the protocol and reads only its welcome. */
async function deafPeer(url: string): Promise<{ readonly socket: Dealer; readonly link: Link }> {
  const socket = new Dealer({ linger: 0, receiveHighWaterMark: 1 });
  cleanups.push(() => socket.close());
  socket.connect(url.replace("zmq:", "tcp:"));
  await socket.send(encodeHello(undefined, 0, encodeValues(["deaf"])));
  const [welcome] = (await socket.receive()) as [Buffer];
  expect(welcome[2]).toBe(PacketKind.welcome);
  return { socket, link: new Link() };
}

const until = (condition: () => Promise<void>): Promise<void> =>
  vi.waitFor(condition, { timeout: 30_000, interval: 20 });

interface Described {
  readonly name: string;
  readonly pendingBytes: number;
}

async function clients(driver: Driver): Promise<readonly Described[]> {
  return ((await driver.describe()) as { hub: { clients: readonly Described[] } }).hub.clients;
}

describe("a hub", () => {
  test("tells its payload limit and holds its clients to it", async () => {
    const url = await hub();
    const driver = await client(url);
    expect(driver.maxPayloadBytes).toBe(maxPayloadBytes);
    const letter = {
      id: "1",
      dedupe: false,
      headers: noHeaders,
      contentType: "",
      body: Buffer.alloc(maxPayloadBytes + 1),
    };
    await expect(driver.queues!.send("box", [letter])).rejects.toMatchObject({ code: "too-large" });
    expect(await driver.queues!.send("box", [{ ...letter, body: Buffer.alloc(maxPayloadBytes) }])).toEqual([
      { duplicate: false },
    ]);
    expect((await driver.queues!.fetch("box", { max: 1 }))[0]?.body).toHaveLength(maxPayloadBytes);
  });

  test("ends the session of a client that asks and does not read, and holds no more for it than its bound", async () => {
    const url = await hub();
    const steady = await client(url);
    const large = encodeTuple(["large", "x".repeat(4 << 20)]);
    for (let i = 0; i < 4; i++) await steady.tuples!.out("s", large, undefined, {});
    const { socket, link } = await deafPeer(url);
    let request = 0;
    await until(async () => {
      const values = encodeValues(["s", encodeTemplate(["large", String])]);
      link.write().begin(RecordKind.request).u32(++request).u8(Operation.spaceReadAll).bytes(values).end();
      await socket.send(link.next()!.packet());
      const deaf = (await clients(steady)).find((each) => each.name === "deaf");
      // One answer of 16 MiB may be on its way beyond the bound.
      expect(deaf?.pendingBytes ?? 0).toBeLessThan((96 + 2 * 17) << 20);
      expect(deaf).toBeUndefined();
    });
    expect(request).toBeGreaterThan(3);
    expect(await steady.tuples!.count("s", encodeTemplate(["large", String]))).toBe(4);
  });

  test("cuts off who claims a packet beyond the limit", async () => {
    const url = await hub();
    const steady = await client(url);
    const { socket } = await deafPeer(url);
    const cut = (async () => {
      for await (const event of socket.events) if (event.type === "disconnect") return event.type;
      return undefined;
    })();
    await socket.send(Buffer.alloc(maxPacketBytes + 1));
    expect(await cut).toBe("disconnect");
    await steady.flush();
  });

  test("refuses a server or subscription whose number no record can carry, and goes on", async () => {
    const url = await hub();
    const steady = await client(url);
    const { socket, link } = await deafPeer(url);
    const server = ["calc", "deaf", ["add"], null, null, 0, 0, 0];
    for (const [operation, values] of [
      [Operation.serve, [-1, server]],
      [Operation.subscribe, [2 ** 32, "noise", null]],
    ] as const) {
      link.write().begin(RecordKind.request).u32(operation).u8(operation).bytes(encodeValues(values)).end();
    }
    await socket.send(link.next()!.packet());
    const call = { address: "calc", method: "add", headers: noHeaders, contentType: "", body: Buffer.alloc(0) };
    const code = await new Promise<string>((resolve) => {
      steady.calls!.call(
        { ...call, timeoutMs: 5_000, credit: 0 },
        { reply: ({ kind }) => resolve(kind), fail: (error) => resolve(error.code) },
      );
    });
    expect(code).toBe("no-responder");
    await steady.topics!.publish({ ...call, subject: "noise" });
    await steady.flush();
  });

  test("answers no more than it can hold at once: too-large, and the connection goes on", async () => {
    const url = await hub();
    const driver = await client(url);
    const large = encodeTuple(["large", "x".repeat(7 << 20)]);
    for (let i = 0; i < 10; i++) await driver.tuples!.out("s", large, undefined, {});
    await expect(driver.tuples!.readAll("s", encodeTemplate(["large", String]))).rejects.toMatchObject({
      code: "too-large",
    });
    expect(await driver.tuples!.count("s", encodeTemplate(["large", String]))).toBe(10);
  });

  test("gives as many large letters as an answer carries, and the rest with the next", async () => {
    const url = await hub();
    const driver = await client(url);
    const body = Buffer.alloc(3 << 20);
    for (let i = 0; i < 5; i++) {
      await driver.queues!.send("box", [{ id: `${i}`, dedupe: false, headers: noHeaders, contentType: "", body }]);
    }
    const seen: string[] = [];
    while (seen.length < 5) {
      const letters = await driver.queues!.fetch("box", { max: 100 });
      expect(letters.length).toBeLessThan(4);
      expect(letters.every((letter) => letter.attempt === 1)).toBe(true);
      seen.push(...letters.map((letter) => letter.id));
    }
    expect(seen).toEqual(["0", "1", "2", "3", "4"]);
  });
});

describe("addresses", () => {
  test("a Unix socket works as TCP does", async () => {
    const folder = await mkdtemp(join(tmpdir(), "quadrant-"));
    cleanups.push(() => rm(folder, { recursive: true }));
    const url = await hub(`zmq+ipc://${folder}/hub`);
    expect(url).toBe(`zmq+ipc://${folder}/hub`);
    const [a, b] = [await client(url), await client(url)];
    await a.tuples!.out("s", encodeTuple(["over", "ipc"]), undefined, {});
    expect(await b.tuples!.take("s", encodeTemplate(["over", String]), {})).toBe(encodeTuple(["over", "ipc"]));
  });

  test("one that is taken is unavailable", async () => {
    const url = await hub();
    await expect(startHub({ url })).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringContaining("port 0"),
    });
  });

  test.each([
    ["nonsense", "invalid"],
    ["http://127.0.0.1:1", "invalid"],
    ["zmq://127.0.0.1", "invalid"],
    ["zmq://127.0.0.1:1/path", "invalid"],
    ["zmq+ipc://host/path", "invalid"],
    [`zmq+ipc:///${"x".repeat(120)}`, "invalid"],
  ])("%s is no hub's: %s", async (url, code) => {
    await expect(startHub({ url })).rejects.toMatchObject({ code });
  });

  test.each([
    ["zmq://127.0.0.1:1?require=speed", "invalid"],
    ["zmq://127.0.0.1:1?sync=full", "invalid"],
    ["zmq://user:secret@127.0.0.1:1", "unsupported"],
  ])("connecting to %s is %s", async (url, code) => {
    await expect(open(new URL(url), options)).rejects.toMatchObject({
      code,
      message: expect.not.stringContaining("secret"),
    });
  });

  test("require=durable is kept by a hub with a folder for its data, and by no other", async () => {
    const folder = await mkdtemp(join(tmpdir(), "quadrant-limits-"));
    const forgets = await startHub();
    const keeps = await startHub({ data: folder });
    const url = (hub: Hub): URL => new URL(`${hub.url}?require=durable`);
    await expect(open(url(forgets), options)).rejects.toMatchObject({
      code: "unsupported",
      message: expect.stringContaining("--data"),
    });
    const driver = await open(url(keeps), options);
    expect(driver.support.durability?.how).toBe("native");
    await driver.close(0);
    // Held by a hub: another is told by whom.
    await expect(startHub({ data: folder })).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringContaining(String(process.pid)),
    });
    await Promise.all([forgets[Symbol.asyncDispose](), keeps[Symbol.asyncDispose]()]);
    await rm(folder, { recursive: true, force: true });
  });

  test("what this release does not have is refused, not ignored", async () => {
    const auth = { user: "me", password: "hunter2" };
    for (const more of [{ auth }, { tls: { ca: "x" } }]) {
      await expect(open(new URL("zmq://127.0.0.1:1"), { ...options, ...more })).rejects.toMatchObject({
        code: "unsupported",
        message: expect.stringMatching(/CURVE/),
      });
    }
  });
});
