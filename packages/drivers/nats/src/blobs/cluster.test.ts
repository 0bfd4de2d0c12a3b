import { createHash, randomBytes } from "node:crypto";
import { type BlobStore, type Bus, type BusError, connect } from "@quadrant/bus";
import { type StartedBroker, startBroker } from "@quadrant/testkit/brokers";
import { afterAll, beforeAll, expect, it } from "vitest";

let broker: StartedBroker;
const buses: Bus[] = [];

/** A connection to the server of that number, and to the others once it is gone. */
async function openBus(first: number): Promise<Bus> {
  const addresses = broker.members.map(({ address }) => address);
  const hosts = [...addresses.slice(first), ...addresses.slice(0, first)].join(",");
  const options = { ...broker.options, requestTimeoutMs: 15_000 };
  const bus = await connect(`nats://${hosts}?replicas=3`, options);
  buses.push(bus);
  return bus;
}

beforeAll(async () => {
  broker = await startBroker("nats", { cluster: true });
}, 120_000);
afterAll(async () => {
  await Promise.all(buses.map((bus) => bus.close({ drainMs: 500 })));
  await broker?.[Symbol.asyncDispose]();
});

/** Until the server that takes over has done so. */
async function patiently<T>(work: () => Promise<T>): Promise<T> {
  const end = performance.now() + 60_000;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error as BusError).retryable || performance.now() > end) throw error;
    }
  }
}

async function sumOf(store: BlobStore, name: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of (await store.get(name))!) hash.update(chunk);
  return hash.digest("hex");
}

it("with three replicas every blob that was put is there, whole, when a server is killed, and more are put", {
  timeout: 180_000,
}, async () => {
  const [bus, other] = [await openBus(0), await openBus(1)];
  const store = await patiently(() => bus.blobs("files"));
  const sums = new Map<string, string>();
  for (let n = 0; n < 24; n++) {
    if (n === 8) await broker.members[0]!.kill();
    const { sha256 } = await patiently(() => store.put(`n${n % 16}`, randomBytes(300_000)));
    sums.set(`n${n % 16}`, sha256);
  }
  await broker.members[0]!.restart();
  const same = await patiently(() => other.blobs("files"));
  const listed = await patiently(() => same.list());
  expect(listed.map(({ name }) => name)).toEqual([...sums.keys()].sort());
  for (const [name, sha256] of sums) expect(await patiently(() => sumOf(same, name))).toBe(sha256);
});
