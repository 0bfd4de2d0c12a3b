import { connect } from "@quadrant/bus";
import type { Bus, BusError, BusStatus } from "@quadrant/contract";
import { type StartedBroker, startBroker } from "@quadrant/testkit/brokers";
import { expect, test } from "vitest";

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 2));

async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await what())) await turn();
}

/** Sends letters one after another, through what happens to the server; tells what came of each. */
class Sending {
  readonly sent: number[] = [];
  readonly unknown: number[] = [];
  #ending = false;
  readonly #done: Promise<void>;

  constructor(bus: Bus, address: string) {
    this.#done = this.#run(bus, address);
  }

  async #run(bus: Bus, address: string): Promise<void> {
    const box = await bus.mailbox<number>(address);
    for (let n = 0; !this.#ending; n++) {
      await box.send(n).then(
        () => this.sent.push(n),
        (error: BusError) => {
          if (error.code === "indefinite") this.unknown.push(n);
        },
      );
    }
  }

  end(): Promise<void> {
    this.#ending = true;
    return this.#done;
  }
}

async function kindsOf(bus: Bus): Promise<BusStatus["kind"][]> {
  const kinds: BusStatus["kind"][] = [];
  void (async () => {
    for await (const { kind } of bus.status()) kinds.push(kind);
  })();
  await until(() => kinds.length > 0);
  return kinds;
}

test("after a failover it goes on at the new master; what was acknowledged and not yet passed on is lost, and counted", async () => {
  await using broker: StartedBroker = await startBroker("redis", { cluster: true });
  const bus = await connect(broker.url, { ...broker.options, requestTimeoutMs: 60_000 });
  const kinds = await kindsOf(bus);
  const messages = await bus.subscribe<string>("topic");
  const space = await bus.space("space");
  const waiting = space.in(["late"]);
  const service = { run: () => "served" };
  await bus.serve("service", service);
  const sending = new Sending(bus, "box");
  await until(() => sending.sent.length >= 200);
  await broker.members.find(({ role }) => role === "primary")!.kill();
  await until(() => kinds.includes("reconnected"));
  const mark = sending.sent.length;
  await until(() => sending.sent.length > mark + 50);
  await sending.end();
  await bus.publish("topic", "message");
  expect((await messages[Symbol.asyncIterator]().next()).value).toMatchObject({ data: "message" });
  await space.out(["late"]);
  expect(await waiting).toEqual(["late"]);
  expect(await bus.client<typeof service>("service").run()).toBe("served");
  const there = (await (await bus.mailbox<number>("box")).peek(100_000)).map(({ data }) => data);
  const lost = sending.sent.filter((n) => !there.includes(n));
  console.log(`failover: ${sending.sent.length} acknowledged, ${lost.length} lost, ${sending.unknown.length} unknown`);
  expect(there).toHaveLength(new Set(there).size);
  // Only the last before the failover can be lost: what the replica did not have yet.
  expect(lost.every((n) => n > sending.sent[mark]! - 200)).toBe(true);
  await bus.close({ drainMs: 100 });
}, 120_000);

test("in a cluster keys of different names are on different masters, and a slot that has moved is found", async () => {
  await using broker: StartedBroker = await startBroker("redis", { cluster: "sharded", durable: "always" });
  const bus = await connect(broker.url, broker.options);
  const boxes = await Promise.all(Array.from({ length: 12 }, (_, n) => bus.mailbox<number>(`box${n}`)));
  for (const [n, box] of boxes.entries()) await box.send(n);
  for (const box of boxes) expect((await box.info()).waiting).toBe(1);
  expect((await bus.list("mailbox")).length).toBe(12);
  // With one node gone its slots have nobody, and the others go on once the cluster has it back.
  const [first] = broker.members;
  const kinds = await kindsOf(bus);
  await first!.kill();
  await until(() => kinds.includes("disconnected"));
  await first!.restart();
  await until(() => kinds.includes("reconnected"));
  for (const box of boxes) await box.send(-1);
  for (const box of boxes) expect((await box.info()).waiting).toBe(2);
  await bus.close({ drainMs: 100 });
}, 120_000);

test("the nodes of a cluster go down one after another and come back so: one outage", async () => {
  await using broker: StartedBroker = await startBroker("redis", { cluster: "sharded", durable: "always" });
  const bus = await connect(broker.url, broker.options);
  const kinds = await kindsOf(bus);
  const box = await bus.mailbox<number>("box");
  const outages = 3;
  for (let n = 1; n <= outages; n++) {
    for (const member of broker.members) {
      await member.kill();
      await until(() => kinds.length === 2 * n);
    }
    for (const member of broker.members) await member.restart();
    await until(() => kinds.length > 2 * n);
    for (let left = 20; left > 0; left--) await box.send(n);
  }
  await bus.close({ drainMs: 100 });
  await until(() => kinds.at(-1) === "closed");
  // Client ids begin anew with a node: none of before may be taken for one of now.
  const each = Array.from({ length: outages }, () => ["disconnected", "reconnected"] as const);
  expect(kinds).toEqual(["connected", ...each.flat(), "closed"]);
}, 120_000);
