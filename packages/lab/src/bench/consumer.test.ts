import { expect, it } from "vitest";
import { Consumer } from "./consumer.ts";
import { payloadMaker } from "./payload.ts";
import { Producer } from "./producer.ts";
import { Window } from "./window.ts";

const make = payloadMaker(128);

function consumerOf(indices: readonly number[], every = 1) {
  const reports: number[] = [];
  const consumer = new Consumer((count) => reports.push(count), every);
  for (const index of indices) if (consumer.take(make(index))) consumer.settle();
  consumer.close();
  return { consumer, reports };
}

it("what is missed and what comes again is counted and is no progress", () => {
  const { consumer, reports } = consumerOf([0, 1, 4, 2, 4, 5]);
  expect(consumer.mark.count).toBe(4);
  expect([consumer.missed, consumer.repeated]).toEqual([2, 2]);
  expect(reports).toEqual([1, 2, 3, 4]);
});

it("what is no payload counts as repeated, so that it is seen", () => {
  const { consumer } = consumerOf([]);
  expect(consumer.take({ other: 1 })).toBe(false);
  expect([consumer.mark.count, consumer.repeated]).toEqual([0, 1]);
});

it("reports are gathered", () => {
  expect(consumerOf([0, 1, 2, 3, 4], 2).reports).toEqual([2, 4]);
});

it.each([1, 8, Number.POSITIVE_INFINITY])("a producer with %d in flight never exceeds its window", async (inFlight) => {
  const window = new Window(10);
  let open = 0;
  let most = 0;
  let all = 0;
  const outlet = {
    put: async () => {
      most = Math.max(most, ++open);
      if (++all === 500) void producer.stop();
      setImmediate(() => window.consumed(all - --open));
    },
    close: async () => undefined,
  };
  const producer = new Producer(outlet, window, 128);
  producer.start(inFlight);
  await expect.poll(() => all).toBeGreaterThanOrEqual(500);
  expect(await producer.stop()).toBe(all);
  expect(most).toBeLessThanOrEqual(10);
});

it("a producer tells what failed", async () => {
  const outlet = { put: () => Promise.reject(new Error("full")), close: async () => undefined };
  for (const inFlight of [2, Number.POSITIVE_INFINITY]) {
    const producer = new Producer(outlet, new Window(10), 128);
    producer.start(inFlight);
    await new Promise((resolve) => setImmediate(resolve));
    await expect(producer.stop()).rejects.toThrow("full");
  }
});
