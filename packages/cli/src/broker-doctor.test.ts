/** Set-ups that are broken in the ways that brokers are, and what `quadrant doctor` says of each. */
import { once } from "node:events";
import { type AddressInfo, createServer, connect as dial, type Server } from "node:net";
import { type BrokerOptions, type StartedBroker, startBroker } from "@quadrant/testkit/brokers";
import { smallDisk } from "@quadrant/testkit/faults";
import { afterEach, expect, test, vi } from "vitest";
import { run } from "./captured-io.ts";

interface Row {
  readonly kind: string;
  readonly check: string;
  readonly level: string;
  readonly detail: string;
  readonly fix: string;
}

const started: AsyncDisposable[] = [];

afterEach(async () => {
  for (const each of started.splice(0).reverse()) await each[Symbol.asyncDispose]();
});

async function start(kind: "nats" | "redis", options: BrokerOptions = {}): Promise<StartedBroker> {
  const broker = await startBroker(kind, { via: "binary", ...options });
  started.push(broker);
  return broker;
}

/** What is wrong, by the name of the check. */
async function examined(url: string): Promise<{ readonly code: number; readonly broken: ReadonlyMap<string, Row> }> {
  const { code, out } = await run(["doctor", url, "--json", "--rounds", "2", "--connect-timeout", "2s"]);
  const rows = out
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Row)
    .filter(({ kind, level }) => kind === "check" && level !== "ok");
  return { code, broken: new Map(rows.map((row) => [row.check, row])) };
}

/** Says commands to a Redis server, as its protocol allows to a person. */
async function tell(broker: StartedBroker, ...lines: readonly string[]): Promise<void> {
  const { hostname, port } = new URL(broker.url);
  const socket = dial(Number(port), hostname);
  for (const line of lines) {
    socket.write(`${line}\r\n`);
    const [answer] = (await once(socket, "data")) as [Buffer];
    expect(answer.toString(), line).toMatch(/^\+OK/);
  }
  socket.destroy();
}

function withUser(url: string, user: string, password: string): string {
  const changed = new URL(url);
  changed.username = user;
  changed.password = password;
  return changed.href;
}

test("Redis as it should be has nothing broken", async () => {
  const { url } = await start("redis");
  const { code, broken } = await examined(url);
  expect([...broken.values()].filter(({ level }) => level === "broken")).toEqual([]);
  expect(code).toBe(0);
});

test("Redis without an append-only file", async () => {
  const { url } = await start("redis", { durable: false });
  const { code, broken } = await examined(url);
  expect(code).toBe(1);
  expect(broken.get("append-only file")).toMatchObject({
    level: "broken",
    fix: expect.stringContaining("appendonly yes"),
  });
});

test("NATS without JetStream", async () => {
  const { url } = await start("nats", { durable: false });
  const { code, broken } = await examined(url);
  expect(code).toBe(1);
  expect(broken.get("JetStream")).toMatchObject({
    level: "broken",
    fix: expect.stringContaining("nats-server with -js"),
  });
  for (const { fix } of broken.values()) expect(fix).toContain("nats-server with -js");
});

test("Redis that evicts", async () => {
  const broker = await start("redis");
  await tell(broker, "CONFIG SET maxmemory 100mb", "CONFIG SET maxmemory-policy allkeys-lru");
  const { code, broken } = await examined(broker.url);
  expect(code).toBe(1);
  expect(broken.get("eviction")).toMatchObject({ level: "broken", fix: expect.stringContaining("noeviction") });
});

test("a wrong password", async () => {
  const { url } = await start("redis", { auth: "password" });
  const { code, broken } = await examined(withUser(url, "nobody", "wrong-password"));
  expect(code).toBe(1);
  expect(broken.get("connect")).toMatchObject({
    detail: expect.stringContaining("denied"),
    fix: expect.stringMatching(/user and password/),
  });
  expect(JSON.stringify([...broken.values()])).not.toContain("wrong-password");
});

test("a permission that is missing", async () => {
  const { url, options } = await start("redis", { auth: "password", permissions: "~* &none +@all" });
  const { user, password } = options.auth as { user: string; password: string };
  const { code, broken } = await examined(withUser(url, user, password));
  expect(code).toBe(1);
  const denied = [...broken.values()].filter(({ detail }) => detail.includes("denied"));
  expect(denied.length).toBeGreaterThan(0);
  for (const { fix } of denied) expect(fix).toContain("ACL SETUSER");
});

test("nobody at the address", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  const { code, broken } = await examined(`redis://127.0.0.1:${port}`);
  expect(code).toBe(1);
  expect(broken.get("connect")?.fix).toMatch(/start it .*redis-server/);
});

test("a URL of the wrong scheme", async () => {
  const nats = await start("nats");
  const redis = await start("redis");
  const asRedis = await examined(nats.url.replace(/^nats:/, "redis:"));
  expect([asRedis.code, asRedis.broken.get("connect")?.fix]).toEqual([
    1,
    expect.stringContaining("begins with nats://"),
  ]);
  const asHub = await examined(redis.url.replace(/^redis:/, "zmq:"));
  expect([asHub.code, asHub.broken.get("connect")?.fix]).toEqual([1, expect.stringContaining("begins with redis://")]);
});

test("a full disk", async () => {
  const disk = await smallDisk(8 * 1024 * 1024);
  started.push(disk);
  const { url } = await start("redis", { data: disk.folder });
  await disk.fill();
  const { code, broken } = await examined(url);
  expect(code).toBe(1);
  expect([...broken.values()].map(({ fix }) => fix).join("\n")).toMatch(/free some disk/);
});

/** Until the end of the test; its port. */
async function listen(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  started.push({ [Symbol.asyncDispose]: () => new Promise<void>((resolve) => void server.close(() => resolve())) });
  return (server.address() as AddressInfo).port;
}

/** Answers as a server of long ago. */
async function oldRedis(): Promise<string> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.on("data", (data) => {
      // Each command is a list: *2 $4 INFO …
      for (const command of data
        .toString()
        .split(/\*\d+\r\n/)
        .slice(1)) {
        const info = "redis_version:5.0.14\r\nrun_id:0\r\nrole:master\r\naof_enabled:1\r\n";
        socket.write(/^\$4\r\nINFO/i.test(command) ? `$${info.length}\r\n${info}\r\n` : "+OK\r\n");
      }
    });
  });
  return `redis://127.0.0.1:${await listen(server)}`;
}

async function oldNats(): Promise<string> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.write('INFO {"server_id":"A","version":"2.1.9","proto":1,"max_payload":1048576}\r\n');
    socket.on("data", (data) => {
      if (data.includes("PING\r\n")) socket.write("PONG\r\n");
    });
  });
  return `nats://127.0.0.1:${await listen(server)}`;
}

test.each([
  ["Redis", oldRedis, "5.0.14", "7.0"],
  ["NATS", oldNats, "2.1.9", "2.9"],
] as const)("%s that is too old", async (_name, old, version, needed) => {
  const { code, broken } = await examined(await old());
  expect(code).toBe(1);
  expect(broken.get("connect")).toMatchObject({
    detail: expect.stringContaining(version),
    fix: expect.stringContaining(needed),
  });
});

test("clocks that are apart", async () => {
  for (const kind of ["redis", "nats"] as const) {
    const { url } = await start(kind);
    // It is the doctor's own that is wrong here.
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 3_600_000 });
    try {
      const { broken } = await examined(url);
      expect(broken.get("clock")).toMatchObject({
        level: "warning",
        detail: expect.stringContaining("s apart"),
        fix: expect.stringContaining("NTP"),
      });
    } finally {
      vi.useRealTimers();
    }
  }
});

test("NATS: a wrong password, and a permission that is missing", async () => {
  const { url, options } = await start("nats", {
    auth: "password",
    permissions: '{ publish: { deny: ["$JS.API.>"] } }',
  });
  const refused = await examined(withUser(url, "nobody", "wrong-password"));
  expect([refused.code, refused.broken.get("connect")?.fix]).toEqual([1, expect.stringContaining("authorization")]);
  const { user, password } = options.auth as { user: string; password: string };
  const { code, broken } = await examined(withUser(url, user, password));
  expect(code).toBe(1);
  const denied = [...broken.values()].filter(({ detail }) => detail.includes("does not permit"));
  expect(denied.length).toBeGreaterThan(2);
  for (const { fix } of denied) expect(fix).toContain("permissions");
});
