import type { Bar, Case, Group, Variant } from "../case.ts";
import { payloadBytes } from "../payload.ts";
import { installPeers } from "../ways/peers.ts";
import { asking } from "./broker-calls.ts";
import { type Flow, measureFlow } from "./flow.ts";

const bytes = payloadBytes.small;

type Broker = "nats" | "redis";
type Peer = "moleculer" | "nest";
const title = { nats: "NATS", redis: "Redis", moleculer: "Moleculer", nest: "NestJS" } as const;
const rawClient = { nats: "raw @nats-io", redis: "raw ioredis" } as const;

function ratio(atLeast: number): readonly Bar[] {
  return [{ of: "ratio", atLeast }];
}

function flow(name: string, over: Omit<Flow, "bytes">, bars: readonly Bar[] = []): Variant {
  return { name, bars, measure: (scale) => measureFlow({ ...over, bytes }, scale) };
}

/** Nothing awaits: what each does with messages that come as fast as they can be made. */
function pubsub(broker: Broker, peer: Peer, bar: number): Group {
  const over = { broker, inFlight: "unbounded" } as const;
  return {
    name: `${title[broker]}: publish/subscribe, ${bytes} B, beside ${title[peer]}`,
    unit: "messages/s",
    better: "more",
    variants: [
      flow(`${title[peer]}: emit`, { ...over, produce: peer, consume: peer }),
      flow(`${broker}:`, { ...over, produce: "publish", consume: "subscribe" }, ratio(bar)),
      flow(rawClient[broker], { ...over, produce: broker, consume: broker }),
    ],
  };
}

function calls(broker: Broker, peer: Peer, inFlight: number, bars: readonly Bar[] = []): Group {
  const what = { broker, bytes, inFlight };
  return {
    name: `${title[broker]}: calls, ${inFlight} in flight, ${bytes} B, beside ${title[peer]}`,
    unit: "calls/s",
    better: "more",
    variants: [
      asking(title[peer], { ...what, errand: peer, service: peer }),
      asking(`${broker}:`, { ...what, errand: "call", service: "call" }, bars),
      asking(rawClient[broker], { ...what, errand: broker, service: broker }),
    ],
  };
}

const mailbox: Group = {
  name: `Redis: mailbox, ${bytes} B, beside BullMQ`,
  unit: "letters/s",
  better: "more",
  variants: [
    flow("BullMQ: addBulk, 50 at work", { broker: "redis", produce: "bullmq", consume: "bullmq", inFlight: 100 }),
    flow("redis:, 256 senders", { broker: "redis", produce: "send", consume: "receive", inFlight: 256 }, ratio(8)),
    flow("raw Streams", { broker: "redis", produce: "streams", consume: "streams", inFlight: 100 }),
  ],
};

const loneSender: Group = {
  name: `Redis: mailbox, ${bytes} B, a lone awaiting sender, beside BullMQ`,
  unit: "letters/s",
  better: "more",
  variants: [
    flow("BullMQ: add, 50 at work", { broker: "redis", produce: "bullmq", consume: "bullmq", inFlight: 1 }),
    flow("redis:", { broker: "redis", produce: "send", consume: "receive", inFlight: 1 }),
    flow("raw Streams", { broker: "redis", produce: "streams", consume: "streams", inFlight: 1 }),
  ],
};

const zeromq: Group = {
  name: `ZeroMQ: publish/subscribe, ${bytes} B, beside its own client without a hub`,
  unit: "messages/s",
  better: "more",
  variants: [
    flow("raw zeromq.js", { broker: undefined, produce: "zeromq", consume: "zeromq", inFlight: 1 }),
    flow(
      "zmq: over the hub, 64 publishers",
      {
        ...({ broker: "hub", produce: "publish", consume: "subscribe", inFlight: 64 } as const),
      },
      ratio(2),
    ),
  ],
};

export const peers: Case = {
  name: "peers",
  question: "What do Moleculer, NestJS, BullMQ and the brokers' own clients do, over the same broker?",
  optional: true,
  open: installPeers,
  groups: () => [
    zeromq,
    pubsub("nats", "moleculer", 1.6),
    pubsub("nats", "nest", 3),
    pubsub("redis", "moleculer", 2),
    pubsub("redis", "nest", 2.5),
    calls("nats", "moleculer", 64, ratio(1)),
    calls("nats", "nest", 64),
    calls("redis", "moleculer", 64, ratio(1.5)),
    calls("redis", "nest", 64),
    calls("nats", "moleculer", 1),
    calls("redis", "moleculer", 1),
    mailbox,
    loneSender,
  ],
};
