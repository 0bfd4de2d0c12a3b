import type { Case, Group, Sample, Scale, Variant } from "../case.ts";
import { gaugeCaller } from "../gauge.ts";
import { percentileUs } from "../latency.ts";
import { payloadBytes } from "../payload.ts";
import { Scope } from "../scope.ts";

/** How calls travel: through which processes, and how caller and server speak. */
const paths = {
  raw: { through: undefined, asks: "zeromq", answers: "zeromq" },
  "raw loops": { through: undefined, asks: "zeromq loops", answers: "zeromq" },
  "raw relay": { through: "relay", asks: "zeromq", answers: "zeromq" },
  "packed relay": { through: "relay", asks: "zeromq packed", answers: "zeromq packed" },
  hub: { through: "hub", asks: "call", answers: "call" },
} as const;

interface Call {
  readonly over: keyof typeof paths;
  readonly bytes: number;
  readonly inFlight: number;
}

/** Caller, server and what stands between them in processes of their own; calls a second. */
function measureCalls({ over, bytes, inFlight }: Call, scale: Scale): Promise<Sample & { readonly latency: string }> {
  return Scope.within(async (scope) => {
    const { through, asks, answers } = paths[over];
    let url = through === "hub" ? (await scope.broker("hub")).url : undefined;
    const server = await scope.role("server");
    const address = await server.ask<string | undefined>("open", { way: answers, url });
    url ??= address;
    if (through === "relay") url = await (await scope.role("relay")).ask<string>("open", { server: url });
    const caller = await scope.role("caller");
    await caller.ask("open", { way: asks, url, bytes });
    return gaugeCaller(scope, scale, caller, inFlight);
  });
}

function rate(call: Call): Variant["measure"] {
  return async (scale) => {
    const sample = await measureCalls(call, scale);
    return {
      ...sample,
      figures: { "p50 µs": percentileUs(sample.latency, 50), "p99 µs": percentileUs(sample.latency, 99) },
    };
  };
}

function median(call: Call): Variant["measure"] {
  return async (scale) => {
    const sample = await measureCalls(call, scale);
    const figures = { "p99 µs": percentileUs(sample.latency, 99), "calls/s": sample.value };
    return { ...sample, value: percentileUs(sample.latency, 50), figures };
  };
}

function throughput(bytes: number, judged: boolean): Group {
  return {
    name: `calls, 64 in flight, ${bytes} B`,
    unit: "calls/s",
    better: "more",
    variants: [
      { name: "raw DEALER/ROUTER, no hub, awaited sends", measure: rate({ over: "raw", bytes, inFlight: 64 }) },
      {
        name: "over the hub",
        bars: judged ? [{ of: "ratio", atLeast: 2 }] : [],
        measure: rate({ over: "hub", bytes, inFlight: 64 }),
      },
      {
        name: "bare relay in portions, no bus: the floor of any hub",
        measure: rate({ over: "packed relay", bytes, inFlight: 64 }),
      },
      {
        name: "raw, no hub, a DEALER for each of the 64",
        measure: rate({ over: "raw loops", bytes, inFlight: 64 }),
      },
    ],
  };
}

function latency(bytes: number, judged: boolean): Group {
  return {
    name: `calls, 1 in flight, ${bytes} B: median latency`,
    unit: "µs",
    better: "less",
    variants: [
      {
        name: "two raw hops: DEALER → relay → ROUTER and back",
        measure: median({ over: "raw relay", bytes, inFlight: 1 }),
      },
      {
        name: "over the hub",
        bars: judged ? [{ of: "ratio", atMost: 1.6 }] : [],
        measure: median({ over: "hub", bytes, inFlight: 1 }),
      },
      { name: "one raw hop: DEALER → ROUTER and back", measure: median({ over: "raw", bytes, inFlight: 1 }) },
    ],
  };
}

export const calls: Case = {
  name: "calls",
  question: "What does a call over the hub cost, many at a time and one at a time?",
  groups: () => [
    throughput(payloadBytes.small, true),
    throughput(payloadBytes.large, false),
    latency(payloadBytes.small, true),
    latency(payloadBytes.large, false),
  ],
};
