import type { Bar, Case, Group, Variant } from "../case.ts";
import { payloadBytes } from "../payload.ts";
import { asking } from "./broker-calls.ts";
import { type Flow, measureFlow } from "./flow.ts";

const bytes = payloadBytes.small;

function ratio(atLeast: number, aim?: number): readonly Bar[] {
  return [{ of: "ratio", atLeast, aim }];
}

function flow(name: string, over: Omit<Flow, "bytes" | "broker">, bars: readonly Bar[] = []): Variant {
  return { name, bars, measure: (scale) => measureFlow({ ...over, bytes, broker: "nats" }, scale) };
}

const pubsub: Group = {
  name: `NATS: publish/subscribe, ${bytes} B`,
  unit: "messages/s",
  better: "more",
  variants: [
    flow("raw @nats-io, not awaited", { produce: "nats", consume: "nats", inFlight: "unbounded" }),
    flow("nats:, not awaited", { produce: "publish", consume: "subscribe", inFlight: "unbounded" }, ratio(0.85)),
    flow("nats:, 64 publishers, each awaiting", { produce: "publish", consume: "subscribe", inFlight: 64 }),
  ],
};

const lonePublisher: Group = {
  name: `NATS: publish/subscribe, ${bytes} B, a lone awaiting publisher`,
  unit: "messages/s",
  better: "more",
  variants: [
    flow("raw @nats-io", { produce: "nats", consume: "nats", inFlight: 1 }),
    flow("nats:", { produce: "publish", consume: "subscribe", inFlight: 1 }, ratio(0.8)),
  ],
};

const broker = "nats";

const calls: Group = {
  name: `NATS: calls, 64 in flight, ${bytes} B`,
  unit: "calls/s",
  better: "more",
  variants: [
    asking("raw @nats-io request()", { errand: "nats", service: "nats", broker, bytes, inFlight: 64 }),
    asking("nats:", { errand: "call", service: "call", broker, bytes, inFlight: 64 }, ratio(2)),
  ],
};

const loneCalls: Group = {
  name: `NATS: calls, 1 in flight, ${bytes} B`,
  unit: "calls/s",
  better: "more",
  variants: [
    asking("raw @nats-io request()", { errand: "nats", service: "nats", broker, bytes, inFlight: 1 }),
    asking("nats:", { errand: "call", service: "call", broker, bytes, inFlight: 1 }, ratio(0.8)),
  ],
};

function appends(inFlight: number, bars: readonly Bar[]): Group {
  return {
    name: `NATS: appends to a log, ${inFlight} in flight, ${bytes} B`,
    unit: "appends/s",
    better: "more",
    variants: [
      asking("js.publish", { errand: "jetstream", service: undefined, broker, bytes, inFlight }),
      asking("nats: append", { errand: "append", service: undefined, broker, bytes, inFlight }, bars),
    ],
  };
}

const mailbox: Group = {
  name: `NATS: mailbox, ${bytes} B: send → receive → acknowledge`,
  unit: "letters/s",
  better: "more",
  variants: [
    flow("js.publish 256 in flight, consume, ack each", { produce: "jetstream", consume: "jetstream", inFlight: 256 }),
    flow("nats:, 256 senders", { produce: "send", consume: "receive", inFlight: 256 }, ratio(1.5, 2.5)),
  ],
};

const loneSender: Group = {
  name: `NATS: mailbox, ${bytes} B, a lone awaiting sender`,
  unit: "letters/s",
  better: "more",
  variants: [
    flow("js.publish, consume, ack each", { produce: "jetstream", consume: "jetstream", inFlight: 1 }),
    flow("nats:", { produce: "send", consume: "receive", inFlight: 1 }, ratio(0.8)),
  ],
};

const tuples: Group = {
  name: "NATS: tuple space, out and in, 64 in flight",
  unit: "operations/s",
  better: "more",
  variants: [
    asking("raw @nats-io request()", { errand: "nats", service: "nats", broker, bytes, inFlight: 64 }),
    asking("nats:", { errand: "pair", service: undefined, broker, bytes, inFlight: 64 }, [
      { of: "value", atLeast: 15_000 },
    ]),
  ],
};

export const nats: Case = {
  name: "nats",
  question: "What do publish/subscribe, calls, logs, mailboxes and spaces over NATS cost beside its own client?",
  groups: () => [
    pubsub,
    lonePublisher,
    calls,
    loneCalls,
    appends(256, ratio(3)),
    appends(1, ratio(0.8)),
    mailbox,
    loneSender,
    tuples,
  ],
};
