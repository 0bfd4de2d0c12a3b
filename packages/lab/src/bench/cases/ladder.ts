import type { Case, Group, Scale, Variant } from "../case.ts";
import { gaugeCaller } from "../gauge.ts";
import { percentileUs } from "../latency.ts";
import { Scope } from "../scope.ts";
import type { CrowdKind } from "../ways/crowd.ts";

type Carrier = "memory" | "file" | "hub" | "nats" | "redis";
const title = { memory: "memory:", file: "file:", hub: "zmq:", nats: "nats:", redis: "redis:" } as const;

/** A process may hold ten million letters. */
const heap = ["--max-old-space-size=16384"];

interface Rungs {
  readonly kind: CrowdKind;
  readonly unit: string;
  readonly what: string;
  /** One message at a time where all take part in it. */
  readonly inFlight: number;
  readonly counts: readonly number[];
  /** Where a carrier is not taken so far, and why. */
  readonly most: Partial<Readonly<Record<Carrier, number>>>;
}

const ladders: readonly Rungs[] = [
  {
    kind: "subscribers",
    unit: "deliveries/s",
    what: "subscribers of one subject, one message at a time",
    inFlight: 1,
    counts: [1, 10, 100, 1_000, 10_000],
    most: {},
  },
  {
    kind: "subjects",
    unit: "messages/s",
    what: "subjects, each with a subscriber",
    inFlight: 1,
    counts: [1, 100, 10_000, 100_000, 1_000_000],
    // Live messages are the same on both embedded drivers; a hub lets a client have 10 000 subscriptions.
    most: { file: 0, hub: 10_000 },
  },
  {
    kind: "mailboxes",
    unit: "letters/s",
    what: "mailboxes, each with a receiver that waits",
    inFlight: 1,
    counts: [1, 100, 10_000, 100_000],
    // On NATS each is a stream of its own; a hub lets 65 536 requests of a client wait.
    most: { nats: 10_000, hub: 10_000 },
  },
  {
    kind: "letters",
    unit: "letters/s",
    what: "letters waiting in a mailbox",
    inFlight: 64,
    counts: [1_000, 10_000, 100_000, 1_000_000, 10_000_000],
    // A hub holds its letters on the heap that Node gives it, which ten million overfill.
    most: { hub: 1_000_000 },
  },
];

async function urlOf(carrier: Carrier, scope: Scope): Promise<string> {
  if (carrier === "memory") return "memory:";
  if (carrier === "file") return `file:${await scope.folder()}`;
  return (await scope.broker(carrier)).url;
}

function measure({ kind, inFlight }: Rungs, carrier: Carrier, count: number): Variant["measure"] {
  return (scale) =>
    Scope.within(async (scope) => {
      const url = await urlOf(carrier, scope);
      const crowd = await scope.role("crowd", "crowd", heap);
      await crowd.ask("open", { kind, count, url });
      const sample = await gaugeCaller(scope, scale, crowd, inFlight);
      const memory = (await crowd.ask<number>("memory")) / 1_048_576;
      const { latency } = sample;
      const percentiles = { "p50 µs": percentileUs(latency, 50), "p99 µs": percentileUs(latency, 99) };
      return { ...sample, figures: { ...percentiles, "client MiB": Math.round(memory) } };
    });
}

function groupOf(rungs: Rungs, carrier: Carrier, { divisor }: Scale): Group {
  const most = rungs.most[carrier] ?? Number.POSITIVE_INFINITY;
  const counts = [...new Set(rungs.counts.map((count) => Math.max(1, Math.floor(count / divisor))))];
  return {
    name: `${title[carrier]} ${rungs.what}`,
    unit: rungs.unit,
    better: "more",
    variants: counts
      .filter((count) => count <= most)
      .map((count) => ({ name: count.toLocaleString("en-US"), measure: measure(rungs, carrier, count) })),
  };
}

/** The tuple space's own ladder is the case `tuplespace`, that of Redis the case `redis`. */
export const ladder: Case = {
  name: "ladder",
  question:
    "How does the cost of one message grow with the number of subscribers, subjects, mailboxes and letters there are?",
  optional: true,
  groups: (scale) =>
    ladders.flatMap((rungs) =>
      (["memory", "file", "hub", "nats", "redis"] as const)
        .filter((carrier) => rungs.most[carrier] !== 0)
        .map((carrier) => groupOf(rungs, carrier, scale)),
    ),
};
