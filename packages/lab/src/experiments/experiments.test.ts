/** Every experiment runs, in miniature, and what it expects holds or is explained. How quick anything was is not asked. */
import { randomBytes } from "node:crypto";
import type { Bus } from "@quadrant/bus";
import { afterAll, describe, expect, it } from "vitest";
import { summaryOf } from "../bench/statistics.ts";
import { cellsOf } from "../run/plan.ts";
import { Sites } from "../site/sites.ts";
import { experiments } from "./catalogue.ts";
import type { Cell, DriverName, Experiment, Finding, Values } from "./experiment.ts";
import { ordering } from "./ordering.ts";
import { receiverCrash } from "./receiver-crash.ts";
import { temporalCoupling } from "./temporal-coupling.ts";
import { throughput } from "./throughput.ts";

const sites = new Sites();
afterAll(() => sites[Symbol.asyncDispose]());

async function repeat(on: Sites, experiment: Experiment, cell: Cell, quick = true): Promise<Values> {
  const name = `t${randomBytes(6).toString("hex")}`;
  const { signal } = new AbortController();
  const terms = { driver: cell.driver, needs: experiment.broker ?? {}, name, seed: 1, quick, signal };
  await using site = await on.open(terms);
  return await experiment.run(cell, site);
}

async function findingsOf(experiment: Experiment, driver: DriverName): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const cell of cellsOf(experiment, [driver], true)) {
    findings.push({ cell, values: [await repeat(sites, experiment, cell)] });
  }
  return findings;
}

function assertExpected(experiment: Experiment, findings: readonly Finding[]): void {
  const defects = experiment.expect(findings).filter(({ holds, why }) => !holds && why === undefined);
  expect(defects).toEqual([]);
  for (const { values } of findings) {
    for (const [measure, value] of Object.entries(values[0]!)) {
      expect(Object.keys(experiment.measure)).toContain(measure);
      if (value !== undefined) expect(Number.isFinite(value), measure).toBe(true);
    }
  }
}

const everywhere = experiments.flatMap((experiment) =>
  (["memory", "zeromq"] as const)
    .filter((driver) => cellsOf(experiment, [driver], true).length > 0)
    .map((driver) => ({ experiment, driver, name: experiment.name })),
);

it.each(everywhere)("$name runs on $driver", { timeout: 120_000 }, async ({ experiment, driver }) => {
  assertExpected(experiment, await findingsOf(experiment, driver));
});

describe.each(["nats", "redis", "file"] as const)("on %s", (driver) => {
  it.each([temporalCoupling, receiverCrash])("$name runs", { timeout: 120_000 }, async (experiment) => {
    assertExpected(experiment, await findingsOf(experiment, driver));
  });
});

it("names are unique, and every measure and level says what it is", () => {
  expect(new Set(experiments.map(({ name }) => name)).size).toBe(experiments.length);
  for (const { question, factors, measure } of experiments) {
    expect(question.endsWith("?")).toBe(true);
    for (const levels of Object.values(factors)) expect(new Set(levels).size).toBe(levels.length);
    for (const { label, unit } of Object.values(measure)) expect(label.length * unit.length).toBeGreaterThan(0);
  }
});

/** A bus that does something else with what is published and sent. */
function changed(bus: Bus, change: (put: () => Promise<unknown>) => Promise<unknown>): Bus {
  return new Proxy(bus, {
    get: (target, property) => {
      const member = Reflect.get(target, property) as unknown;
      if (property === "publish") {
        return (...parts: Parameters<Bus["publish"]>) => change(() => target.publish(...parts));
      }
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
}

const published = { model: "publish-subscribe", driver: "memory" } as const;

describe("a planted change", () => {
  it("of a driver that drops one message in a thousand is found", { timeout: 60_000 }, async () => {
    let put = 0;
    const lossy = (bus: Bus): Bus => changed(bus, (put_) => (++put % 1_000 === 0 ? Promise.resolve() : put_()));
    await using broken = new Sites(lossy);
    const cell = { ...published, payloadBytes: 64, senders: 1, receivers: 1, inFlight: 64 };
    let values = await repeat(broken, throughput, cell);
    // A slow machine may not come to a thousand in so short a time.
    while (put < 3_000) values = await repeat(broken, throughput, cell, false);
    expect(values.lost).toBeGreaterThan(0);
    const [verdict] = throughput.expect([{ cell, values: [values] }]);
    expect(verdict).toMatchObject({ holds: false });
  });

  it("of a driver that delays each message is found where the intervals part", { timeout: 60_000 }, async () => {
    const slow = (bus: Bus): Bus =>
      changed(bus, async (put) => {
        await new Promise((resolve) => setTimeout(resolve, 25));
        return put();
      });
    await using delayed = new Sites(slow);
    const cell = { ...published, awayMs: 0 };
    const ours: number[] = [];
    const theirs: number[] = [];
    for (let repetition = 0; repetition < 5; repetition++) {
      ours.push((await repeat(sites, temporalCoupling, cell)).delayMs!);
      theirs.push((await repeat(delayed, temporalCoupling, cell)).delayMs!);
    }
    expect(summaryOf(theirs).interval[0]).toBeGreaterThan(summaryOf(ours).interval[1]);
  });

  it("of a receiver that handles out of order is found", async () => {
    const late: (() => void)[] = [];
    const shuffled = (bus: Bus): Bus =>
      changed(bus, async (put) => {
        // Every second one is overtaken by the next.
        if (late.length === 0) return void late.push(() => void put());
        await put();
        late.pop()!();
      });
    await using broken = new Sites(shuffled);
    const cell = { ...published, consumers: 1, trouble: "none" };
    const values = await repeat(broken, ordering, cell);
    expect(values.inversions).toBeGreaterThan(0);
    expect(ordering.expect([{ cell, values: [values] }]).some(({ holds }) => !holds)).toBe(true);
  });
});
