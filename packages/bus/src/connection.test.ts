import { Bodies, type BusStatus, type Drainable, type Driver, json } from "@quadrant/contract";
import { describe, expect, it, vi } from "vitest";
import { Connection } from "./connection.ts";

interface Fake {
  readonly connection: Connection;
  readonly closes: number[];
  say(kind: BusStatus["kind"]): void;
}

function connected(): Fake {
  const closes: number[] = [];
  let listener: (status: BusStatus) => void = () => undefined;
  const driver: Driver = {
    name: "memory",
    url: "memory:",
    support: {},
    maxPayloadBytes: 1_000,
    list: () => Promise.resolve([]),
    flush: () => Promise.resolve(),
    onStatus: (next) => {
      listener = next;
    },
    describe: () => Promise.resolve({}),
    close: (drainMs) => {
      closes.push(drainMs);
      return Promise.resolve();
    },
  };
  const connection = new Connection(driver, new Bodies(json, [], 1_000), 5_000);
  return { connection, closes, say: (kind) => listener({ kind, at: new Date() }) };
}

/** Work whose end the test decides. */
function work(): Drainable & { finish(): void; readonly drained: () => boolean; readonly abandoned: () => boolean } {
  const { promise, resolve } = Promise.withResolvers<void>();
  let drained = false;
  let abandoned = false;
  return {
    drain: () => {
      drained = true;
      return promise;
    },
    abandon: () => {
      abandoned = true;
    },
    finish: resolve,
    drained: () => drained,
    abandoned: () => abandoned,
  };
}

async function lastKind(connection: Connection): Promise<string | undefined> {
  let last: string | undefined;
  for await (const { kind } of connection.statuses.read()) last = kind;
  return last;
}

describe("closing", () => {
  it("stops the intake at once, waits for work in flight, then closes the driver with the time that is left", async () => {
    const { connection, closes } = connected();
    const slow = work();
    connection.track(slow);
    const closing = connection.close(60_000);
    expect(slow.drained()).toBe(true);
    expect(() => connection.assertIntake()).toThrow(expect.objectContaining({ code: "closed", driver: "memory" }));
    expect(() => connection.assertOpen()).not.toThrow();
    expect(closes).toEqual([]);
    slow.finish();
    await closing;
    expect(() => connection.assertOpen()).toThrow(expect.objectContaining({ code: "closed" }));
    expect(slow.abandoned()).toBe(false);
    // What is left of the minute, cut to what any request may take.
    expect(closes).toEqual([5_000]);
    expect(await lastKind(connection)).toBe("closed");
  });

  it("is one promise for all who ask", async () => {
    const { connection, closes } = connected();
    const first = connection.close(10);
    expect(connection.close(5_000)).toBe(first);
    await first;
    await connection.close(0);
    expect(closes).toHaveLength(1);
  });

  it("abandons what has not finished in time, and still flushes", async () => {
    vi.useFakeTimers();
    try {
      const { connection, closes } = connected();
      const stuck = work();
      connection.track(stuck);
      const closing = connection.close(1_000);
      await vi.advanceTimersByTimeAsync(999);
      expect(stuck.abandoned()).toBe(false);
      await vi.advanceTimersByTimeAsync(1);
      await closing;
      expect(stuck.abandoned()).toBe(true);
      expect(closes).toHaveLength(1);
      expect(closes[0]).toBeGreaterThan(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it("drains what is opened while it drains, too", async () => {
    const { connection } = connected();
    const first = work();
    const second = work();
    connection.track(first);
    const closing = connection.close(60_000);
    connection.track(second);
    expect(second.drained()).toBe(true);
    first.finish();
    second.finish();
    await closing;
    expect(second.abandoned()).toBe(false);
  });

  it("abandons at once what is tracked after the end", async () => {
    const { connection } = connected();
    await connection.close(0);
    const late = work();
    connection.track(late)();
    expect(late.abandoned()).toBe(true);
  });

  it("forgets what ended by itself", async () => {
    const { connection } = connected();
    const ended = work();
    connection.track(ended)();
    await connection.close(60_000);
    expect(ended.drained()).toBe(false);
  });

  it("survives work that throws", async () => {
    const { connection, closes } = connected();
    connection.track({
      drain: () => {
        throw new Error("drain");
      },
      abandon: () => {
        throw new Error("abandon");
      },
    });
    connection.track({
      drain: () => Promise.reject(new Error("drain")),
      abandon: () => undefined,
    });
    await connection.close(60_000);
    expect(closes).toHaveLength(1);
  });
});

it("a driver that ends by itself closes the connection, once", async () => {
  const { connection, closes, say } = connected();
  const kinds: string[] = [];
  const reading = (async (): Promise<void> => {
    for await (const { kind } of connection.statuses.read()) kinds.push(kind);
  })();
  say("disconnected");
  say("closed");
  await reading;
  expect(kinds).toEqual(["connected", "disconnected", "closed"]);
  expect(closes).toHaveLength(1);
  expect(() => connection.assertOpen()).toThrow(expect.objectContaining({ code: "closed" }));
});

it("a report of a model is a status", async () => {
  const { connection } = connected();
  const reader = connection.statuses.read()[Symbol.asyncIterator]();
  await reader.next();
  connection.report("slow-consumer", { pattern: "a.>" });
  expect((await reader.next()).value).toMatchObject({ kind: "slow-consumer", detail: { pattern: "a.>" } });
});
