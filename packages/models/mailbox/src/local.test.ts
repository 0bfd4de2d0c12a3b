/** What is particular to a mailbox in this process. */
import {
  Bodies,
  BusError,
  bytes,
  type Codec,
  type Context,
  type Delivery,
  type Drainable,
  json,
  type LocalQueue,
  type Mailbox,
} from "@quadrant/contract";
import { Engine } from "@quadrant/engine";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openMailbox } from "./mailbox.ts";

const address = "orders.new";
let engine: Engine;
let tracked: Set<Drainable>;
/** What everything waits for, where it is not stable at once. */
let stable: PromiseWithResolvers<void> | undefined;

beforeEach(() => {
  engine = new Engine();
  tracked = new Set();
  stable = undefined;
});
afterEach(() => engine.close());

function open(codec: Codec = json): Promise<Mailbox<unknown>> {
  const { queues } = engine.connect();
  const local = (to: string): LocalQueue => {
    const queue = queues.local!(to);
    return {
      send: (letter) => queue.send(letter),
      acknowledge: (leased) => queue.acknowledge(leased),
      settle: (settlement) => queue.settle(settlement),
      stable: () => stable?.promise,
      turn: () => undefined,
    };
  };
  const context = {
    driver: { name: "memory", support: {}, queues: { ...queues, local } },
    bodies: new Bodies(codec, [json, bytes], 1_000),
    requestTimeoutMs: 5_000,
    assertOpen: () => undefined,
    assertIntake: () => undefined,
    track: (work: Drainable) => {
      tracked.add(work);
      return () => void tracked.delete(work);
    },
    report: () => undefined,
  };
  return openMailbox(context as unknown as Context, address);
}

async function take(box: Mailbox<unknown>, count: number): Promise<Delivery<unknown>[]> {
  const letters: Delivery<unknown>[] = [];
  for await (const letter of await box.receive()) {
    letters.push(letter);
    if (letters.length === count) break;
  }
  return letters;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function isPending(promise: Promise<unknown>): Promise<boolean> {
  let pending = true;
  const ended = (): void => {
    pending = false;
  };
  promise.then(ended, ended);
  await turn();
  return pending;
}

describe("a mailbox in this process", () => {
  test("keeps the order of what is sent one by one and what is sent together", async () => {
    const box = await open();
    await Promise.all([box.send(1), box.sendMany([2, 3]), box.send(4), box.sendMany([5]), box.send(6)]);
    const letters = await box.peek();
    expect(letters.map(({ data }) => data)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test("carries what its codec makes, and limits it in bytes", async () => {
    const box = await open();
    await box.send({ text: "grün €", list: [1, null] });
    await expect(box.send("€".repeat(334))).rejects.toMatchObject({ code: "too-large" });
    await expect(box.send(undefined)).rejects.toMatchObject({ code: "codec" });
    const raw = await open(bytes);
    await raw.send(new Uint8Array([1, 2]));
    const letters = await take(box, 2);
    expect(letters.map(({ data }) => data)).toEqual([{ text: "grün €", list: [1, null] }, new Uint8Array([1, 2])]);
  });

  test("has settled a letter when the call returns", async () => {
    const box = await open();
    await box.sendMany(["a", "b"]);
    const received = (await box.receive())[Symbol.asyncIterator]();
    const [a, b] = [(await received.next()).value!, (await received.next()).value!];
    void a.ack();
    expect(await box.info()).toMatchObject({ held: 1 });
    void b.reject();
    expect(await box.info()).toMatchObject({ held: 0, dead: 1 });
    await a.ack();
    await expect(a.nak()).rejects.toMatchObject({ code: "stale" });
  });

  test("lets go of a letter that was lent anew, and says so", async () => {
    const box = await open();
    await box.send("a");
    const received = (await box.receive({ leaseMs: 20, autoExtend: false }))[Symbol.asyncIterator]();
    const { value: first } = await received.next();
    const { value: again } = await received.next();
    expect(again!.attempt).toBe(2);
    await expect(first!.ack()).rejects.toMatchObject({ code: "stale" });
    expect(first!.signal.aborted).toBe(true);
    await again!.extend(60_000);
    await again!.ack();
    expect(await box.info()).toMatchObject({ waiting: 0, held: 0 });
  });
});

describe("where letters are stable a little later", () => {
  test("what is sent and settled is answered then, and the connection's drain waits for it", async () => {
    const box = await open();
    await box.send("before");
    const received = (await box.receive())[Symbol.asyncIterator]();
    const { value: letter } = await received.next();
    stable = Promise.withResolvers();
    const sent = box.send("a");
    const settled = letter!.ack();
    expect(letter!.ack()).toBe(settled);
    const drained = Promise.all([...tracked].map((work) => work.drain()));
    expect(await isPending(Promise.race([sent, settled, drained]))).toBe(true);
    stable.resolve();
    expect(await sent).toMatchObject({ duplicate: false });
    await settled;
  });

  test("what does not become stable is told, and a letter can be settled again", async () => {
    const box = await open();
    await box.sendMany(["a", "b"]);
    const received = (await box.receive())[Symbol.asyncIterator]();
    const [a, b] = [(await received.next()).value!, (await received.next()).value!];
    stable = Promise.withResolvers();
    const outcomes = Promise.allSettled([box.send("c"), a.ack(), b.ack()]);
    stable.reject(new BusError("indefinite", "the disk has not answered"));
    expect((await outcomes).map((each) => each.status === "rejected" && each.reason.code)).toEqual([
      "indefinite",
      "indefinite",
      "indefinite",
    ]);
    stable = undefined;
    // It had been acknowledged after all.
    await expect(a.ack()).rejects.toMatchObject({ code: "stale" });
  });
});
