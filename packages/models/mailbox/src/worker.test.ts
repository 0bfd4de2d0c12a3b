import {
  Bodies,
  BusError,
  type Context,
  type Delivery,
  type Drainable,
  json,
  type Mailbox,
  type Worker,
  withTrace,
} from "@quadrant/contract";
import { Engine } from "@quadrant/engine";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { openMailbox } from "./mailbox.ts";

const address = "jobs";
const leaseMs = 1_000;
let engine: Engine;
let tracked: Set<Drainable>;
let box: Mailbox<string>;

beforeEach(async () => {
  vi.useFakeTimers();
  engine = new Engine();
  tracked = new Set();
  const context: Context = {
    driver: { name: "memory", support: {}, queues: engine.connect().queues } as unknown as Context["driver"],
    bodies: new Bodies(json, [json], 1 << 20),
    requestTimeoutMs: 5_000,
    assertOpen: () => undefined,
    assertIntake: () => undefined,
    track: (work) => {
      tracked.add(work);
      return () => void tracked.delete(work);
    },
    report: () => undefined,
  };
  box = await openMailbox<string>(context, address, { leaseMs, maxAttempts: 3 });
});
afterEach(() => {
  engine.close();
  vi.useRealTimers();
});

const settle = () => vi.advanceTimersByTimeAsync(0);

/** A handler whose runs end when the test says so. */
function held() {
  const runs: { readonly data: string; readonly signal: AbortSignal; end(): void; fail(error: unknown): void }[] = [];
  const handler = ({ data }: Delivery<string>, signal: AbortSignal): Promise<void> => {
    const run = Promise.withResolvers<void>();
    runs.push({ data, signal, end: run.resolve, fail: run.reject });
    return run.promise;
  };
  return { runs, handler, names: () => runs.map(({ data }) => data) };
}

function observed(promise: Promise<unknown>): { state: string } {
  const observation = { state: "pending" };
  promise.then(
    () => {
      observation.state = "resolved";
    },
    () => {
      observation.state = "rejected";
    },
  );
  return observation;
}

describe("a worker", () => {
  test("acknowledges what its handler has done, one at a time and in order", async () => {
    await box.sendMany(["a", "b", "c"]);
    const { runs, handler, names } = held();
    const worker = await box.process(handler);
    await settle();
    expect(names()).toEqual(["a"]);
    runs[0]!.end();
    await settle();
    expect(names()).toEqual(["a", "b"]);
    expect(worker.processed).toBe(1);
    for (const index of [1, 2]) {
      runs[index]!.end();
      await settle();
    }
    expect([worker.processed, worker.failed]).toEqual([3, 0]);
    expect(await box.info()).toEqual({ waiting: 0, held: 0, delayed: 0, dead: 0 });
  });

  test("runs as many handlers as it is told, and holds at least as many letters", async () => {
    await box.sendMany(Array.from({ length: 30 }, (_, n) => String(n)));
    const { runs, handler } = held();
    await box.process(handler, { concurrency: 20 });
    await settle();
    expect(runs).toHaveLength(20);
    runs[7]!.end();
    await settle();
    expect(runs).toHaveLength(21);
    expect(runs[20]!.data).toBe("20");
  });

  test("tries again later what failed, and in the end leaves it to the dead letters", async () => {
    await box.send("a");
    const attempts: number[] = [];
    const worker = await box.process(
      ({ attempt }) => {
        attempts.push(attempt);
        throw Object.assign(new Error(`attempt ${attempt}`), { code: "E_BROKEN" });
      },
      { backoff: (attempt) => attempt * 1_000 },
    );
    await settle();
    expect(attempts).toEqual([1]);
    expect((await box.info()).delayed).toBe(1);
    await vi.advanceTimersByTimeAsync(999);
    expect(attempts).toEqual([1]);
    await vi.advanceTimersByTimeAsync(1);
    expect(attempts).toEqual([1, 2]);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(attempts).toEqual([1, 2, 3]);
    expect([worker.processed, worker.failed]).toEqual([0, 3]);
    const [dead] = await box.deadLetters();
    expect(dead).toMatchObject({ data: "a", attempt: 3, error: { code: "E_BROKEN", message: "attempt 3" } });
  });

  test("backs off by itself, at random up to 100 ms for the first failure", async () => {
    vi.spyOn(Math, "random").mockReturnValue(0.5);
    await box.send("a");
    let runs = 0;
    await box.process(() => {
      if (++runs === 1) throw new Error("once");
    });
    await vi.advanceTimersByTimeAsync(49);
    expect(runs).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(runs).toBe(2);
    vi.restoreAllMocks();
  });

  test("leaves alone what its handler settled", async () => {
    await box.sendMany(["acked", "rejected", "acked, then thrown"]);
    const worker = await box.process(async (letter) => {
      if (letter.data === "rejected") return letter.reject();
      await letter.ack();
      if (letter.data.endsWith("thrown")) throw new Error("afterwards");
    });
    await settle();
    expect([worker.processed, worker.failed]).toEqual([2, 1]);
    expect(await box.info()).toEqual({ waiting: 0, held: 0, delayed: 0, dead: 1 });
  });

  test("keeps the letter of a slow handler, and tells it when the lease is lost", async () => {
    await box.send("a");
    const { runs, handler } = held();
    const worker = await box.process(handler);
    await vi.advanceTimersByTimeAsync(leaseMs * 5);
    expect(runs).toHaveLength(1);
    expect(runs[0]!.signal.aborted).toBe(false);
    runs[0]!.end();
    await settle();
    expect(worker.processed).toBe(1);

    await worker[Symbol.asyncDispose]();
    await box.send("b");
    const losing = await box.process(handler, { autoExtend: false });
    await vi.advanceTimersByTimeAsync(leaseMs);
    expect(runs[1]!.signal.reason).toMatchObject({ code: "stale" });
    runs[1]!.end();
    await settle();
    expect([losing.processed, losing.failed]).toEqual([0, 1]);
    expect(runs[2]!.data).toBe("b");
  });

  test("runs its handler in the trace of the letter", async () => {
    const traceparent = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;
    await box.send("a", { headers: { traceparent } });
    const traced = Promise.withResolvers<unknown>();
    await box.process(async () => {
      await Promise.resolve();
      traced.resolve(withTrace({}));
    });
    expect(await traced.promise).toEqual({ traceparent });
  });
});

describe("a worker that pauses", () => {
  test("gives back what waits, finishes what runs, and goes on when resumed", async () => {
    await box.sendMany(["a", "b", "c"]);
    const { runs, handler, names } = held();
    const worker = await box.process(handler);
    await settle();
    worker.pause();
    worker.pause();
    await settle();
    expect(await box.info()).toEqual({ waiting: 2, held: 1, delayed: 0, dead: 0 });
    runs[0]!.end();
    await box.send("d");
    await vi.advanceTimersByTimeAsync(leaseMs);
    expect(names()).toEqual(["a"]);
    expect(await box.info()).toEqual({ waiting: 3, held: 0, delayed: 0, dead: 0 });
    worker.resume();
    worker.resume();
    for (const index of [1, 2, 3]) {
      await settle();
      runs[index]!.end();
    }
    await settle();
    expect(names()).toEqual(["a", "b", "c", "d"]);
    expect((await box.info()).waiting).toBe(0);
  });

  test("and is disposed takes nothing more", async () => {
    const { runs, handler } = held();
    const worker = await box.process(handler);
    worker.pause();
    await worker[Symbol.asyncDispose]();
    worker.resume();
    await box.send("a");
    await settle();
    expect(runs).toEqual([]);
    expect((await box.info()).waiting).toBe(1);
  });
});

describe("a worker that ends", () => {
  const endings: readonly (readonly [string, (worker: Worker) => Promise<unknown>])[] = [
    ["disposed", async (worker) => worker[Symbol.asyncDispose]()],
    ["drained", () => Promise.all([...tracked].map((work) => work.drain()))],
  ];
  test.each(endings)("by being %s finishes what runs and takes nothing more", async (_how, end) => {
    await box.sendMany(["a", "b"]);
    const { runs, handler } = held();
    const worker = await box.process(handler);
    await settle();
    const ending = observed(end(worker));
    const done = observed(worker.done);
    await vi.advanceTimersByTimeAsync(leaseMs * 2);
    expect([ending.state, done.state]).toEqual(["pending", "pending"]);
    expect(runs[0]!.signal.aborted).toBe(false);
    expect(await box.info()).toEqual({ waiting: 1, held: 1, delayed: 0, dead: 0 });
    runs[0]!.end();
    await settle();
    expect([ending.state, done.state]).toEqual(["resolved", "resolved"]);
    expect(await box.info()).toEqual({ waiting: 1, held: 0, delayed: 0, dead: 0 });
    expect(runs).toHaveLength(1);
    expect(worker.processed).toBe(1);
    expect(tracked.size).toBe(0);
    await worker[Symbol.asyncDispose]();
  });

  test.each(endings)("by being %s waits for a handler that has settled and still runs", async (_how, end) => {
    await box.send("a");
    const rest = Promise.withResolvers<void>();
    const worker = await box.process(async (letter) => {
      await letter.ack();
      await rest.promise;
    });
    await settle();
    const ending = observed(end(worker));
    await settle();
    expect(ending.state).toBe("pending");
    rest.resolve();
    await settle();
    expect(ending.state).toBe("resolved");
  });

  test("by being given up is done at once, and its handlers are told", async () => {
    await box.send("a");
    const { runs, handler } = held();
    const worker = await box.process(handler);
    await settle();
    for (const work of [...tracked]) work.abandon();
    await worker.done;
    expect(runs[0]!.signal.reason).toMatchObject({ code: "closed" });
    expect(tracked.size).toBe(0);
  });

  test("by its signal is done when its handlers are", async () => {
    await box.send("a");
    const { runs, handler } = held();
    const controller = new AbortController();
    const worker = await box.process(handler, { signal: controller.signal });
    await settle();
    const done = observed(worker.done);
    controller.abort();
    await settle();
    expect([done.state, runs[0]!.signal.aborted]).toEqual(["pending", true]);
    runs[0]!.end();
    await settle();
    expect([done.state, worker.processed]).toEqual(["resolved", 1]);
  });

  test("because its mailbox is gone says so", async () => {
    const worker = await box.process(() => undefined);
    await settle();
    await box.destroy();
    await expect(worker.done).rejects.toMatchObject({ code: "conflict" });
    await worker[Symbol.asyncDispose]();
  });
});

test("what is asked wrongly is refused at once", async () => {
  const fine = (): void => undefined;
  const wrong: readonly (readonly [unknown, object, string])[] = [
    [undefined, {}, "invalid"],
    ["handler", {}, "invalid"],
    [fine, { concurrency: 0 }, "invalid"],
    [fine, { concurrency: -1 }, "invalid"],
    [fine, { concurrency: 1.5 }, "invalid"],
    [fine, { concurrency: Number.NaN }, "invalid"],
    [fine, { backoff: 100 }, "invalid"],
    [fine, { maxInFlight: 0 }, "invalid"],
    [fine, { signal: AbortSignal.abort(new BusError("closed", "x")) }, "aborted"],
  ];
  for (const [handler, options, code] of wrong)
    await expect(box.process(handler as never, options)).rejects.toMatchObject({ code });
  expect(tracked.size).toBe(0);
});
