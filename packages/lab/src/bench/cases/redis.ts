import type { Bar, Case, Group, Scale, Variant } from "../case.ts";
import { gaugeCaller } from "../gauge.ts";
import { percentileUs } from "../latency.ts";
import { payloadBytes } from "../payload.ts";
import { Scope } from "../scope.ts";
import { redisAtRest } from "../ways/redis-raw.ts";
import { asking } from "./broker-calls.ts";
import { type Flow, measureFlow } from "./flow.ts";

const bytes = payloadBytes.small;
const broker = "redis";

function ratio(atLeast: number, aim?: number): readonly Bar[] {
  return [{ of: "ratio", atLeast, aim }];
}

function flow(name: string, over: Omit<Flow, "bytes" | "broker">, bars: readonly Bar[] = []): Variant {
  return { name, bars, measure: (scale) => measureFlow({ ...over, bytes, broker }, scale) };
}

const pubsub: Group = {
  name: `Redis: publish/subscribe, ${bytes} B`,
  unit: "messages/s",
  better: "more",
  variants: [
    flow("raw ioredis, not awaited", { produce: "redis", consume: "redis", inFlight: "unbounded" }),
    flow("redis:, not awaited", { produce: "publish", consume: "subscribe", inFlight: "unbounded" }, ratio(2)),
    flow("redis:, 64 publishers, each awaiting", { produce: "publish", consume: "subscribe", inFlight: 64 }),
  ],
};

const lonePublisher: Group = {
  name: `Redis: publish/subscribe, ${bytes} B, a lone awaiting publisher`,
  unit: "messages/s",
  better: "more",
  variants: [
    flow("raw ioredis", { produce: "redis", consume: "redis", inFlight: 1 }),
    flow("redis:", { produce: "publish", consume: "subscribe", inFlight: 1 }, ratio(0.8)),
  ],
};

function calls(inFlight: number, bars: readonly Bar[]): Group {
  return {
    name: `Redis: calls, ${inFlight} in flight, ${bytes} B`,
    unit: "calls/s",
    better: "more",
    variants: [
      asking("PUBLISH both ways", { errand: "redis", service: "redis", broker, bytes, inFlight }),
      asking("redis:", { errand: "call", service: "call", broker, bytes, inFlight }, bars),
    ],
  };
}

const mailbox: Group = {
  name: `Redis: mailbox, ${bytes} B`,
  unit: "letters/s",
  better: "more",
  variants: [
    flow("raw Streams: pipeline(100), COUNT 100, XACK and XDEL", {
      produce: "streams",
      consume: "streams",
      inFlight: 100,
    }),
    flow("redis:, 256 senders", { produce: "send", consume: "receive", inFlight: 256 }, ratio(0.8)),
  ],
};

const loneSender: Group = {
  name: `Redis: mailbox, ${bytes} B, a lone awaiting sender`,
  unit: "letters/s",
  better: "more",
  variants: [
    flow("raw Streams", { produce: "streams", consume: "streams", inFlight: 1 }),
    flow("redis:", { produce: "send", consume: "receive", inFlight: 1 }, ratio(0.8)),
  ],
};

const residents = [1_000, 10_000, 100_000, 1_000_000] as const;

function takes(resident: number): Variant["measure"] {
  return (scale) =>
    Scope.within(async (scope) => {
      const { url } = await scope.broker(broker);
      const space = await scope.role("space");
      await space.ask("open", { template: "oldest", resident, url });
      await redisAtRest(url);
      const sample = await gaugeCaller(scope, scale, space, 64);
      const { latency } = sample;
      return { ...sample, figures: { "p50 µs": percentileUs(latency, 50), "p99 µs": percentileUs(latency, 99) } };
    });
}

function tuples(scale: Scale): Group {
  return {
    name: "Redis: tuple space, 64 takers, a thousand put at once for a thousand taken",
    unit: "takes/s",
    better: "more",
    variants: residents.map((count) => ({
      name: `${(count / scale.divisor).toLocaleString("en-US")} resident`,
      bars: [{ of: "value", atLeast: 40_000 }, ...(count === 1_000 ? [] : ratio(0.5))],
      measure: takes(count / scale.divisor),
    })),
  };
}

export const redis: Case = {
  name: "redis",
  question: "What do publish/subscribe, calls, mailboxes and spaces over Redis cost beside ioredis?",
  groups: (scale) => [
    pubsub,
    lonePublisher,
    calls(64, ratio(2)),
    calls(1, ratio(0.8)),
    mailbox,
    loneSender,
    tuples(scale),
  ],
};
