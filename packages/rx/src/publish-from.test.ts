import { type Bus, BusError, connect } from "@quadrant/bus";
import { EMPTY, from, NEVER, Observable, of, Subject, throwError } from "rxjs";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { publishFrom } from "./publish-from.ts";

/** A bus whose publishes arrive when the test says so. */
class Slow {
  readonly sent: unknown[][] = [];
  readonly #arrivals: PromiseWithResolvers<void>[] = [];
  publish(...args: unknown[]): Promise<void> {
    this.sent.push(args);
    const arrival = Promise.withResolvers<void>();
    this.#arrivals.push(arrival);
    return arrival.promise;
  }
  async arrive(count = 1): Promise<void> {
    for (let i = 0; i < count; i++) this.#arrivals.shift()!.resolve();
    await new Promise((resolve) => setImmediate(resolve));
  }
  async fail(error: Error): Promise<void> {
    this.#arrivals.shift()!.reject(error);
    await new Promise((resolve) => setImmediate(resolve));
  }
  get values(): unknown[] {
    return this.sent.map(([, value]) => value);
  }
}

let slow: Slow;
beforeEach(() => {
  slow = new Slow();
});

describe("over a bus", () => {
  let bus: Bus;
  beforeEach(async () => {
    bus = await connect("memory:");
  });
  afterEach(() => bus.close({ drainMs: 0 }));

  it("publishes every value, in order, on the subject that each has, with its headers", async () => {
    const subscription = await bus.subscribe<number>("n.*", { buffer: 10_000 });
    const publishing = publishFrom(bus, (n: number) => `n.${n % 2}`, from(Array.from({ length: 5_000 }, (_, i) => i)), {
      headers: { "x-a": "1" },
    });
    await publishing;
    expect(publishing.published).toBe(5_000);
    expect(publishing.dropped).toBe(0);
    let next = 0;
    for await (const { subject, data, headers } of subscription) {
      expect([subject, data, headers["x-a"]]).toEqual([`n.${next % 2}`, next, "1"]);
      if (++next === 5_000) break;
    }
  });

  it("takes whatever rxjs can observe, and resolves for a source without values", async () => {
    await publishFrom(bus, "n", EMPTY);
    await publishFrom(bus, "n", [1, 2, 3]);
    await publishFrom(bus, "n", Promise.resolve(1));
  });

  it("rejects with the bus's error, the source's, or the subject's", async () => {
    await expect(publishFrom(bus, "a..b", of(1))).rejects.toMatchObject({ code: "invalid" });
    await expect(
      publishFrom(
        bus,
        "n",
        of(() => 1),
      ),
    ).rejects.toMatchObject({ code: "codec" });
    await expect(
      publishFrom(
        bus,
        "n",
        throwError(() => new Error("source")),
      ),
    ).rejects.toThrow("source");
    const bad = publishFrom(
      bus,
      () => {
        throw new Error("subject");
      },
      of(1),
    );
    await expect(bad).rejects.toThrow("subject");
    await bus.close();
    await expect(publishFrom(bus, "n", of(1))).rejects.toMatchObject({ code: "closed" });
  });
});

describe("a slow bus", () => {
  it("has so many publishes on their way, the rest wait their turn", async () => {
    const publishing = publishFrom(slow, "n", from([1, 2, 3, 4, 5]), { concurrency: 2 });
    expect(slow.values).toEqual([1, 2]);
    await slow.arrive();
    expect(slow.values).toEqual([1, 2, 3]);
    await slow.arrive(2);
    expect(slow.values).toEqual([1, 2, 3, 4, 5]);
    await slow.arrive(2);
    await publishing;
    expect(publishing.published).toBe(5);
  });

  it("ends the publishing with overflow when too many wait, and the source is left", async () => {
    let left = false;
    const source = new Observable<number>((subscriber) => {
      for (let i = 0; i < 10 && !subscriber.closed; i++) subscriber.next(i);
      return () => {
        left = true;
      };
    });
    const publishing = publishFrom(slow, "n", source, { concurrency: 1, buffer: 2 });
    expect(left).toBe(true);
    await expect(publishing).rejects.toMatchObject({ code: "overflow" });
    await slow.arrive();
    expect(slow.values).toEqual([0]);
  });

  it.each([
    ["drop-oldest", [0, 8, 9]],
    ["drop-newest", [0, 1, 2]],
  ] as const)("may drop instead: %s, counted", async (overflow, expected) => {
    const source = Array.from({ length: 10 }, (_, i) => i);
    const publishing = publishFrom(slow, "n", source, { concurrency: 1, buffer: 2, overflow });
    for (let i = 0; i < 3; i++) await slow.arrive();
    await publishing;
    expect(slow.values).toEqual(expected);
    expect([publishing.published, publishing.dropped]).toEqual([3, 7]);
  });

  it("that fails once ends it: the source is left, what waited is not sent", async () => {
    const source = new Subject<number>();
    const publishing = publishFrom(slow, "n", source, { concurrency: 1 });
    for (const n of [1, 2, 3]) source.next(n);
    await slow.fail(new BusError("overflow", "full"));
    await expect(publishing).rejects.toMatchObject({ code: "overflow", message: "full" });
    expect(source.observed).toBe(false);
    expect(slow.values).toEqual([1]);
  });
});

describe("disposing", () => {
  it("leaves the source and waits for what is on its way", async () => {
    const source = new Subject<number>();
    const publishing = publishFrom(slow, "n", source, { concurrency: 1 });
    source.next(1);
    source.next(2);
    const disposed = vi.fn();
    const disposing = publishing[Symbol.asyncDispose]().then(disposed);
    expect(source.observed).toBe(false);
    await publishing;
    expect(disposed).not.toHaveBeenCalled();
    await slow.arrive();
    await disposing;
    await publishing[Symbol.asyncDispose]();
    expect(slow.values).toEqual([1]);
  });

  it("of one that is idle, or over, is harmless", async () => {
    const idle = publishFrom(slow, "n", NEVER);
    await idle[Symbol.asyncDispose]();
    await idle;
    const over = publishFrom(slow, "n", EMPTY);
    await over;
    await over[Symbol.asyncDispose]();
  });
});

it("an error that nobody awaits is nobody's", async () => {
  const unhandled = vi.fn();
  process.on("unhandledRejection", unhandled);
  publishFrom(
    slow,
    "n",
    throwError(() => new Error("x")),
  );
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
  process.off("unhandledRejection", unhandled);
  expect(unhandled).not.toHaveBeenCalled();
});

it.each([
  [{ concurrency: 0 }],
  [{ concurrency: 1.5 }],
  [{ buffer: -1 }],
  [{ buffer: Number.NaN }],
  [{ overflow: "x" }],
])("%j is invalid", (options) => {
  expect(() => publishFrom(slow, "n", EMPTY, options as never)).toThrow(expect.objectContaining({ code: "invalid" }));
});
