/**
 * What a receiver of letters on loan does, over an engine's queue and on timers that the test moves. It is over 500 lines
 * because all of it stands on the one stage that is set up here.
 */
import {
  Bodies,
  BusError,
  bytes,
  type Context,
  type Delivery,
  type Drainable,
  type FetchRequest,
  json,
  type Leased,
  type LoanOptions,
  type LoanSource,
  type Settlement,
  type Subscription,
} from "@quadrant/contract";
import { Engine } from "@quadrant/engine";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import { receiveLeased } from "./receiving.ts";

const leaseMs = 1_200;
const address = "jobs";

/** A queue of an engine, what the receiver asked of it, and the connection as the receiver sees it. */
class Stage {
  readonly engine = new Engine();
  readonly queues = this.engine.connect().queues;
  readonly tracked = new Set<Drainable>();
  readonly fetches: FetchRequest[] = [];
  readonly lent: Leased[] = [];
  readonly settled: (readonly Settlement[])[] = [];
  /** Stands in the way of fetches and settlements while it is set. */
  broken: BusError | undefined;
  state: "open" | "closed" = "open";
  #sent = 0;

  readonly context: Context = {
    driver: { name: "memory", support: {} } as unknown as Context["driver"],
    bodies: new Bodies(json, [json, bytes], 1 << 20),
    requestTimeoutMs: 5_000,
    assertOpen: () => this.#assertOpen(),
    assertIntake: () => this.#assertOpen(),
    track: (work) => {
      this.tracked.add(work);
      return () => void this.tracked.delete(work);
    },
    report: () => undefined,
  };

  readonly source: LoanSource = {
    what: `mailbox "${address}"`,
    leaseMs,
    fetch: async (request) => {
      this.fetches.push(request);
      if (this.broken !== undefined) throw this.broken;
      const letters = await this.queues.fetch(address, request);
      this.lent.push(...letters);
      return letters;
    },
    settle: (settlements) => {
      this.settled.push(settlements);
      return this.broken === undefined ? this.queues.settle(address, settlements) : Promise.reject(this.broken);
    },
  };

  #assertOpen(): void {
    if (this.state === "closed") throw new BusError("closed", "the bus is closed");
  }

  async open(maxAttempts: number = 5): Promise<this> {
    await this.queues.open(address, { leaseMs, maxAttempts });
    return this;
  }

  async send(...values: unknown[]): Promise<void> {
    const bodies = values.map((value) => (value instanceof Uint8Array ? value : json.encode(value)));
    await this.queues.send(
      address,
      bodies.map((body) => {
        const id = `letter-${++this.#sent}`;
        return { id, dedupe: false, headers: { n: id }, contentType: json.contentType, body };
      }),
    );
  }

  receive<T>(options: LoanOptions<T> = {}): Subscription<Delivery<T>> {
    return receiveLeased(this.context, this.source, options);
  }

  /** The kinds of all settlements so far, renewals aside. */
  get kinds(): string[] {
    return this.settled.flat().flatMap(({ kind }) => (kind === "extend" ? [] : [kind]));
  }

  info() {
    return this.queues.info(address);
  }

  /** Another receiver's first letter. */
  async steal(): Promise<{ readonly attempt: number; readonly token: string }> {
    const [letter] = await this.queues.fetch(address, { max: 1, leaseMs: 60_000 });
    return letter!;
  }

  close(): void {
    this.engine.close();
  }
}

async function next<T>(iterator: AsyncIterator<T>): Promise<T> {
  const result = await iterator.next();
  if (result.done) throw new Error("the loop is over");
  return result.value;
}

/** Lets what is under way without a timer happen. */
const settle = () => vi.advanceTimersByTimeAsync(0);
const loop = <T>(subscription: Subscription<T>) => subscription[Symbol.asyncIterator]();

let stage: Stage;
beforeEach(async () => {
  vi.useFakeTimers();
  stage = await new Stage().open();
});
afterEach(() => {
  stage.close();
  vi.useRealTimers();
});

describe("letters on loan", () => {
  test("arrive in order with what they were sent with, and are acknowledged together", async () => {
    await stage.send({ n: 1 }, { n: 2 });
    const letters = loop(stage.receive<{ n: number }>());
    const first = await next(letters);
    const second = await next(letters);
    expect(first).toMatchObject({ subject: address, data: { n: 1 }, headers: { n: "letter-1" }, id: "letter-1" });
    expect([first.attempt, second.attempt, second.data]).toEqual([1, 1, { n: 2 }]);
    await Promise.all([first.ack(), second.ack()]);
    expect(stage.settled).toHaveLength(1);
    expect(await stage.info()).toEqual({ waiting: 0, held: 0, delayed: 0, dead: 0 });
  });

  test("are held up to maxInFlight, and room is filled by one fetch", async () => {
    await stage.send(...Array.from({ length: 10 }, (_, n) => n));
    const letters = loop(stage.receive<number>({ maxInFlight: 4 }));
    await settle();
    expect(await stage.info()).toMatchObject({ waiting: 6, held: 4 });
    const held = [await next(letters), await next(letters), await next(letters), await next(letters)];
    const fifth = letters.next();
    await settle();
    expect((await stage.info()).held).toBe(4);
    await Promise.all(held.map((letter) => letter.ack()));
    expect((await fifth).value?.data).toBe(4);
    expect(stage.fetches.map(({ max }) => max)).toEqual([4, 4]);
    expect(await stage.info()).toMatchObject({ waiting: 2, held: 4 });

    // The store is filled up when half of it is gone.
    await (await fifth).value?.ack();
    await settle();
    expect(stage.fetches).toHaveLength(2);
    await (await next(letters)).ack();
    await settle();
    expect(stage.fetches.map(({ max }) => max)).toEqual([4, 4, 2]);
  });

  test("may come again later, or never", async () => {
    await stage.send("a", "b");
    const letters = loop(stage.receive<string>());
    const a = await next(letters);
    const b = await next(letters);
    await a.nak({ delayMs: 500, error: new TypeError("not yet") });
    await b.reject(new BusError("invalid", "not like this"));
    expect(await stage.info()).toEqual({ waiting: 0, held: 0, delayed: 1, dead: 1 });
    const again = next(letters);
    await vi.advanceTimersByTimeAsync(500);
    expect(await again).toMatchObject({ data: "a", attempt: 2 });
    const [dead] = await stage.queues.deadLetters(address, 10);
    expect(dead?.failure).toEqual({ code: "invalid", message: "not like this" });
  });

  test("refuse a wrong delay or lease, and can then be settled", async () => {
    await stage.send("a");
    const letter = await next(loop(stage.receive()));
    for (const delayMs of [-1, Number.NaN, Number.POSITIVE_INFINITY])
      await expect(letter.nak({ delayMs })).rejects.toMatchObject({ code: "invalid" });
    for (const lease of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, undefined])
      await expect(letter.extend(lease as number)).rejects.toMatchObject({ code: "invalid" });
    expect(stage.settled).toEqual([]);
    await letter.ack();
  });

  test("are settled once: the same again shares the outcome, another is stale", async () => {
    await stage.send("a");
    const letter = await next(loop(stage.receive()));
    await Promise.all([letter.ack(), letter.ack()]);
    await letter.ack();
    for (const other of [letter.nak(), letter.reject(), letter.extend(1_000)])
      await expect(other).rejects.toMatchObject({ code: "stale" });
    expect(stage.kinds).toEqual(["ack"]);
  });

  test("that could not be settled can be settled again while the lease lasts, and are not renewed", async () => {
    await stage.send("a");
    const letter = await next(loop(stage.receive()));
    stage.broken = new BusError("unavailable", "the broker is away");
    await expect(letter.ack()).rejects.toMatchObject({ code: "unavailable" });
    stage.broken = undefined;
    const before = stage.settled.length;
    await vi.advanceTimersByTimeAsync(leaseMs * 0.9);
    expect(stage.settled).toHaveLength(before);
    await letter.ack();
    expect(await stage.info()).toMatchObject({ held: 0, waiting: 0, dead: 0 });
  });

  test("whose settlement nobody looks at reject nowhere else", async () => {
    await stage.send("a");
    const letter = await next(loop(stage.receive()));
    stage.broken = new BusError("unavailable", "the broker is away");
    void letter.ack();
    void letter.nak();
    await settle();
    stage.state = "closed";
    void letter.reject();
    await settle();
    expect(stage.kinds).toEqual(["ack"]);
  });
});

describe("leases", () => {
  test("are renewed together at a third, of letters in hand and of those that wait here", async () => {
    await stage.send("a", "b", "c");
    const letters = loop(stage.receive());
    const letter = await next(letters);
    await vi.advanceTimersByTimeAsync(leaseMs / 3 + 10);
    expect(stage.settled.map((batch) => batch.map(({ kind }) => kind))).toEqual([["extend", "extend", "extend"]]);
    await vi.advanceTimersByTimeAsync(leaseMs * 3);
    expect(stage.settled.every((batch) => batch.length === 3)).toBe(true);
    expect(letter.signal.aborted).toBe(false);
    expect((await next(letters)).attempt).toBe(1);
    await letter.ack();
    expect((await stage.info()).held).toBe(2);
  });

  test("that began a little apart are renewed together", async () => {
    const letters = loop(stage.receive({ maxInFlight: 4 }));
    await stage.send("a");
    await next(letters);
    await vi.advanceTimersByTimeAsync(leaseMs / 20);
    await stage.send("b");
    await next(letters);
    await vi.advanceTimersByTimeAsync(leaseMs / 3);
    expect(stage.settled.map((batch) => batch.length)).toEqual([2]);
  });

  test("that are not renewed run from the handing over, end by our clock, and free their place", async () => {
    await stage.send("a", "b");
    const letters = loop(stage.receive<string>({ autoExtend: false, maxInFlight: 1 }));
    await settle();
    expect(stage.fetches).toEqual([]);
    const letter = await next(letters);
    const { signal } = letter;
    await vi.advanceTimersByTimeAsync(leaseMs - 50);
    expect(signal.aborted).toBe(false);
    const following = next(letters);
    await vi.advanceTimersByTimeAsync(50);
    expect(signal.aborted).toBe(true);
    expect(signal.reason).toMatchObject({ code: "stale" });
    await expect(letter.ack()).rejects.toMatchObject({ code: "stale" });
    expect(stage.settled).toEqual([]);
    expect(await following).toMatchObject({ data: "a", attempt: 2 });
  });

  test("of a receiver's own are what it asks for", async () => {
    await stage.send("a");
    const letter = await next(loop(stage.receive({ leaseMs: 100, autoExtend: false })));
    expect(stage.fetches[0]).toMatchObject({ max: 1, leaseMs: 100 });
    await vi.advanceTimersByTimeAsync(100);
    await expect(letter.ack()).rejects.toMatchObject({ code: "stale" });
  });

  test("can be extended by hand, and renewing does not cut that short", async () => {
    await stage.send("a", "b");
    const letters = loop(stage.receive({ autoExtend: false }));
    const byHand = await next(letters);
    await byHand.extend(10_000);
    await vi.advanceTimersByTimeAsync(9_900);
    await byHand.ack();

    const renewed = await next(loop(stage.receive()));
    await renewed.extend(10_000);
    stage.settled.length = 0;
    await vi.advanceTimersByTimeAsync(9_000);
    expect(stage.settled).toEqual([]);
    await vi.advanceTimersByTimeAsync(3_000);
    expect(stage.settled.length).toBeGreaterThan(0);
    expect(renewed.signal.aborted).toBe(false);
  });

  test("that the broker took away are lost as soon as it says so", async () => {
    await stage.send("a");
    const letter = await next(loop(stage.receive({ maxInFlight: 1 })));
    await stage.queues.settle(address, [{ kind: "nak", token: stage.lent[0]!.token, delayMs: 0 }]);
    expect((await stage.steal()).attempt).toBe(2);
    await vi.advanceTimersByTimeAsync(leaseMs / 3 + 10);
    expect(letter.signal.reason).toMatchObject({ code: "stale" });
    await expect(letter.ack()).rejects.toMatchObject({ code: "stale" });
    expect((await stage.info()).held).toBe(1);
  });

  test("that could not be renewed are tried again, and lost when they are over", async () => {
    await stage.send("a", "b");
    const letters = loop(stage.receive<string>());
    const letter = await next(letters);
    const { signal } = letter;
    stage.broken = new BusError("unavailable", "the broker is away");
    await vi.advanceTimersByTimeAsync(leaseMs / 2);
    expect(stage.settled.length).toBeGreaterThan(1);
    stage.broken = undefined;
    await vi.advanceTimersByTimeAsync(leaseMs);
    expect(signal.aborted).toBe(false);
    stage.broken = new BusError("unavailable", "the broker is away");
    await vi.advanceTimersByTimeAsync(leaseMs + 10);
    expect(signal.reason).toMatchObject({ code: "stale" });
    stage.broken = undefined;
    // What waited here was lost with it: it comes anew, not from here.
    await vi.advanceTimersByTimeAsync(2_000);
    expect(await next(letters)).toMatchObject({ attempt: 2 });
  });
});

describe("letters that cannot be read", () => {
  const garbage = new TextEncoder().encode("{ no json");

  test("go to the dead letters, are told of, and the next one comes", async () => {
    await stage.send(garbage, "fine");
    const told: unknown[] = [];
    const invalid: LoanOptions<string>["invalid"] = (message, error) => {
      told.push([message, error.code]);
      throw new Error("the callback's own business");
    };
    const letter = await next(loop(stage.receive<string>({ invalid })));
    expect(letter.data).toBe("fine");
    expect(told).toEqual([[{ subject: address, data: garbage, headers: { n: "letter-1" } }, "codec"]]);
    await settle();
    const [dead] = await stage.queues.deadLetters(address, 10);
    expect(dead).toMatchObject({ id: "letter-1", failure: { code: "codec" }, body: garbage });
  });

  test.each([
    ["at once", z.object({ n: z.number() })],
    ["in its own time", z.object({ n: z.number().refine(async (n) => n > 0) })],
  ])("by a schema that decides %s go there too", async (_when, schema) => {
    await stage.send({ n: "one" }, { n: 2 }, { n: 3 });
    const told: unknown[] = [];
    const letters = loop(stage.receive({ schema, invalid: ({ data }, { code }) => told.push([data, code]) }));
    const [second, third] = await Promise.all([next(letters), next(letters)]);
    expect([second.data, third.data]).toEqual([{ n: 2 }, { n: 3 }]);
    expect(told).toEqual([[{ n: "one" }, "invalid"]]);
    await settle();
    expect(await stage.info()).toMatchObject({ dead: 1, held: 2 });
  });

  test("leave room for others, also where nothing is fetched ahead", async () => {
    await stage.send(garbage, garbage, garbage, "fine");
    const letter = await next(loop(stage.receive<string>({ autoExtend: false, maxInFlight: 1 })));
    expect(letter.data).toBe("fine");
    expect((await stage.info()).dead).toBe(3);
  });
});

describe("leaving", () => {
  test("gives back what nobody saw, its attempt not counted, and leaves alone what was handed over", async () => {
    await stage.send("a", "b", "c");
    const subscription = stage.receive<string>();
    const kept: Delivery<string>[] = [];
    for await (const letter of subscription) {
      kept.push(letter);
      break;
    }
    expect(await stage.info()).toMatchObject({ held: 1, waiting: 2 });
    expect(kept[0]!.signal.reason).toMatchObject({ code: "closed" });
    expect((await stage.steal()).attempt).toBe(1);
    expect(stage.tracked.size).toBe(0);

    // It can still be settled, as long as its lease lasts.
    await vi.advanceTimersByTimeAsync(leaseMs - 10);
    expect(stage.kinds).toEqual(["release", "release"]);
    await kept[0]!.ack();
    expect(await stage.info()).toMatchObject({ held: 1, waiting: 1 });
  });

  test("ends renewals, so that a letter that nobody settles comes again", async () => {
    await stage.send("a");
    const subscription = stage.receive<string>();
    const letter = await next(loop(subscription));
    await subscription[Symbol.asyncDispose]();
    await vi.advanceTimersByTimeAsync(leaseMs);
    await expect(letter.ack()).rejects.toMatchObject({ code: "stale" });
    expect(stage.settled).toEqual([]);
    expect((await stage.steal()).attempt).toBe(2);
  });

  test("ends a fetch that waits; what it had captured already is given back", async () => {
    const captured = Promise.withResolvers<void>();
    const { fetch } = stage.source;
    const source: LoanSource = {
      ...stage.source,
      fetch: async (request) => {
        const letters = await fetch(request);
        await captured.promise;
        return letters;
      },
    };
    const subscription = receiveLeased(stage.context, source, {});
    const waiting = loop(subscription).next();
    await stage.send("a");
    const left = subscription[Symbol.asyncDispose]();
    expect(stage.fetches[0]!.signal?.aborted).toBe(true);
    captured.resolve();
    await left;
    expect((await waiting).done).toBe(true);
    expect(await stage.info()).toMatchObject({ held: 0, waiting: 1 });
  });

  test("by the signal is the same", async () => {
    const controller = new AbortController();
    await stage.send("a", "b");
    const letters = loop(stage.receive({ signal: controller.signal }));
    const letter = await next(letters);
    controller.abort();
    expect((await letters.next()).done).toBe(true);
    await settle();
    expect(letter.signal.aborted).toBe(true);
    expect(await stage.info()).toMatchObject({ held: 1, waiting: 1 });
    await letter.ack();
  });

  test("while a letter is being validated gives it back", async () => {
    await stage.send("a");
    const slow = Promise.withResolvers<boolean>();
    const subscription = stage.receive({ schema: z.string().refine(() => slow.promise) });
    const waiting = loop(subscription).next();
    await settle();
    await subscription[Symbol.asyncDispose]();
    slow.resolve(true);
    expect((await waiting).done).toBe(true);
    expect(await stage.info()).toMatchObject({ held: 0, waiting: 1 });
  });

  test("leaves no timer behind", async () => {
    await stage.send("a", "b");
    const subscription = stage.receive();
    const letter = await next(loop(subscription));
    await letter.ack();
    await subscription[Symbol.asyncDispose]();
    // An engine keeps the one that it has for its next lease.
    await stage.engine.close();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("a drain", () => {
  const drained = (): { done: boolean } => {
    const state = { done: false };
    void Promise.all([...stage.tracked].map((work) => work.drain())).then(() => {
      state.done = true;
    });
    return state;
  };

  test("waits for letters in the hands of a loop, renewed and with their signal untouched", async () => {
    await stage.send("a", "b");
    const letters = loop(stage.receive());
    const letter = await next(letters);
    const draining = drained();
    await settle();
    expect(await stage.info()).toMatchObject({ held: 1, waiting: 1 });
    expect((await letters.next()).done).toBe(true);
    await vi.advanceTimersByTimeAsync(leaseMs * 3);
    expect(draining.done).toBe(false);
    expect(letter.signal.aborted).toBe(false);
    await letter.ack();
    await settle();
    expect(draining.done).toBe(true);
    expect(stage.tracked.size).toBe(0);
  });

  test("does not wait for letters whose loop was left, nor for those that were lost", async () => {
    await stage.send("a", "b");
    const left = stage.receive();
    const iterator = loop(left);
    await next(iterator);
    const first = drained();
    await settle();
    expect(first.done).toBe(false);
    await iterator.return?.();
    await settle();
    expect(first.done).toBe(true);

    await next(loop(stage.receive({ autoExtend: false })));
    const second = drained();
    await vi.advanceTimersByTimeAsync(leaseMs + 1);
    expect(second.done).toBe(true);
  });

  test("can be cut short", async () => {
    await stage.send("a");
    const letter = await next(loop(stage.receive()));
    const draining = drained();
    await settle();
    for (const work of [...stage.tracked]) work.abandon();
    await settle();
    expect(draining.done).toBe(true);
    expect(letter.signal.reason).toMatchObject({ code: "closed" });
    expect(vi.getTimerCount()).toBeLessThanOrEqual(1);
  });
});

describe("a fetch that fails", () => {
  test("for a while is tried again", async () => {
    stage.broken = new BusError("unavailable", "the broker is away");
    const letter = next(loop(stage.receive<string>()));
    await vi.advanceTimersByTimeAsync(5_000);
    expect(stage.fetches.length).toBeGreaterThan(3);
    expect(stage.fetches.length).toBeLessThan(20);
    stage.broken = undefined;
    await stage.send("a");
    await vi.advanceTimersByTimeAsync(1_000);
    expect((await letter).data).toBe("a");
  });

  test.each(["closed", "conflict", "denied"] as const)("with %j ends the subscription with it", async (code) => {
    await stage.send("a", "b");
    const letters = loop(stage.receive({ maxInFlight: 1 }));
    const letter = await next(letters);
    stage.broken = new BusError(code, "no more");
    void letter.ack();
    await expect(letters.next()).rejects.toMatchObject({ code });
    expect(letter.signal.aborted).toBe(true);
    expect((await letters.next()).done).toBe(true);
    expect(stage.tracked.size).toBe(0);
  });

  test("because the mailbox was destroyed ends the subscription with it", async () => {
    const waiting = loop(stage.receive()).next();
    await stage.queues.destroy(address);
    await expect(waiting).rejects.toMatchObject({ code: "conflict" });
  });
});

test("what is asked wrongly is refused at once, and nothing is fetched", () => {
  const wrong: readonly (readonly [LoanOptions<unknown>, string])[] = [
    [{ leaseMs: 0 }, "invalid"],
    [{ leaseMs: Number.NaN }, "invalid"],
    [{ leaseMs: Number.POSITIVE_INFINITY }, "invalid"],
    [{ maxInFlight: 0 }, "invalid"],
    [{ maxInFlight: 1.5 }, "invalid"],
    [{ autoExtend: "no" as unknown as boolean }, "invalid"],
    [{ schema: {} as never }, "invalid"],
    [{ invalid: 7 as never }, "invalid"],
    [{ signal: AbortSignal.abort() }, "aborted"],
  ];
  for (const [options, code] of wrong) expect(() => stage.receive(options)).toThrow(expect.objectContaining({ code }));
  stage.state = "closed";
  expect(() => stage.receive()).toThrow(expect.objectContaining({ code: "closed" }));
  expect(stage.fetches).toEqual([]);
  expect(stage.tracked.size).toBe(0);
});
