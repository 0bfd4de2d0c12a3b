import type { Delivery } from "@quadrant/contract";
import { expect } from "vitest";
import { type Clause, clause } from "./clause.ts";
import { collect, next } from "./collected.ts";
import { eventually, gate } from "./guard.ts";
import { range } from "./range.ts";
import type { Scene } from "./scene.ts";

interface Job {
  readonly key: string;
  readonly n: number;
}

async function inOrderAcrossRetries(scene: Scene): Promise<void> {
  const box = await scene.bus.mailbox<Job>(scene.name(), { maxAttempts: 10 });
  const keys = ["a", "b", "c", "d"];
  for (const n of range(25)) for (const key of keys) await box.send({ key, n }, { key });
  const done = new Map(keys.map((key) => [key, [] as number[]]));
  const busy = new Map<string, number>();
  const handle = async ({ data: { key, n }, attempt }: Delivery<Job>): Promise<void> => {
    const running = (busy.get(key) ?? 0) + 1;
    busy.set(key, running);
    expect(running, `letters of ${key} at once`).toBe(1);
    await new Promise((resolve) => setImmediate(resolve));
    busy.set(key, running - 1);
    if (n % 5 === 0 && attempt < 3) throw new Error("again");
    done.get(key)!.push(n);
  };
  const workers = await Promise.all(
    [scene.bus, scene.other].map(async (bus) => {
      const same = await bus.mailbox<Job>(box.address);
      return same.process(handle, { concurrency: 8, backoff: () => 1 });
    }),
  );
  await eventually("all to be done", () => [...done.values()].every((ns) => ns.length === 25));
  await Promise.all(workers.map((worker) => worker[Symbol.asyncDispose]()));
  for (const key of keys) expect(done.get(key)).toEqual(range(25));
  expect((await box.info()).dead).toBe(0);
}

async function inParallel(scene: Scene): Promise<void> {
  const box = await scene.bus.mailbox<Job>(scene.name());
  const started: string[] = [];
  const finish = gate();
  const worker = await box.process(
    async ({ data }) => {
      started.push(`${data.key}${data.n}`);
      await finish.opened;
    },
    { concurrency: 4 },
  );
  for (const n of [1, 2]) for (const key of ["a", "b"]) await box.send({ key, n }, { key });
  await box.send({ key: "-", n: 0 });
  await eventually("one of each key, and the one without", () => started.length === 3);
  expect(started.toSorted()).toEqual(["-0", "a1", "b1"]);
  finish.open();
  await eventually("the rest", () => worker.processed === 5);
  await worker[Symbol.asyncDispose]();
  expect(started.slice(3).toSorted()).toEqual(["a2", "b2"]);
}

async function heldBack(scene: Scene): Promise<void> {
  const box = await scene.bus.mailbox<number>(scene.name());
  for (const n of [1, 2]) await box.send(n, { key: "k" });
  await box.send(3, { key: "l" });
  const letters = collect(scene.own(await box.receive()));
  await letters.atLeast(2);
  await letters.items[0]!.nak({ delayMs: 100 });
  await letters.items[1]!.ack();
  await box.send(4, { key: "m" });
  await letters.atLeast(4);
  expect(letters.items.map(({ data }) => data)).toEqual([1, 3, 4, 1]);
  await letters.items[3]!.ack();
  await letters.items[2]!.ack();
  await letters.atLeast(5);
  expect(letters.items[4]?.data).toBe(2);
  await letters.items[4]!.ack();
}

async function freedByTheEnd(scene: Scene): Promise<void> {
  const box = await scene.bus.mailbox<number>(scene.name(), { maxAttempts: 1 });
  for (const n of [1, 2, 3]) await box.send(n, { key: "k" });
  const letters = scene.own(await box.receive())[Symbol.asyncIterator]();
  await (await next(letters)).reject(new Error("no good"));
  await (await next(letters)).nak();
  const third = await next(letters);
  expect(third.data).toBe(3);
  await third.ack();
  expect((await box.info()).dead).toBe(2);
}

export const mailboxKeyClauses: readonly Clause[] = [
  clause(
    "keys/order",
    "letters of one key are handled one at a time, in order, across retries and receivers",
    inOrderAcrossRetries,
  ),
  clause("keys/parallel", "letters of different keys are handled in parallel", inParallel),
  clause("keys/held-back", "a letter that waits for its retry holds back its key and no other", heldBack),
  clause("keys/dead", "a letter that dies lets its key go on", freedByTheEnd),
];
