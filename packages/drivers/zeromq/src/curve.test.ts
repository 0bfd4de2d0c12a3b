import { type BusStatus, type Driver, encodeTemplate, encodeTuple, noHeaders } from "@quadrant/contract";
import { afterEach, describe, expect, test, vi } from "vitest";
import { Dealer } from "zeromq";
import { generateKeyPair, type Hub, type KeyPair, open, type Permissions, startHub } from "./index.ts";
import { encodeHello, PacketKind } from "./wire/packet.ts";
import { encodeValues } from "./wire/values.ts";

const options = {
  name: "test",
  timeoutMs: 20_000,
  requestTimeoutMs: 10_000,
  maxPayloadBytes: 8 << 20,
  outboxBytes: 64 << 20,
};

const hubKeys = generateKeyPair();
const clientKeys = generateKeyPair();

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function hub(clients?: Readonly<Record<string, Permissions>>): Promise<Hub> {
  const started = await startHub({ auth: { secretKey: hubKeys.secretKey, clients } });
  cleanups.push(() => started[Symbol.asyncDispose]());
  return started;
}

function curve(
  keys: KeyPair,
  serverKey = hubKeys.publicKey,
): { readonly auth: { readonly curve: KeyPair & { serverKey: string } } } {
  return { auth: { curve: { ...keys, serverKey } } };
}

async function client(url: string, more: object = curve(clientKeys)): Promise<Driver> {
  const driver = await open(new URL(url), { ...options, ...more });
  cleanups.push(() => driver.close(0));
  return driver;
}

/** Connects with the hub's own socket options, so that it says what it likes. */
async function rawPeer(url: string, keys: KeyPair, routingId?: string): Promise<Dealer> {
  const socket = new Dealer({
    linger: 0,
    receiveTimeout: 20_000,
    curveServerKey: hubKeys.publicKey,
    curvePublicKey: keys.publicKey,
    curveSecretKey: keys.secretKey,
    ...(routingId === undefined ? {} : { routingId }),
  });
  cleanups.push(() => socket.close());
  socket.connect(url.replace("zmq:", "tcp:"));
  return socket;
}

const call = { method: "add", headers: noHeaders, contentType: "", body: Buffer.alloc(0), timeoutMs: 5_000, credit: 0 };
const server = { instance: "one", methods: ["add"] } as const;
const letter = { id: "1", dedupe: false, headers: noHeaders, contentType: "", body: Buffer.from("x") };
const sink = { available: () => true, deliver: () => undefined, lost: () => undefined, end: () => undefined };

function outcome(driver: Driver, address: string): Promise<string> {
  return new Promise((resolve) => {
    driver.calls!.call(
      { ...call, address },
      { reply: ({ kind }) => resolve(kind), fail: (error) => resolve(error.code) },
    );
  });
}

describe("a hub with keys", () => {
  test("tells its public key, and lets in whoever knows it where it has no list", async () => {
    const { url, publicKey } = await hub();
    expect(publicKey).toBe(hubKeys.publicKey);
    const [a, b] = [await client(url), await client(url, curve(generateKeyPair()))];
    await a.tuples!.out("s", encodeTuple(["over", "CURVE"]), undefined, {});
    expect(await b.tuples!.take("s", encodeTemplate(["over", String]), {})).toBe(encodeTuple(["over", "CURVE"]));
  });

  test.each<[string, () => object, string]>([
    ["a key that is not in the list", () => curve(generateKeyPair()), "does not let this client's key in"],
    ["a wrong server key", () => curve(clientKeys, generateKeyPair().publicKey), "serverKey is not its public key"],
    ["no keys", () => ({}), "takes only clients with keys"],
  ])("a client with %s is denied at once, and told what to do", async (_, more, words) => {
    const { url } = await hub({ [clientKeys.publicKey]: {} });
    const failure = await open(new URL(url), { ...options, timeoutMs: 600_000, ...more() }).catch((error) => error);
    expect(failure).toMatchObject({ code: "denied", message: expect.stringContaining(words) });
    expect((await client(url)).name).toBe("zeromq");
  });

  test("a client with keys is denied at once by a hub without", async () => {
    await using plain = await startHub();
    await expect(
      open(new URL(plain.url), { ...options, timeoutMs: 600_000, ...curve(clientKeys) }),
    ).rejects.toMatchObject({
      code: "denied",
      message: expect.stringMatching(/has no keys/),
    });
  });

  test("keys that are none, or do not belong together, are invalid, and not shown", async () => {
    const secret = `!${clientKeys.secretKey.slice(1)}~`;
    for (const attempt of [
      () => startHub({ auth: { secretKey: secret } }),
      () => startHub({ auth: { secretKey: hubKeys.secretKey, clients: { [secret]: {} } } }),
      () =>
        startHub({
          auth: { secretKey: hubKeys.secretKey, clients: { [clientKeys.publicKey]: { read: [] } as never } },
        }),
      () =>
        startHub({
          auth: { secretKey: hubKeys.secretKey, clients: { [clientKeys.publicKey]: { call: "x" } as never } },
        }),
      () => open(new URL("zmq://127.0.0.1:1"), { ...options, ...curve({ ...clientKeys, secretKey: secret }) }),
      () =>
        open(new URL("zmq://127.0.0.1:1"), { ...options, ...curve({ ...clientKeys, secretKey: hubKeys.secretKey }) }),
    ]) {
      const failure = (await attempt().catch((error: unknown) => error)) as Error & { code: string };
      expect(failure.code).toBe("invalid");
      for (const each of [secret, clientKeys.secretKey, hubKeys.secretKey]) expect(failure.message).not.toContain(each);
    }
  });

  test("no secret stands in a description, a URL or a failure", async () => {
    const { url } = await hub({ [clientKeys.publicKey]: {} });
    const driver = await client(url);
    const told = [driver.url, JSON.stringify(await driver.describe()), JSON.stringify(driver.support)].join();
    expect(told).not.toContain(clientKeys.secretKey);
    expect(told).not.toContain(hubKeys.secretKey);
    expect(told).toContain(clientKeys.publicKey.slice(0, 8));
  });

  // libzmq aborts the process when a peer without an id is to get one that another peer has asked for: 0 and a u32.
  test.each(["chosen", "\0abcd"])("the routing id %j, chosen by a peer, means nothing", async (chosen) => {
    const { url } = await hub();
    const peer = await rawPeer(url, clientKeys, chosen);
    await peer.send(encodeHello(undefined, 0, encodeValues(["peer"])));
    const [welcome] = (await peer.receive()) as [Buffer];
    expect(welcome[2]).toBe(PacketKind.welcome);
    // Another of the same id is welcomed, too: neither has it.
    const second = await rawPeer(url, clientKeys, chosen);
    await second.send(encodeHello(undefined, 0, encodeValues(["second"])));
    expect(((await second.receive()) as [Buffer])[0][2]).toBe(PacketKind.welcome);
  });

  test("the session of another key is not gone on with, and does not notice", async () => {
    const { url } = await hub();
    const victim = await rawPeer(url, clientKeys);
    await victim.send(encodeHello(undefined, 0, encodeValues(["victim"])));
    const session = ((await victim.receive()) as [Buffer])[0].toString("hex", 19, 35);
    const thief = await rawPeer(url, generateKeyPair());
    await thief.send(encodeHello(session, 0, encodeValues(["thief"])));
    const [welcome] = (await thief.receive()) as [Buffer];
    expect(welcome[2]).toBe(PacketKind.welcome);
    expect(welcome[35]).toBe(0);
    expect(welcome.toString("hex", 19, 35)).not.toBe(session);
    const { hub: told } = (await (await client(url)).describe()) as { hub: { dropped: { spoofed: number } } };
    expect(told.dropped.spoofed).toBe(1);
    // Its own key goes on with it.
    const again = await rawPeer(url, clientKeys);
    await again.send(encodeHello(session, 0, encodeValues(["victim"])));
    expect(((await again.receive()) as [Buffer])[0][35]).toBe(1);
  });
});

describe("permissions", () => {
  const permissions: Permissions = {
    publish: ["news.*"],
    subscribe: ["news.>", "chat.*.in"],
    logs: ["audit"],
    mailboxes: ["box.>"],
    spaces: ["mine"],
    serve: ["calc"],
    call: ["calc", "clock.*"],
  };

  async function restricted(): Promise<{ readonly url: string; readonly driver: Driver; readonly free: Driver }> {
    const freeKeys = generateKeyPair();
    const { url } = await hub({ [clientKeys.publicKey]: permissions, [freeKeys.publicKey]: {} });
    return { url, driver: await client(url), free: await client(url, curve(freeKeys)) };
  }

  test("what they allow works", async () => {
    const { driver, free } = await restricted();
    for (const pattern of ["news.a", "news.*", "news.>", "news.a.>", "chat.x.in", "chat.*.in"]) {
      await (await driver.topics!.subscribe(pattern, undefined, sink)).close();
    }
    let delivered = "";
    await free.topics!.subscribe("news.a", undefined, {
      ...sink,
      deliver: ([envelope]) => {
        delivered = envelope!.subject;
      },
    });
    await driver.topics!.publish({ ...call, subject: "news.a" });
    await driver.flush();
    await vi.waitFor(() => expect(delivered).toBe("news.a"), 20_000);
    expect(await driver.queues!.send("box.a.b", [letter])).toEqual([{ duplicate: false }]);
    expect(await driver.queues!.fetch("box.a.b", { max: 1 })).toHaveLength(1);
    await driver.logs!.open("audit", {});
    await driver.tuples!.out("mine", encodeTuple(["a"]), undefined, {});
    await driver.calls!.serve({ ...server, address: "calc" }, (served) =>
      served.reply({ kind: "value", contentType: "", body: Buffer.alloc(0) }),
    );
    expect(await outcome(driver, "calc")).toBe("value");
    expect(await outcome(driver, "clock.utc")).toBe("no-responder");
  });

  test("what they do not allow is denied, at once", async () => {
    const { driver, free } = await restricted();
    const denied = { code: "denied" };
    const gone = driver.tuples!.collect!("mine", encodeTemplate(["a"]), "theirs", true);
    await expect(gone).rejects.toMatchObject(denied);
    for (const pattern of [">", "*.a", "chat.>", "chat.*.*", "other", "news"]) {
      await expect(driver.topics!.subscribe(pattern, undefined, sink)).rejects.toMatchObject(denied);
    }
    await expect(driver.queues!.send("box", [letter])).rejects.toMatchObject(denied);
    await expect(driver.queues!.fetch("others", { max: 1 })).rejects.toMatchObject(denied);
    await expect(driver.queues!.open("others", {})).rejects.toMatchObject(denied);
    await expect(driver.queues!.purge("others")).rejects.toMatchObject(denied);
    await expect(driver.logs!.open("others", {})).rejects.toMatchObject(denied);
    await expect(driver.tuples!.out("others", encodeTuple(["a"]), undefined, {})).rejects.toMatchObject(denied);
    await expect(driver.tuples!.take("others", encodeTemplate(["a"]), {})).rejects.toMatchObject(denied);
    await expect(driver.tuples!.count("others", encodeTemplate(["a"]))).rejects.toMatchObject(denied);
    await expect(driver.calls!.serve({ ...server, address: "other" }, () => undefined)).rejects.toMatchObject(denied);
    expect(await outcome(driver, "other")).toBe("denied");
    // It was done for nobody.
    expect(await free.list("space")).not.toContain("others");
    expect(await free.list("mailbox")).not.toContain("others");
  });

  test("a publish that is not allowed is dropped, told as a status, and the next on its subject rejects", async () => {
    const { driver, free } = await restricted();
    const seen: string[] = [];
    await free.topics!.subscribe(">", undefined, {
      ...sink,
      deliver: (batch) => {
        for (const { subject } of batch) seen.push(subject);
      },
    });
    const told: BusStatus[] = [];
    driver.onStatus((status) => told.push(status));
    await driver.topics!.publish({ ...call, subject: "other" });
    await driver.flush();
    expect(told).toMatchObject([{ kind: "denied", detail: { operation: "publish", subject: "other" } }]);
    await expect(driver.topics!.publish({ ...call, subject: "other" })).rejects.toMatchObject({ code: "denied" });
    await driver.topics!.publish({ ...call, subject: "news.a" });
    await vi.waitFor(() => expect(seen).toEqual(["news.a"]), 20_000);
  });

  test("lists, services and the description show only what is allowed", async () => {
    const { driver, free } = await restricted();
    for (const space of ["mine", "theirs"]) await free.tuples!.out(space, encodeTuple(["a"]), undefined, {});
    for (const address of ["calc", "other"]) {
      await free.calls!.serve({ ...server, address }, () => undefined);
    }
    expect(await driver.list("space")).toEqual(["mine"]);
    expect((await driver.calls!.services()).map(({ address }) => address)).toEqual(["calc"]);
    const { hub: told } = (await driver.describe()) as { hub: { clients: readonly object[] } };
    expect(told.clients).toHaveLength(1);
    expect(told).not.toHaveProperty("spaces");
  });
});
