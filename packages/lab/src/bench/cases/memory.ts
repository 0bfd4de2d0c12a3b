import type { Case, Group, Sample, Scale, Variant } from "../case.ts";
import { gaugeCaller } from "../gauge.ts";
import { payloadBytes } from "../payload.ts";
import type { Flooded, Holding } from "../roles/footprint-main.ts";
import { Scope } from "../scope.ts";

const mebibyte = 1024 * 1024;
const counts = [100_000, 1_000_000] as const;

function holding(what: Holding["what"], count: number): Variant["measure"] {
  return () =>
    Scope.within(async (scope) => {
      const role = await scope.role("footprint", "footprint", ["--expose-gc", "--max-old-space-size=8192"]);
      return { value: await role.ask<number>("hold", { what, count, bytes: payloadBytes.small }) };
    });
}

function footprint(what: "letters" | "tuples", name: string, scale: Scale): Group {
  // Fewer than some thousands vanish in what the heap does by itself.
  const sized = counts.map((count) => count / Math.min(scale.divisor, 20));
  return {
    name: `memory of a ${name} of ${payloadBytes.small} B JSON, in memory`,
    unit: "bytes each",
    better: "less",
    variants: [
      {
        name: `floor: strings in an array, ${sized[0]!.toLocaleString("en-US")}`,
        measure: holding("strings", sized[0]!),
      },
      ...sized.map((count) => ({ name: `${count.toLocaleString("en-US")} ${what}`, measure: holding(what, count) })),
    ],
  };
}

/** The outbox's bound, and a tenth for what it takes to hold it. */
const outboxMebibytes = 64 * 1.1;

async function measureFlood(scale: Scale): Promise<Sample> {
  return Scope.within(async (scope) => {
    const hub = await scope.broker("hub");
    const role = await scope.role("footprint", "publisher", ["--expose-gc"]);
    await role.ask("connect", { url: hub.url });
    await hub.pause();
    try {
      const flood = { publishes: 100_000 / scale.divisor, bytes: payloadBytes.large };
      const flooded = await role.ask<Flooded>("flood", flood);
      const { accepted, overflowed, otherwise } = flooded;
      const figures = {
        accepted,
        overflowed,
        "other errors": otherwise,
        "resident MiB": flooded.residentBytes / mebibyte,
      };
      return { value: flooded.addedBytes / mebibyte, figures };
    } finally {
      await hub.resume();
    }
  });
}

const flood: Group = {
  name: "100 000 un-awaited publishes of 4 KiB to a stopped hub: memory that they add",
  unit: "MiB",
  better: "less",
  variants: [{ name: "publisher", bars: [{ of: "value", atMost: outboxMebibytes }], measure: measureFlood }],
};

/** A client may have 65 536 requests open. */
const waitersPerClient = 25_000;

function unrelated(way: "pair" | "call", waiters: number): Variant["measure"] {
  return (scale) =>
    Scope.within(async (scope) => {
      const { url } = await scope.broker("hub");
      if (waiters > 0) {
        const role = await scope.role("waiter");
        await role.ask("wait", { url, waiters, clients: Math.ceil(waiters / waitersPerClient) });
      }
      if (way === "call") await (await scope.role("server")).ask("open", { way, url });
      const caller = await scope.role("caller");
      await caller.ask("open", { way, url, bytes: payloadBytes.small });
      return gaugeCaller(scope, scale, caller, 64);
    });
}

function idleWaiters(way: "pair" | "call", name: string, unit: string, scale: Scale): Group {
  const waiters = 100_000 / scale.divisor;
  return {
    name: `unrelated work beside idle waiters: ${name}, 64 in flight`,
    unit,
    better: "more",
    variants: [
      { name: "nobody waits", measure: unrelated(way, 0) },
      {
        name: `${waiters.toLocaleString("en-US")} wait for tuples that never come`,
        bars: [{ of: "ratio", atLeast: 0.9 }],
        measure: unrelated(way, waiters),
      },
    ],
  };
}

export const memory: Case = {
  name: "memory",
  question: "What does it take to hold things, and do those who wait slow the others down?",
  groups: (scale) => [
    footprint("letters", "waiting letter", scale),
    footprint("tuples", "tuple", scale),
    flood,
    idleWaiters("pair", "out and in", "operations/s", scale),
    idleWaiters("call", "calls", "calls/s", scale),
  ],
};
