import { randomUUID } from "node:crypto";
import { type Bus, connect } from "@quadrant/bus";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runNodeManager, type StartedWorker } from "./node-manager.ts";
import { type Grants, grantSubject, type NodeBeat, nodeSubject, type WorkerBeat, workerSubject } from "./subject.ts";

/** A worker that does nothing but to be alive, as far as that can be heard. */
class Dummy implements StartedWorker {
  readonly #ended = Promise.withResolvers<string>();
  readonly slot: number;
  #beating: NodeJS.Timeout | undefined;

  constructor(bus: Bus, slot: number) {
    this.slot = slot;
    const beat: WorkerBeat = { slot, worker: `w${slot}`, pid: 0 };
    this.#beating = setInterval(() => void bus.publish(workerSubject("x"), beat).catch(() => undefined), 20);
  }

  get ended(): Promise<string> {
    return this.#ended.promise;
  }

  /** As a process that is stopped. */
  fallSilent(): void {
    clearInterval(this.#beating);
  }

  kill(how: string = "SIGKILL"): void {
    this.fallSilent();
    this.#ended.resolve(how);
  }
}

let bus: Bus;
let started: Dummy[];
let stop: AbortController;
let beats: NodeBeat[];
let following: Promise<void>;

beforeEach(async () => {
  bus = await connect(`memory:${randomUUID()}`);
  started = [];
  beats = [];
  stop = new AbortController();
  const heard = await bus.subscribe<NodeBeat>(nodeSubject("x"));
  following = (async () => {
    for await (const { data } of heard) beats.push(data);
  })();
});
afterEach(async () => {
  stop.abort();
  await bus.close();
  await following;
});

function run(slots: number, deaths: string[] = [], silenceMs?: number): Promise<void> {
  return runNodeManager(bus, {
    ...{ node: "x", slots, silenceMs, signal: stop.signal },
    start: (_, slot) => {
      const worker = new Dummy(bus, slot);
      started.push(worker);
      return worker;
    },
    onDeath: (slot, how) => void deaths.push(`${slot} ${how}`),
  });
}

describe("the node manager", () => {
  it("keeps a worker for each slot: one that dies is replaced", async () => {
    const deaths: string[] = [];
    const running = run(2, deaths);
    await expect.poll(() => started.map(({ slot }) => slot)).toEqual([0, 1]);
    started[1]!.kill("exit code 7");
    await expect.poll(() => started.map(({ slot }) => slot)).toEqual([0, 1, 1]);
    expect(deaths).toEqual(["1 exit code 7"]);
    stop.abort();
    await running;
  });

  it("kills a worker that was alive and has fallen silent", async () => {
    const deaths: string[] = [];
    const running = run(1, deaths, 400);
    await expect.poll(() => beats.length).toBeGreaterThan(1);
    started[0]!.fallSilent();
    await expect.poll(() => deaths, { timeout: 10_000 }).toEqual(["0 SIGKILL"]);
    await expect.poll(() => started.length).toBe(2);
    stop.abort();
    await running;
  });

  it("gives up when workers die as soon as they begin", async () => {
    const running = runNodeManager(bus, {
      ...{ node: "x", slots: 1, signal: stop.signal },
      start: () => ({ ended: Promise.resolve("exit code 2"), kill: () => undefined }),
    });
    await expect(running).rejects.toThrow(/5 workers died one after the other of exit code 2/);
  });

  it("tells what its slots are granted to, obeys the latest resource manager alone, and says goodbye", async () => {
    const running = run(2);
    const grant = (epoch: number, ...slots: readonly (string | null)[]): Promise<void> =>
      bus.publish(grantSubject, { epoch, nodes: { x: slots } } satisfies Grants);
    await expect.poll(() => beats.length).toBeGreaterThan(0);
    await grant(5, "a", null);
    await expect.poll(() => beats.at(-1)?.slots).toEqual(["a", null]);
    await grant(4, "b", "b");
    await grant(6, "a", "c");
    await expect.poll(() => beats.at(-1)?.slots).toEqual(["a", "c"]);
    expect(beats.some(({ slots }) => slots.includes("b"))).toBe(false);
    stop.abort();
    await running;
    await expect.poll(() => beats.at(-1)?.slots).toEqual([]);
  });
});
