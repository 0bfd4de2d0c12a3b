import type { TupleEvent } from "@quadrant/contract";
import { expect, test } from "vitest";
import { type Plant, type SimulatedRun, simulate } from "./simulation.ts";

/** A take that finds nothing sleeps where no tuple comes by. */
const lostWakeUp: Plant = (tuples) => ({
  ...tuples,
  take: async (space, template, wait) =>
    (await tuples.takeNow(space, template)) ?? (await tuples.take("elsewhere", template, wait)),
});

/** What is taken stays. */
const doubleTake: Plant = (tuples) => ({ ...tuples, takeNow: (space, template) => tuples.readNow(space, template) });

/** A claim that is given up brings its tuple back, whether or not its lease has run out meanwhile. */
const resurrectedLease: Plant = (tuples) => {
  const claimed = new Map<string, string>();
  const leased = new Set<string>();
  return {
    ...tuples,
    out: (space, tuple, leaseMs, wait) => {
      if (leaseMs !== undefined) leased.add(tuple);
      return tuples.out(space, tuple, leaseMs, wait);
    },
    claim: async (space, template, leaseMs, wait) => {
      const claim = await tuples.claim(space, template, leaseMs, wait);
      claimed.set(claim.token, claim.tuple);
      return claim;
    },
    settleClaim: async (space, settlement) => {
      const settled = await tuples.settleClaim(space, settlement);
      const tuple = claimed.get(settlement.token);
      if (settled !== undefined || settlement.kind !== "nak" || tuple === undefined || !leased.has(tuple))
        return settled;
      if ((await tuples.readNow(space, tuple)) === undefined) await tuples.out(space, tuple, undefined, {});
      return settled;
    },
  };
};

/** What comes back comes back as the youngest. */
const lostPlace: Plant = (tuples) => {
  const claimed = new Map<string, string>();
  return {
    ...tuples,
    claim: async (space, template, leaseMs, wait) => {
      const claim = await tuples.claim(space, template, leaseMs, wait);
      claimed.set(claim.token, claim.tuple);
      return claim;
    },
    settleClaim: async (space, settlement) => {
      const tuple = claimed.get(settlement.token);
      if (settlement.kind !== "nak" || tuple === undefined) return await tuples.settleClaim(space, settlement);
      const settled = await tuples.settleClaim(space, { kind: "ack", token: settlement.token });
      if (settled === undefined) await tuples.out(space, tuple, undefined, {});
      return settled;
    },
  };
};

/** What a claim gave back is not told. */
const untoldReturn: Plant = (tuples) => ({
  ...tuples,
  watch: async (space, request) => {
    const page = await tuples.watch(space, request);
    return { ...page, events: page.events.filter(({ kind }) => kind !== "return") };
  },
});

/** The end of a lease is told as if the tuple were back. */
const toldAmiss: Plant = (tuples) => ({
  ...tuples,
  watch: async (space, request) => {
    const page = await tuples.watch(space, request);
    const amiss = (event: TupleEvent): TupleEvent => (event.kind === "expire" ? { ...event, kind: "return" } : event);
    return { ...page, events: page.events.map(amiss) };
  },
});

async function firstFault(plant: Plant): Promise<SimulatedRun | undefined> {
  for (let seed = 1; seed <= 10_000; seed++) {
    const run = await simulate(seed, plant);
    if (run.fault !== undefined) return run;
  }
  return undefined;
}

test("a space keeps its promises under chance: 500 seeds", async () => {
  for (let seed = 1; seed <= 500; seed++) {
    const { fault, history } = await simulate(seed);
    expect(fault, `seed ${seed}:\n${history.join("\n")}`).toBeUndefined();
  }
});

test("the same seed is the same run, to the letter; another is another", async () => {
  const [one, again, other] = [await simulate(7), await simulate(7), await simulate(8)];
  expect(again).toEqual(one);
  expect(one.history.length).toBeGreaterThan(20);
  expect(other.history).not.toEqual(one.history);
});

test.each([
  ["a lost wake-up", lostWakeUp],
  ["a double take", doubleTake],
  ["a resurrected lease", resurrectedLease],
  ["a return that loses its place", lostPlace],
  ["a return that is not told", untoldReturn],
  ["an expiry that is told as a return", toldAmiss],
])("%s is found within 10 000 seeds, and found again by its seed", async (_, plant) => {
  const found = await firstFault(plant);
  expect(found).toBeDefined();
  expect(await simulate(found!.seed, plant)).toEqual(found);
  // Not by chance: the same seed without it is well.
  expect((await simulate(found!.seed)).fault).toBeUndefined();
});
