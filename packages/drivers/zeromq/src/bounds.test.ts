import { type Driver, encodeTemplate } from "@quadrant/contract";
import { afterEach, describe, expect, test } from "vitest";
import { Dealer } from "zeromq";
import { generateKeyPair } from "./curve-key.ts";
import { Admission } from "./hub/admission.ts";
import { maxConnections, maxHalfOpen, maxServers, maxSubscriptions, requestBytes } from "./hub/limits.ts";
import { Memory } from "./hub/memory.ts";
import { open, startHub } from "./index.ts";
import { encodeAck, encodeHello, PacketKind } from "./wire/packet.ts";
import { encodeValues } from "./wire/values.ts";

const options = {
  name: "test",
  timeoutMs: 30_000,
  requestTimeoutMs: 60_000,
  maxPayloadBytes: 8 << 20,
  outboxBytes: 64 << 20,
};

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function hub(): Promise<string> {
  const started = await startHub();
  cleanups.push(() => started[Symbol.asyncDispose]());
  return started.url;
}

async function client(url: string): Promise<Driver> {
  const driver = await open(new URL(url), options);
  cleanups.push(() => driver.close(0));
  return driver;
}

interface Told {
  readonly dropped: Readonly<Record<string, number>>;
  readonly connections: Readonly<Record<string, number>>;
  readonly bounds: Readonly<Record<string, number>>;
  readonly clients: readonly { readonly overflows: number }[];
}

async function told(driver: Driver): Promise<Told> {
  return ((await driver.describe()) as unknown as { hub: Told }).hub;
}

const sink = { available: () => true, deliver: () => undefined, lost: () => undefined, end: () => undefined };

describe("one client may have", () => {
  test(`${maxSubscriptions} subscriptions`, async () => {
    const driver = await client(await hub());
    const { topics } = driver;
    await Promise.all(Array.from({ length: maxSubscriptions }, () => topics!.subscribe("a", undefined, sink)));
    await expect(topics!.subscribe("a", undefined, sink)).rejects.toMatchObject({ code: "overflow" });
    expect((await told(driver)).clients).toMatchObject([{ overflows: 1 }]);
  });

  test(`${maxServers} servers`, async () => {
    const { calls } = await client(await hub());
    const serve = (address: string) => calls!.serve({ address, instance: "one", methods: [] }, () => undefined);
    await Promise.all(Array.from({ length: maxServers }, (_, i) => serve(`s${i}`)));
    await expect(serve("more")).rejects.toMatchObject({ code: "overflow" });
  });

  test(`requests that wait and hold ${requestBytes} bytes`, async () => {
    const { tuples } = await client(await hub());
    const bytes = 7 << 20;
    const ended = new AbortController();
    const waiting: Promise<unknown>[] = [];
    for (let held = 0; held + bytes + 100 <= requestBytes; held += bytes + 100) {
      waiting.push(tuples!.take("s", encodeTemplate(["x".repeat(bytes)]), { signal: ended.signal }));
    }
    await expect(tuples!.take("s", encodeTemplate(["y".repeat(bytes)]), {})).rejects.toMatchObject({
      code: "overflow",
    });
    ended.abort();
    for (const each of waiting) await expect(each).rejects.toMatchObject({ code: "aborted" });
    // There is room again.
    const timeoutMs = 1;
    await expect(tuples!.take("s", encodeTemplate(["y".repeat(bytes)]), { timeoutMs })).rejects.toMatchObject({
      code: "timeout",
    });
  });
});

test("what waits for all clients together is bounded: who holds most has to go", () => {
  const [small, large] = [{ held: 10 }, { held: 90 }];
  const memory = new Memory(() => [small, large], 100);
  expect(memory.changed(100)).toBeUndefined();
  expect(memory.changed(1)).toBe(large);
  expect(memory.changed(-91)).toBeUndefined();
  expect(memory.held).toBe(10);
});

test("beyond their number connections are turned away, and told to try later", () => {
  const crowded = { admitted: false, status: "300" };
  const applicant = { mechanism: "NULL", key: undefined };
  let attached = 0;
  const admission = new Admission(undefined, () => attached);
  for (let i = 0; i < maxHalfOpen; i++) admission.accepted();
  expect(admission.judge(applicant)).toMatchObject({ admitted: true });
  admission.accepted();
  expect(admission.judge(applicant)).toMatchObject(crowded);
  attached = maxHalfOpen;
  expect(admission.judge(applicant)).toMatchObject({ admitted: true });
  for (attached = maxHalfOpen; attached < maxConnections; attached++) admission.accepted();
  expect(admission.judge(applicant)).toMatchObject(crowded);
  for (let i = 0; i < 10; i++) admission.ended();
  expect(admission.judge(applicant)).toMatchObject({ admitted: true });
  expect(admission.crowded).toBe(2);
});

test("a routing id is believed only as it was given", () => {
  const { publicKey, secretKey } = generateKeyPair();
  const admission = new Admission({ secretKey, clients: { [publicKey]: { call: ["a"] } } }, () => 0);
  const other = new Admission({ secretKey }, () => 0);
  const key = Buffer.alloc(32, 7);
  const given = other.judge({ mechanism: "CURVE", key });
  const identity = given.admitted ? given.identity! : Buffer.alloc(0);
  expect(other.holderOf(identity)?.key).toBe(key.toString("latin1"));
  expect(admission.holderOf(identity)).toBeUndefined();
  for (let at = 0; at < identity.length; at++) {
    const changed = Buffer.from(identity);
    changed[at] = changed[at]! ^ 1;
    expect(other.holderOf(changed), `byte ${at}`).toBeUndefined();
  }
  expect(other.holderOf(Buffer.from("\0abcd"))).toBeUndefined();
  expect(admission.judge({ mechanism: "CURVE", key })).toMatchObject({ admitted: false, status: "400" });
});

test("connections are counted, and a hello said again over one is dropped", async () => {
  const url = await hub();
  const driver = await client(url);
  const peer = new Dealer({ linger: 0, receiveTimeout: 30_000 });
  cleanups.push(() => peer.close());
  peer.connect(url.replace("zmq:", "tcp:"));
  const hello = encodeHello(undefined, 0, encodeValues(["peer"]));
  await peer.send(hello);
  expect(((await peer.receive()) as [Buffer])[0][2]).toBe(PacketKind.welcome);
  await peer.send(hello);
  await peer.send(encodeAck(0));
  await expect.poll(async () => (await told(driver)).dropped.repeatedHellos, { timeout: 30_000 }).toBe(1);
  const { clients, connections, bounds } = await told(driver);
  expect(clients).toHaveLength(2);
  expect(connections).toMatchObject({ now: 2, halfOpen: 0 });
  expect(bounds).toMatchObject({ connections: maxConnections });
});
