import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { type FaultProxy, faultProxy } from "./proxy.ts";

/** One end of a connection, and what it has heard. */
interface End {
  readonly socket: Socket;
  readonly pieces: Buffer[];
  /** Of the connection, in the order of their coming: "end", "close", and the codes of errors. */
  readonly events: string[];
  heard(): string;
}

function endOf(socket: Socket): End {
  const end: End = { socket, pieces: [], events: [], heard: () => Buffer.concat(end.pieces).toString("latin1") };
  socket.on("data", (bytes) => end.pieces.push(bytes as Buffer));
  socket.on("end", () => end.events.push("end"));
  socket.on("close", () => end.events.push("close"));
  socket.on("error", (error: NodeJS.ErrnoException) => end.events.push(error.code ?? error.message));
  return end;
}

let server: Server;
let proxy: FaultProxy;
let opened: Socket[];

beforeEach(async () => {
  opened = [];
  server = createServer({ allowHalfOpen: true });
  server.on("connection", (socket) => opened.push(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  proxy = await faultProxy(`tcp://127.0.0.1:${(server.address() as AddressInfo).port}`);
});

afterEach(async () => {
  await proxy.close();
  for (const socket of opened) socket.destroy();
  server.close();
});

async function client(): Promise<End> {
  const socket = connect({ port: Number(new URL(proxy.url).port), host: "127.0.0.1", allowHalfOpen: true });
  opened.push(socket);
  await once(socket, "connect");
  return endOf(socket);
}

/** A connection through the proxy: both of its ends. */
async function connection(): Promise<{ near: End; far: End }> {
  const accepted = once(server, "connection");
  const near = await client();
  const [socket] = (await accepted) as [Socket];
  return { near, far: endOf(socket) };
}

const until = (what: () => void): Promise<void> => vi.waitFor(what, { timeout: 20_000, interval: 2 });

it("passes on bytes both ways, and the end of either", async () => {
  const { near, far } = await connection();
  near.socket.write("question");
  await until(() => expect(far.heard()).toBe("question"));
  near.socket.end();
  await until(() => expect(far.events).toEqual(["end"]));
  far.socket.end("answer");
  await until(() => expect([near.heard(), near.events.at(-1)]).toEqual(["answer", "close"]));
  await until(() => expect(proxy.connections).toBe(0));
});

it("delays every byte, and keeps their order whatever the jitter", async () => {
  const { near, far } = await connection();
  proxy.up.delay(100, 100);
  const began = performance.now();
  const sent = Array.from({ length: 50 }, (_, at) => `${at};`);
  for (const text of sent) {
    near.socket.write(text);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await until(() => expect(far.heard()).toBe(sent.join("")));
  proxy.up.delay(200);
  const then = performance.now();
  near.socket.write("late");
  far.socket.write("prompt");
  await until(() => expect(near.heard()).toBe("prompt"));
  await until(() => expect(far.heard()).toMatch(/late$/));
  expect(performance.now() - then).toBeGreaterThan(190);
  expect(performance.now() - began).toBeGreaterThan(190);
});

it("what is delayed goes on when the delay is healed", async () => {
  const { near, far } = await connection();
  proxy.up.delay(600_000);
  near.socket.write("held");
  far.socket.write("marker");
  await until(() => expect(near.heard()).toBe("marker"));
  proxy.up.heal();
  await until(() => expect(far.heard()).toBe("held"));
});

it("silences one direction; the other goes on, and what was held arrives once it is healed", async () => {
  const { near, far } = await connection();
  proxy.up.silence();
  near.socket.write("held");
  near.socket.end();
  far.socket.write("marker");
  await until(() => expect(near.heard()).toBe("marker"));
  expect([far.heard(), far.events]).toEqual(["", []]);
  proxy.up.heal();
  await until(() => expect([far.heard(), far.events]).toEqual(["held", ["end"]]));
});

it("holds no more than a bounded part of what a silent direction is sent", async () => {
  const { near, far } = await connection();
  proxy.up.silence();
  const bytes = Buffer.alloc(64 << 20, "x");
  near.socket.write(bytes);
  far.socket.write("marker");
  await until(() => expect(near.heard()).toBe("marker"));
  expect(near.socket.writableLength).toBeGreaterThan(0);
  proxy.up.heal();
  await until(() => expect(far.pieces.reduce((sum, piece) => sum + piece.length, 0)).toBe(bytes.length));
});

it("lets only so many bytes pass each second", async () => {
  const { near, far } = await connection();
  proxy.up.throttle(1_000);
  const began = performance.now();
  near.socket.write("x".repeat(400));
  await until(() => expect(far.heard()).toHaveLength(400));
  expect(performance.now() - began).toBeGreaterThan(250);
});

it("slices what was sent at once; what is left of it comes when it is healed", async () => {
  const { near, far } = await connection();
  proxy.up.slice(3, 600_000);
  near.socket.write("abcdefgh");
  far.socket.write("marker");
  await until(() => expect([near.heard(), far.heard()]).toEqual(["marker", "abc"]));
  proxy.up.slice(3);
  await until(() => expect(far.heard()).toBe("abcdefgh"));
});

it("duplicates bytes", async () => {
  const { near, far } = await connection();
  proxy.up.duplicate(1);
  near.socket.write("ab");
  await until(() => expect(far.heard()).toBe("abab"));
});

it("turns over bits, the same ones with the same seed", async () => {
  const bytes = Buffer.alloc(20_000, "x");
  const heardWith = async (probability: number): Promise<Buffer> => {
    await using seededProxy = await faultProxy(`tcp://127.0.0.1:${(server.address() as AddressInfo).port}`, {
      seed: 7,
    });
    seededProxy.up.flip(probability);
    const accepted = once(server, "connection");
    const near = connect(Number(new URL(seededProxy.url).port), "127.0.0.1");
    opened.push(near);
    const [socket] = (await accepted) as [Socket];
    const far = endOf(socket);
    near.write(bytes);
    await until(() => expect(far.heard()).toHaveLength(bytes.length));
    return Buffer.concat(far.pieces);
  };
  const all = await heardWith(1);
  expect([...all].every((byte) => [1, 2, 4, 8, 16, 32, 64, 128].includes(byte ^ "x".charCodeAt(0)))).toBe(true);
  const some = await heardWith(0.001);
  const changed = [...some].filter((byte) => byte !== "x".charCodeAt(0)).length;
  expect(changed).toBeGreaterThan(0);
  expect(changed).toBeLessThan(200);
  expect((await heardWith(0.001)).equals(some)).toBe(true);
});

it.each(["fin", "rst"] as const)("ends a connection after so many bytes, by %s", async (by) => {
  const { near, far } = await connection();
  near.socket.write("before");
  await until(() => expect(far.heard()).toBe("before"));
  proxy.up.limit(4, by);
  near.socket.write("abcdefgh");
  await until(() => expect(far.events.at(-1)).toBe(by === "fin" ? "end" : "close"));
  if (by === "fin") expect(far.heard()).toBe("beforeabcd");
  else expect(far.events).toContain("ECONNRESET");
  const next = await connection();
  next.near.socket.write("1234");
  await until(() => expect(next.far.heard()).toBe("1234"));
});

it("cuts every connection by a FIN and refuses new ones, until it is healed", async () => {
  const { near, far } = await connection();
  await proxy.cut();
  await until(() => expect([near.events[0], far.events[0]]).toEqual(["end", "end"]));
  await expect(client()).rejects.toMatchObject({ code: "ECONNREFUSED" });
  await proxy.heal();
  const again = await connection();
  again.near.socket.write("back");
  await until(() => expect(again.far.heard()).toBe("back"));
});

it("cuts by a reset, too", async () => {
  const { near, far } = await connection();
  await proxy.cut("rst");
  await until(() => expect([near.events[0], far.events[0]]).toEqual(["ECONNRESET", "ECONNRESET"]));
  await expect(client()).rejects.toMatchObject({ code: "ECONNREFUSED" });
});

it("resets every connection and takes new ones at once", async () => {
  const { near, far } = await connection();
  await proxy.reset();
  await until(() => expect([near.events[0], far.events[0]]).toEqual(["ECONNRESET", "ECONNRESET"]));
  await connection();
});

it("is reset by a server that is not there", async () => {
  server.close();
  const near = await client();
  await until(() => expect(near.events).toContain("close"));
  expect(proxy.connections).toBe(0);
});

it("closes with connections of which nobody reads, and twice", async () => {
  const { near, far } = await connection();
  far.socket.pause();
  near.socket.write(Buffer.alloc(32 << 20));
  await until(() => expect(proxy.connections).toBe(1));
  await proxy.close();
  await proxy.close();
  await proxy.heal();
  await expect(client()).rejects.toMatchObject({ code: "ECONNREFUSED" });
});

it("keeps everything in the URL but host and port", async () => {
  await using other = await faultProxy("redis://me:secret@127.0.0.1/0?require=durable");
  expect(other.url).toMatch(/^redis:\/\/me:secret@127\.0\.0\.1:\d+\/0\?require=durable$/);
});

it.each(["memory:", "zmq+ipc:///tmp/x", "nats://a:1,b:2", "tcp://host", "redis+sentinel://a:1,b:2/main"])(
  "%s is not before one TCP server",
  async (url) => {
    await expect(faultProxy(url)).rejects.toMatchObject({ code: "invalid" });
  },
);

it.each([
  () => proxy.up.delay(-1),
  () => proxy.up.delay(1, 2),
  () => proxy.up.throttle(0),
  () => proxy.up.slice(0),
  () => proxy.up.flip(1.1),
  () => proxy.up.duplicate(Number.NaN),
  () => proxy.up.limit(-1),
])("%s is no fault", (wrong) => {
  expect(wrong).toThrow(expect.objectContaining({ code: "invalid" }));
});
