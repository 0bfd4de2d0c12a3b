import type { Bar, Case, Group, Sample, Scale, Variant } from "../case.ts";
import { gaugeCaller } from "../gauge.ts";
import { percentileUs } from "../latency.ts";
import { payloadBytes } from "../payload.ts";
import type { Residence } from "../roles/space-main.ts";
import { Scope } from "../scope.ts";

const residents = [1_000, 10_000, 100_000, 1_000_000] as const;

function figuresOf(latency: string): Sample["figures"] {
  return { "p50 µs": percentileUs(latency, 50), "p99 µs": percentileUs(latency, 99) };
}

function resident(residence: Omit<Residence, "url">, inFlight: number): Variant["measure"] {
  return (scale) =>
    Scope.within(async (scope) => {
      const space = await scope.role("space");
      await space.ask("open", { ...residence, url: "memory:" });
      const sample = await gaugeCaller(scope, scale, space, inFlight);
      return { ...sample, figures: figuresOf(sample.latency) };
    });
}

/** The mean cost at a million may be eight times that at a thousand. */
const steady: Bar = { of: "ratio", atLeast: 1 / 8 };

function barsOf(count: number): readonly Bar[] {
  if (count === 100_000) return [{ of: "value", atLeast: 300_000 }];
  if (count === 1_000_000) return [{ of: "value", atLeast: 150_000 }, steady];
  return [];
}

function ladder(name: string, template: Residence["template"], inFlight: number, judged: boolean, scale: Scale): Group {
  return {
    name: `tuple space in process, ${name}`,
    unit: "take+out pairs/s",
    better: "more",
    variants: residents.map((count) => ({
      name: `${(count / scale.divisor).toLocaleString("en-US")} resident`,
      bars: judged ? barsOf(count) : [],
      measure: resident({ template, resident: count / scale.divisor }, inFlight),
    })),
  };
}

function overHub(way: "zeromq" | "pair", inFlight: number): Variant["measure"] {
  return (scale) =>
    Scope.within(async (scope) => {
      const server = way === "zeromq" ? await scope.role("server") : undefined;
      const url = (await server?.ask<string>("open", { way })) ?? (await scope.broker("hub")).url;
      const caller = await scope.role("caller");
      await caller.ask("open", { way, url, bytes: payloadBytes.small });
      const sample = await gaugeCaller(scope, scale, caller, inFlight);
      return { ...sample, figures: figuresOf(sample.latency) };
    });
}

const hub: Group = {
  name: "tuple space over the hub, 64 in flight",
  unit: "operations/s",
  better: "more",
  variants: [
    { name: "raw DEALER/ROUTER echo, 128 B, awaited sends", measure: overHub("zeromq", 64) },
    { name: "out and in over the hub", bars: [{ of: "value", atLeast: 40_000 }], measure: overHub("pair", 64) },
    { name: "out and in over the hub, 1 in flight", measure: overHub("pair", 1) },
  ],
};

export const tuplespace: Case = {
  name: "tuplespace",
  question: "How does taking and putting tuples depend on how many there are?",
  groups: (scale) => [
    ladder("random key in the first field, one at a time", "key", 1, true, scale),
    ladder('constant first field, ["task", key, …], one at a time', "constant", 1, true, scale),
    ladder('constant first field, ["task", key, …], 64 in flight', "constant", 64, false, scale),
    ladder("a range that no index serves, one at a time", "range", 1, false, scale),
    hub,
  ],
};
