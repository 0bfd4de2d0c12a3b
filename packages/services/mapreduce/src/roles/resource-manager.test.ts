import { randomUUID } from "node:crypto";
import { type Bus, connect } from "@quadrant/bus";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runResourceManager } from "./resource-manager.ts";
import { type Demand, demandSubject, type Grants, grantSubject, type NodeBeat, nodeSubject } from "./subject.ts";

let bus: Bus;
let grants: Grants[];
let stops: AbortController[];
let running: Promise<void>[];

beforeEach(async () => {
  bus = await connect(`memory:${randomUUID()}`);
  grants = [];
  stops = [];
  running = [];
  const heard = await bus.subscribe<Grants>(grantSubject);
  running.push(
    (async () => {
      for await (const { data } of heard) grants.push(data);
    })(),
  );
});
afterEach(async () => {
  for (const stop of stops) stop.abort();
  await bus.close();
  await Promise.all(running);
});

function start(silenceMs?: number): AbortController {
  const stop = new AbortController();
  stops.push(stop);
  running.push(runResourceManager(bus, { signal: stop.signal, silenceMs }));
  return stop;
}

/** A node, or a job, that tells of itself until the test ends, or until it is to be silent. */
function telling(subject: string, data: () => object): AbortController {
  const stop = new AbortController();
  stops.push(stop);
  const timer = setInterval(() => void bus.publish(subject, data()).catch(() => undefined), 20);
  stop.signal.addEventListener("abort", () => clearInterval(timer));
  return stop;
}

function node(name: string, slots: number): AbortController {
  let granted: readonly (string | null)[] = Array(slots).fill(null);
  return telling(nodeSubject(name), (): NodeBeat => {
    granted = grants.at(-1)?.nodes[name] ?? granted;
    return { node: name, slots: granted };
  });
}

function job(name: string, slots: number): AbortController {
  return telling(demandSubject(name), (): Demand => ({ job: name, slots }));
}

/** The jobs that all slots are granted to, sorted. */
const granted = (): string =>
  Object.values(grants.at(-1)?.nodes ?? {})
    .flat()
    .map((each) => each ?? "-")
    .sort()
    .join(" ");

describe("the resource manager", () => {
  it("shares the slots of all nodes fairly between two jobs, and gives a job's slots to the other when it wants none", async () => {
    start();
    node("x", 2);
    node("y", 2);
    job("a", 9);
    await expect.poll(granted).toBe("a a a a");
    const b = job("b", 9);
    await expect.poll(granted).toBe("a a b b");
    b.abort();
    await bus.publish(demandSubject("b"), { job: "b", slots: 0 } satisfies Demand);
    await expect.poll(granted).toBe("a a a a");
  });

  it("uses the slots of a node that joins, and no longer those of one that leaves or falls silent", async () => {
    start(300);
    node("x", 1);
    job("a", 9);
    await expect.poll(granted).toBe("a");
    const y = node("y", 2);
    await expect.poll(granted).toBe("a a a");
    y.abort();
    await expect.poll(granted).toBe("a");
    const z = node("z", 1);
    await expect.poll(granted).toBe("a a");
    z.abort();
    await bus.publish(nodeSubject("z"), { node: "z", slots: [] } satisfies NodeBeat);
    await expect.poll(granted).toBe("a");
  });

  it("is replaced by one that knows nothing, and leaves what was granted as it was", async () => {
    const first = start();
    node("x", 3);
    job("a", 2);
    job("b", 2);
    await expect.poll(() => granted().length).toBe("a a b".length);
    const before = grants.at(-1)!;
    first.abort();
    start();
    await expect
      .poll(
        () => grants.at(-1)!.epoch > before.epoch && granted() === Object.values(before.nodes).flat().sort().join(" "),
      )
      .toBe(true);
  });

  it("stands by while another decides, and decides when that one has fallen silent", async () => {
    const first = start(400);
    node("x", 1);
    job("a", 1);
    await expect.poll(granted).toBe("a");
    const second = start(400);
    await expect.poll(() => new Set(grants.map(({ epoch }) => epoch)).size).toBe(2);
    const taken = grants.at(-1)!.epoch;
    // The first has heard of it: only one decides from here on.
    second.abort();
    await expect.poll(() => grants.at(-1)!.epoch > taken).toBe(true);
    first.abort();
  });
});
