import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { type Bus, connect, type Mailbox, type TupleSpace } from "@quadrant/bus";
import { type StartedBroker, startBroker } from "@quadrant/testkit/brokers";
import { afterAll, beforeAll, expect, test, vi } from "vitest";

interface Service {
  never(): void;
  settle(): readonly string[];
}

let hub: StartedBroker;
let bus: Bus;
beforeAll(async () => {
  hub = await startBroker("zeromq");
  bus = await connect(hub.url, { requestTimeoutMs: 20_000 });
});
afterAll(async () => {
  await bus.close({ drainMs: 0 });
  await hub[Symbol.asyncDispose]();
});

const patience = { timeout: 20_000, interval: 20 };

interface Client extends AsyncDisposable {
  readonly child: ChildProcess;
  readonly box: Mailbox<unknown>;
  readonly space: TupleSpace;
  readonly said: readonly unknown[];
  signal(signal: NodeJS.Signals): void;
}

/** A client in a process of its own that holds what it has been given. */
async function startClient(name: string): Promise<Client> {
  const box = await bus.mailbox(name, { leaseMs: 1_000 });
  const space = await bus.space(name);
  await box.send("letter");
  await space.out(["claimed"]);
  const program = fileURLToPath(new URL("./client-process.ts", import.meta.url));
  const child = fork(program, [hub.url, name], { execPath: process.execPath, execArgv: [] });
  const said: unknown[] = [];
  child.on("message", (message) => said.push(message));
  await vi.waitUntil(() => said.includes("ready"), patience);
  return {
    child,
    box,
    space,
    said,
    signal: (signal) => void child.kill(signal),
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, "exit");
      child.kill("SIGKILL");
      await exited;
    },
  };
}

async function next<T>(iterable: AsyncIterable<T>): Promise<T> {
  for await (const item of iterable) return item;
  throw new Error("ended where an item was expected");
}

test("of a client that is killed the letter and the claim come back, its calls end, and it takes nothing more", async () => {
  const name = "killed";
  await using client = await startClient(name);
  const group = await bus.subscribe<number>(`${name}.group`, { group: "g" });
  const call = bus.client<Service>(name, { timeoutMs: 2_000 }).never();
  await vi.waitUntil(() => client.said.includes("running"), patience);
  client.signal("SIGKILL");
  // It may come back for a while yet: what tells first that it does not is the call's own deadline.
  await expect(call).rejects.toMatchObject({ code: expect.stringMatching(/^(timeout|indefinite)$/) });
  await vi.waitUntil(async () => (await bus.services()).every((service) => service.address !== name), patience);
  await expect(bus.client<Service>(name).never()).rejects.toMatchObject({ code: "no-responder" });

  // The hub knows by now: neither its waiter nor its membership takes anything.
  await client.space.out(["wanted"]);
  expect(await client.space.inp(["wanted"])).toEqual(["wanted"]);
  for (let n = 0; n < 50; n++) await bus.publish(`${name}.group`, n);
  const shared: number[] = [];
  for await (const message of group) if (shared.push(message.data) === 50) break;
  expect(shared).toEqual(Array.from({ length: 50 }, (_, n) => n));

  const letter = await next(await client.box.receive());
  expect(letter).toMatchObject({ data: "letter", attempt: 2 });
  await letter.ack();
  expect(await client.space.in(["claimed"], { timeoutMs: 20_000 })).toEqual(["claimed"]);
});

test("a client that stood still longer than its leases finds them stale, and what others did is left alone", async () => {
  const name = "stopped";
  await using client = await startClient(name);
  client.signal("SIGSTOP");
  const letter = await next(await client.box.receive());
  expect(letter.data).toBe("letter");
  // Until the hub has noticed, it may have given the letter to the one that stands still once more.
  expect(letter.attempt).toBeGreaterThan(1);
  const claim = await client.space.claim(["claimed"], { timeoutMs: 20_000 });
  client.signal("SIGCONT");

  const settle = async (): Promise<readonly string[] | undefined> => {
    try {
      return await bus.client<Service>(name).settle();
    } catch (error) {
      // Until it has come back it serves nothing.
      if (!["no-responder", "indefinite", "timeout"].includes((error as { code: string }).code)) throw error;
      return undefined;
    }
  };
  expect(await vi.waitUntil(settle, patience)).toEqual(["stale", "stale"]);
  expect(await client.box.info()).toMatchObject({ held: 1, waiting: 0 });
  expect(await client.space.rdp(["claimed"])).toBeUndefined();
  await letter.ack();
  await claim.ack();
  expect(await client.box.info()).toMatchObject({ held: 0, waiting: 0, dead: 0 });
});

test("a subscriber that stands still costs the others nothing, and learns what it missed", async () => {
  const name = "slow";
  await using client = await startClient(name);
  const subject = `${name}.stream`;
  const fast = await bus.subscribe<number>(subject, { buffer: 100_000 });
  client.signal("SIGSTOP");
  const publisher = await connect(hub.url);
  const count = 40_000;
  const body = "x".repeat(1_000);
  let received = 0;
  const reading = (async () => {
    for await (const message of fast) {
      expect(message.data).toBe(received++);
      if (received === count) break;
    }
  })();
  for (let n = 0; n < count; n++) {
    await publisher.publish(subject, n, { headers: { body } });
    if (n % 500 === 0) await publisher.flush();
  }
  await reading;
  expect(fast.dropped).toBe(0);
  client.signal("SIGCONT");

  interface Reached {
    readonly marker: number;
    readonly received: number;
    readonly dropped: number;
  }
  const reached = (): Reached | undefined => client.said.find((each): each is Reached => typeof each === "object");
  let markers = 0;
  const report = await vi.waitUntil(async () => {
    if (reached() === undefined) await publisher.publish(subject, -++markers);
    return reached();
  }, patience);
  await publisher.close();
  // All before the marker that reached it, and that marker: received, or counted as dropped.
  expect(report.received + report.dropped).toBe(count - report.marker);
  expect(report.dropped).toBeGreaterThan(0);
});
