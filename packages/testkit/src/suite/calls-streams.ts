import { callContext } from "@quadrant/bus";
import { expect } from "vitest";
import { type Clause, clause } from "./clause.ts";
import { gather, next } from "./collected.ts";
import { eventually, gate } from "./guard.ts";
import { range } from "./range.ts";
import { rejection, thrown } from "./rejection.ts";
import type { Scene } from "./scene.ts";

/** More than any window of credit, far less than a generator makes when nothing holds it back. */
const aheadAtMost = 256;

class Numbers {
  produced = 0;
  ended = 0;
  aborted = 0;

  get service() {
    const state = this;
    return {
      async *count(to: number): AsyncGenerator<number> {
        callContext()!.signal.addEventListener("abort", () => state.aborted++, { once: true });
        try {
          for (let n = 0; n < to; n++) {
            state.produced++;
            yield n;
          }
        } finally {
          state.ended++;
        }
      },
      async *failing(after: number): AsyncGenerator<number> {
        for (const n of range(after)) yield n;
        throw new RangeError("no more");
      },
      async *silent(): AsyncGenerator<number> {
        const { signal } = callContext()!;
        try {
          yield 0;
          await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
        } finally {
          state.ended++;
        }
      },
      one: (): number => 1,
    };
  }
}

type Service = Numbers["service"];

async function served(scene: Scene): Promise<{ numbers: Numbers; address: string }> {
  const address = scene.name();
  const numbers = new Numbers();
  scene.own(await scene.bus.serve(address, numbers.service));
  return { numbers, address };
}

async function streams(scene: Scene): Promise<void> {
  const { numbers, address } = await served(scene);
  const stub = scene.other.client<Service>(address);
  expect(await gather(stub.count(1_000))).toEqual(range(1_000));
  expect(await gather(stub.count(0))).toEqual([]);
  expect(await Promise.all(range(10).map((n) => gather(stub.count(n * 20))))).toEqual(
    range(10).map((n) => range(n * 20)),
  );
  await eventually("every generator's end", () => numbers.ended === 12);
}

async function backPressure(scene: Scene): Promise<void> {
  const { numbers, address } = await served(scene);
  const stub = scene.other.client<Service>(address, { timeoutMs: 30_000 });
  const iterator = stub.count(100_000)[Symbol.asyncIterator]();
  for (const n of range(1_000)) {
    expect(await next(iterator)).toBe(n);
    expect(numbers.produced - n).toBeLessThan(aheadAtMost);
  }
  // Time enough for a generator that nothing holds back: a round trip of the same kind, ten times.
  for (const _ of range(10)) expect(await stub.one()).toBe(1);
  expect(numbers.produced).toBeLessThan(1_000 + aheadAtMost);
  await iterator.return?.();
}

async function breaks(scene: Scene): Promise<void> {
  const { numbers, address } = await served(scene);
  const stub = scene.other.client<Service>(address);
  for await (const n of stub.count(1_000_000)) if (n === 5) break;
  await eventually("the generator's finally", () => numbers.ended === 1);
  expect(numbers.produced).toBeLessThan(aheadAtMost);
  expect(await stub.one()).toBe(1);
}

async function fails(scene: Scene): Promise<void> {
  const { address } = await served(scene);
  const iterator = scene.other.client<Service>(address).failing(40)[Symbol.asyncIterator]();
  for (const n of range(40)) expect(await next(iterator)).toBe(n);
  expect((await rejection(iterator.next(), "remote")).remote).toMatchObject({ name: "RangeError", message: "no more" });
  expect((await iterator.next()).done).toBe(true);
}

async function ends(scene: Scene): Promise<void> {
  const { numbers, address } = await served(scene);
  const stub = scene.other.client<Service>(address);
  const late = stub.$with({ timeoutMs: 60 }).silent()[Symbol.asyncIterator]();
  expect(await next(late)).toBe(0);
  await rejection(late.next(), "timeout");
  await eventually("the first generator's end", () => numbers.ended === 1);
  const controller = new AbortController();
  const aborted = stub.$with({ signal: controller.signal, timeoutMs: 60_000 }).silent()[Symbol.asyncIterator]();
  expect(await next(aborted)).toBe(0);
  const waiting = aborted.next();
  controller.abort();
  await rejection(waiting, "aborted");
  await eventually("the second generator's end", () => numbers.ended === 2);
}

async function timeoutIsPerItem(scene: Scene): Promise<void> {
  const address = scene.name();
  const service = {
    async *steps(): AsyncGenerator<number> {
      const started = performance.now();
      for (const n of range(6)) {
        // Longer than the timeout in all, shorter for each.
        while (performance.now() - started < n * 400) await new Promise((resolve) => setTimeout(resolve, 10));
        yield n;
      }
    },
  };
  scene.own(await scene.bus.serve(address, service));
  const stub = scene.other.client<typeof service>(address, { timeoutMs: 1_500 });
  expect(await gather(stub.steps())).toEqual(range(6));
}

async function slowConsumerIsNoTimeout(scene: Scene): Promise<void> {
  const { address } = await served(scene);
  const clock = gate();
  const iterator = scene.other.client<Service>(address, { timeoutMs: 200 }).count(1_000)[Symbol.asyncIterator]();
  expect(await next(iterator)).toBe(0);
  setTimeout(() => clock.open(), 400);
  await clock.opened;
  for (const n of range(999)) expect(await next(iterator)).toBe(n + 1);
  expect((await iterator.next()).done).toBe(true);
}

async function wrongKind(scene: Scene): Promise<void> {
  const { numbers, address } = await served(scene);
  const stub = scene.other.client<Service>(address);
  await rejection(stub.count(10_000) as unknown as Promise<number>, "invalid");
  await eventually("its generator's end", () => numbers.ended === 1);
  const iterator = (stub.one() as unknown as AsyncIterable<number>)[Symbol.asyncIterator]();
  await rejection(iterator.next(), "invalid");
  expect(await stub.one()).toBe(1);
}

async function bothEndsGone(scene: Scene): Promise<void> {
  const address = scene.name();
  const numbers = new Numbers();
  const [serving, calling] = [await scene.connect(), await scene.connect()];
  await serving.serve(address, numbers.service);
  const first = calling.client<Service>(address).silent()[Symbol.asyncIterator]();
  expect(await next(first)).toBe(0);
  await calling.close({ drainMs: 0 });
  await eventually("the generator of a caller that is gone to end", () => numbers.ended === 1);
  const second = scene.other.client<Service>(address, { timeoutMs: 60_000 }).silent()[Symbol.asyncIterator]();
  expect(await next(second)).toBe(0);
  await serving.close({ drainMs: 0 });
  await rejection(second.next(), "indefinite");
}

async function awaitedAndIterated(scene: Scene): Promise<void> {
  const { address } = await served(scene);
  const result = scene.other.client<Service>(address).count(3);
  expect(await gather(result)).toEqual([0, 1, 2]);
  thrown(() => result[Symbol.asyncIterator](), "invalid");
}

export const callStreamClauses: readonly Clause[] = [
  clause("stream/items", "an async generator method streams its items in order, and ends", streams),
  clause("stream/back-pressure", "a generator runs ahead of its consumer by a bounded window", backPressure),
  clause("stream/break", "leaving the loop ends the generator, its finally included", breaks),
  clause("stream/error", "what a generator threw comes after its items", fails),
  clause("stream/end", "a stream ends by its timeout or signal, and so does its generator", ends),
  clause("stream/per-item", "a stream's timeout is each item's, not the stream's", timeoutIsPerItem),
  clause("stream/slow-consumer", "a consumer that takes its time is no timeout", slowConsumerIsNoTimeout),
  clause("stream/kind", "awaiting a stream or iterating a value is invalid, and says so", wrongKind),
  clause("stream/gone", "a stream ends when either side goes away", bothEndsGone),
  clause("stream/iterate-once", "a stream is iterated once", awaitedAndIterated),
];
