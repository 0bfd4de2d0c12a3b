import type { Case, Group, Variant } from "../case.ts";
import { payloadBytes } from "../payload.ts";
import { type Flow, measureFlow } from "./flow.ts";

function published(bytes: number, inFlight: Flow["inFlight"]): Variant["measure"] {
  return (scale) => measureFlow({ produce: "publish", consume: "subscribe", bytes, inFlight, broker: "hub" }, scale);
}

function group(bytes: number, judged: boolean): Group {
  const bar = (atLeast: number, aim?: number): Variant["bars"] => (judged ? [{ of: "ratio", atLeast, aim }] : []);
  return {
    name: `publish/subscribe, ${bytes} B`,
    unit: "messages/s",
    better: "more",
    variants: [
      {
        name: "raw zeromq.js PUB/SUB, no hub, one awaited send a message",
        measure: (scale) =>
          measureFlow({ produce: "zeromq", consume: "zeromq", bytes, inFlight: 1, broker: undefined }, scale),
      },
      { name: "over the hub, 64 publishers, each awaiting", bars: bar(2, 4), measure: published(bytes, 64) },
      { name: "over the hub, a lone awaiting publisher", bars: bar(0.7), measure: published(bytes, 1) },
      { name: "over the hub, not awaited", measure: published(bytes, "unbounded") },
    ],
  };
}

export const pubsub: Case = {
  name: "pubsub",
  question: "How many messages a second go from a publisher over the hub to a subscriber?",
  groups: () => [group(payloadBytes.small, true), group(payloadBytes.large, false)],
};
