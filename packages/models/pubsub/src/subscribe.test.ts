import {
  Bodies,
  BusError,
  type BusStatus,
  type Context,
  type Drainable,
  type Envelope,
  json,
  type Message,
  type Registration,
  type SubscribeOptions,
  type Subscription,
  type TopicSink,
  type Topics,
} from "@quadrant/contract";
import { Engine } from "@quadrant/engine";
import { type } from "arktype";
import * as v from "valibot";
import { beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { publish } from "./publish.ts";
import { subscribe } from "./subscribe.ts";

/** A driver of one subscription: the test holds its sink. */
class Stage {
  sink!: TopicSink;
  subscriptions: (readonly [string, string | undefined])[] = [];
  registered = 0;
  reports: [BusStatus["kind"], Record<string, unknown>][] = [];
  tracked = new Set<Drainable>();
  state: "open" | "closed" = "open";
  support: Context["driver"]["support"] = {};
  /** Answers a subscription. */
  register: () => Promise<Registration> = () => Promise.resolve(this.registration());

  registration(): Registration {
    this.registered++;
    let open = true;
    return {
      close: async () => {
        if (open) this.registered--;
        open = false;
      },
    };
  }

  readonly #topics: Topics = {
    publish: () => undefined,
    subscribe: (pattern, group, sink) => {
      this.subscriptions.push([pattern, group]);
      this.sink = sink;
      return this.register();
    },
  };

  get context(): Context {
    const assertOpen = (): void => {
      if (this.state === "closed") throw new BusError("closed", "the bus is closed");
    };
    return {
      driver: { name: "memory", support: this.support, topics: this.#topics } as unknown as Context["driver"],
      bodies: new Bodies(json, [json], 1 << 20),
      requestTimeoutMs: 5_000,
      assertOpen,
      assertIntake: assertOpen,
      track: (work) => {
        this.tracked.add(work);
        return () => void this.tracked.delete(work);
      },
      report: (kind, detail) => void this.reports.push([kind, { ...detail }]),
    };
  }

  subscribe<T>(options?: SubscribeOptions<T>, pattern: string = "a.>"): Promise<Subscription<Message<T>>> {
    return subscribe<T>(this.context, pattern, options);
  }

  deliver(...values: readonly unknown[]): void {
    this.sink.deliver(values.map((value) => envelope(value)));
  }
}

function envelope(value: unknown): Envelope {
  const body = value instanceof Uint8Array ? value : json.encode(value);
  return { subject: "a.b", headers: { h: "1" }, contentType: json.contentType, body };
}

async function take<T>(subscription: Subscription<Message<T>>, count: number): Promise<T[]> {
  const taken: T[] = [];
  for await (const { data } of subscription) if (taken.push(data) === count) break;
  return taken;
}

let stage: Stage;
beforeEach(() => {
  stage = new Stage();
});

describe("a subscription", () => {
  test("hands over messages in order, as they were sent", async () => {
    const subscription = await stage.subscribe<{ n: number }>({ group: "workers" });
    expect(stage.subscriptions).toEqual([["a.>", "workers"]]);
    const first = subscription[Symbol.asyncIterator]();
    const waiting = first.next();
    stage.deliver({ n: 1 }, { n: 2 });
    expect(await waiting).toEqual({ value: { subject: "a.b", data: { n: 1 }, headers: { h: "1" } }, done: false });
    expect((await first.next()).value?.data).toEqual({ n: 2 });
    expect(subscription.dropped).toBe(0);
  });

  test("gives each reader headers and data of its own", async () => {
    const subscription = await stage.subscribe<{ n: number }>();
    const shared = envelope({ n: 1 });
    stage.sink.deliver([shared]);
    for await (const message of subscription) {
      (message.headers as Record<string, string>).h = "changed";
      break;
    }
    expect(shared.headers).toEqual({ h: "1" });
  });

  test("decodes a message only when it is taken", async () => {
    let decoded = 0;
    const counting = { ...json, decode: (body: Uint8Array) => ++decoded && json.decode(body) };
    const context: Context = { ...stage.context, bodies: new Bodies(counting, [], 1 << 20) };
    const subscription = await subscribe<number>(context, "a.>", { buffer: 2 });
    stage.deliver(1, 2, 3, 4);
    expect(decoded).toBe(0);
    expect(await take(subscription, 1)).toEqual([3]);
    expect(decoded).toBe(1);
  });

  test("ends, and waits for the broker to know, when its loop is left, when it is disposed, when its signal aborts", async () => {
    const left = await stage.subscribe<number>();
    stage.deliver(1, 2);
    await take(left, 1);
    expect(stage.registered).toBe(0);

    const disposed = await stage.subscribe();
    await disposed[Symbol.asyncDispose]();
    await disposed[Symbol.asyncDispose]();
    expect(stage.registered).toBe(0);

    const controller = new AbortController();
    const aborted = await stage.subscribe({ signal: controller.signal });
    const waiting = aborted[Symbol.asyncIterator]().next();
    controller.abort();
    expect((await waiting).done).toBe(true);
    expect(stage.registered).toBe(0);
    expect(stage.tracked.size).toBe(0);
  });

  test("that is aborted before or while it is set up is aborted, and leaves nothing behind", async () => {
    await expect(stage.subscribe({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "aborted" });
    expect(stage.subscriptions).toEqual([]);

    const answered = Promise.withResolvers<Registration>();
    stage.register = () => answered.promise;
    const controller = new AbortController();
    const subscribing = stage.subscribe({ signal: controller.signal });
    controller.abort();
    await expect(subscribing).rejects.toMatchObject({ code: "aborted" });
    answered.resolve(stage.registration());
    await new Promise((resolve) => setImmediate(resolve));
    expect([stage.registered, stage.tracked.size]).toEqual([0, 0]);
  });

  test("that the driver refuses rejects; one that it ends throws what it says after what was here", async () => {
    stage.register = () => Promise.reject(new BusError("denied", "not yours"));
    await expect(stage.subscribe()).rejects.toMatchObject({ code: "denied" });
    expect(stage.tracked.size).toBe(0);

    stage.register = () => Promise.resolve(stage.registration());
    const iterator = (await stage.subscribe<number>())[Symbol.asyncIterator]();
    stage.deliver(1);
    stage.sink.end(new BusError("denied", "no longer yours"));
    expect((await iterator.next()).value?.data).toBe(1);
    await expect(iterator.next()).rejects.toMatchObject({ code: "denied" });
    expect([stage.registered, stage.tracked.size]).toEqual([0, 0]);
  });

  test("is drained by ending intake: the loop gets what is here, and is not waited for", async () => {
    const iterator = (await stage.subscribe<number>())[Symbol.asyncIterator]();
    stage.deliver(1, 2);
    await iterator.next();
    await Promise.all([...stage.tracked].map((work) => work.drain()));
    expect([stage.registered, stage.tracked.size]).toEqual([0, 0]);
    stage.deliver(3);
    expect((await iterator.next()).value?.data).toBe(2);
    expect((await iterator.next()).done).toBe(true);
  });

  test("is given up at once", async () => {
    const iterator = (await stage.subscribe<number>())[Symbol.asyncIterator]();
    stage.deliver(1);
    for (const work of [...stage.tracked]) work.abandon();
    expect((await iterator.next()).done).toBe(true);
    expect(stage.registered).toBe(0);
  });
});

describe("a full buffer", () => {
  test("drops the oldest unless told, counts, and reports once an episode", async () => {
    const subscription = await stage.subscribe<number>({ buffer: 4 });
    stage.deliver(1, 2, 3, 4, 5, 6);
    stage.deliver(7);
    expect(subscription.dropped).toBe(3);
    const iterator = subscription[Symbol.asyncIterator]();
    for (const expected of [4, 5]) expect((await iterator.next()).value?.data).toBe(expected);
    stage.deliver(8, 9, 10);
    expect(subscription.dropped).toBe(4);
    for (const expected of [7, 8, 9, 10]) expect((await iterator.next()).value?.data).toBe(expected);
    expect(stage.reports).toEqual([
      ["slow-consumer", { pattern: "a.>", buffer: 4, overflow: "drop-oldest", dropped: 1 }],
      ["slow-consumer", { pattern: "a.>", buffer: 4, overflow: "drop-oldest", dropped: 4 }],
    ]);
  });

  test("can drop the newest", async () => {
    const subscription = await stage.subscribe<number>({ buffer: 2, overflow: "drop-newest", group: "g" });
    stage.deliver(1, 2, 3, 4);
    expect(subscription.dropped).toBe(2);
    expect(stage.reports).toHaveLength(1);
    expect(stage.reports[0]).toMatchObject(["slow-consumer", { pattern: "a.>", group: "g" }]);
    expect(await take(subscription, 2)).toEqual([1, 2]);
  });

  test("can end the subscription, after what is here", async () => {
    const subscription = await stage.subscribe<number>({ buffer: 2, overflow: "error" });
    stage.deliver(1, 2, 3, 4);
    const taken: number[] = [];
    const loop = async (): Promise<void> => {
      for await (const { data } of subscription) taken.push(data);
    };
    await expect(loop()).rejects.toMatchObject({ code: "overflow" });
    expect(taken).toEqual([1, 2]);
    expect([stage.registered, stage.tracked.size]).toEqual([0, 0]);
  });

  test("never happens to one who is waiting", async () => {
    const subscription = await stage.subscribe<number>({ buffer: 1, overflow: "error" });
    const taking = take(subscription, 3);
    for (const value of [1, 2, 3]) {
      stage.deliver(value);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await taking).toEqual([1, 2, 3]);
  });

  test("adds to what was lost on the way", async () => {
    const subscription = await stage.subscribe<number>({ buffer: 1 });
    stage.sink.lost(5);
    stage.deliver(1, 2);
    expect(subscription.dropped).toBe(6);
    expect(stage.reports[0]).toEqual(["gap", { pattern: "a.>", reason: "lost on the way", lost: 5 }]);
  });
});

describe("messages that cannot be read", () => {
  const garbage = new TextEncoder().encode("{ no json");

  test("are told of with their bytes, and the loop goes on whatever the callback does", async () => {
    const told: unknown[] = [];
    const subscription = await stage.subscribe<number>({
      invalid: (message, error) => {
        told.push([message, error.code]);
        throw new Error("the callback's own business");
      },
    });
    stage.deliver(garbage, 1);
    expect(await take(subscription, 1)).toEqual([1]);
    expect(told).toEqual([[{ subject: "a.b", data: garbage, headers: { h: "1" } }, "codec"]]);
    expect([subscription.dropped, stage.reports]).toEqual([0, []]);
  });

  test("do not disturb through a callback that rejects", async () => {
    const invalid = (() => Promise.reject(new Error("later"))) as unknown as () => void;
    const subscription = await stage.subscribe<number>({ invalid });
    stage.deliver(garbage, 1);
    expect(await take(subscription, 1)).toEqual([1]);
    await new Promise((resolve) => setImmediate(resolve));
  });

  test("are counted and reported where nobody is told, once a run of them", async () => {
    const subscription = await stage.subscribe<number>();
    stage.deliver(garbage, garbage, 1, garbage, 2);
    expect(await take(subscription, 2)).toEqual([1, 2]);
    expect(subscription.dropped).toBe(3);
    expect(stage.reports).toMatchObject([
      ["gap", { pattern: "a.>", subject: "a.b", reason: "codec", lost: 1 }],
      ["gap", { pattern: "a.>", subject: "a.b", reason: "codec", lost: 1 }],
    ]);
  });

  test.each([
    ["zod", z.object({ n: z.number() })],
    ["valibot", v.object({ n: v.number() })],
    ["arktype", type({ n: "number" })],
    ["an asynchronous one", z.object({ n: z.number().refine(async (n) => n > 0) })],
  ])("by the schema of %s are told of with their data", async (_vendor, schema) => {
    const told: unknown[] = [];
    const invalid = ({ data }: Message<unknown>, { code }: BusError) => told.push([data, code]);
    const subscription = await stage.subscribe<{ n: number }>({ schema, invalid });
    stage.deliver({ n: 1 }, { n: "two" }, { n: 3 });
    expect(await take(subscription, 2)).toEqual([{ n: 1 }, { n: 3 }]);
    expect(told).toEqual([[{ n: "two" }, "invalid"]]);
  });
});

test("what is asked wrongly is refused at once, and the driver hears nothing", async () => {
  for (const pattern of ["", "a..b", "a.>.b", "a*", "a b", "$JS.API.>"])
    await expect(stage.subscribe({}, pattern)).rejects.toMatchObject({ code: "invalid" });
  const wrong: readonly unknown[] = [
    { group: "two.tokens" },
    { group: "a\r\nSUB >" },
    { group: "" },
    { buffer: 0 },
    { buffer: Number.POSITIVE_INFINITY },
    { overflow: "block" },
    { schema: {} },
    { invalid: "log" },
    { signal: {} },
  ];
  for (const options of wrong) {
    const subscribing = stage.subscribe(options as SubscribeOptions<unknown>);
    await expect(subscribing).rejects.toMatchObject({ code: "invalid" });
  }
  stage.support = { "topics.groups": { how: "refused", note: "not here" } };
  await expect(stage.subscribe({ group: "g" })).rejects.toMatchObject({ code: "unsupported" });
  stage.state = "closed";
  await expect(stage.subscribe()).rejects.toMatchObject({ code: "closed" });
  expect(stage.subscriptions).toEqual([]);
});

test("over the engine, a subscription is effective when it resolves, and groups share", async () => {
  const engine = new Engine();
  const connect = (): Context => ({
    ...stage.context,
    driver: { name: "memory", support: {}, topics: engine.connect().topics } as unknown as Context["driver"],
  });
  const all = await subscribe<number>(connect(), "orders.*");
  const group = await Promise.all([1, 2].map(() => subscribe<number>(connect(), "orders.>", { group: "g" })));
  const publisher = connect();
  for (let n = 0; n < 100; n++) await publish(publisher, `orders.o${n % 3}`, n);
  expect(await take(all, 100)).toEqual(Array.from({ length: 100 }, (_, n) => n));
  const shares = await Promise.all(group.map((member) => take(member, 50)));
  expect(shares.flat().toSorted((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, n) => n));
  engine.close();
});
