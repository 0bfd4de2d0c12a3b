/**
 * The server's side, called by a driver that is the test itself. Over 500 lines, so that the driver stands here once for
 * everything that may happen to a call.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import {
  Bodies,
  BusError,
  bytes,
  type CallControl,
  type CallRequest,
  type Context,
  type Drainable,
  type Driver,
  type InboundCall,
  json,
  type ReplyFrame,
  type ServeOptions,
  type ServerSpec,
} from "@quadrant/contract";
import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { callContext } from "./call-scope.ts";
import { serve } from "./server.ts";

class Near {
  readonly tracked = new Set<Drainable>();
  spec: ServerSpec | undefined;
  accept: ((call: InboundCall) => void) | undefined;
  closed = 0;
  open = true;
  readonly context: Context = {
    driver: {
      name: "memory",
      calls: {
        call: () => {
          throw new Error("not called here");
        },
        serve: async (spec: ServerSpec, accept: (call: InboundCall) => void) => {
          this.spec = spec;
          this.accept = accept;
          return {
            close: async () => {
              this.closed++;
            },
          };
        },
        services: () => Promise.resolve([]),
      },
    } as unknown as Driver,
    bodies: new Bodies(json, [json, bytes], 1_000),
    requestTimeoutMs: 5_000,
    assertOpen: () => undefined,
    assertIntake: () => {
      if (!this.open) throw new BusError("closed", "closed");
    },
    track: (work) => {
      this.tracked.add(work);
      return () => void this.tracked.delete(work);
    },
    report: () => undefined,
  };
}

/** One call from the outside: its frames, and what its caller does. */
class Caller {
  readonly frames: ReplyFrame[] = [];
  control: CallControl | undefined;
  refused = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(near: Near, method: string, args: unknown, request: Partial<CallRequest> = {}) {
    near.accept!({
      request: {
        address: "calc",
        method,
        headers: {},
        contentType: json.contentType,
        body: json.encode(args),
        timeoutMs: 60_000,
        credit: 16,
        ...request,
      },
      reply: (frame) => {
        this.frames.push(frame);
        for (const wake of this.#waiting.splice(0)) wake();
      },
      refuse: () => {
        this.refused++;
      },
      onControl: (control) => {
        this.control = control;
      },
    });
  }

  /** The frames so far, once there are so many. */
  async atLeast(count: number): Promise<unknown[]> {
    while (this.frames.length < count) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.frames.map(({ kind, contentType, body }) => [kind, contentType === "" ? undefined : json.decode(body)]);
  }
}

async function turns(count = 5): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

let near: Near;
beforeEach(() => {
  near = new Near();
});

function started(service: object, options?: ServeOptions): ReturnType<typeof serve> {
  return serve(near.context, "calc", service as never, options);
}

describe("serving", () => {
  it("tells the driver the methods, version and description; each server has an instance of its own", async () => {
    const one = await started({ a: () => 1, b: () => 2 }, { version: "1.2", description: "sums" });
    expect(near.spec).toMatchObject({ address: "calc", version: "1.2", description: "sums", methods: ["a", "b"] });
    expect(near.spec!.instance).toBe(one.instance);
    const two = await started({ a: () => 1 });
    expect(one.instance).not.toBe(two.instance);
  });

  it.each<[string, object, ServeOptions]>([
    ["no methods", {}, {}],
    ["concurrency 0", { a: () => 1 }, { concurrency: 0 }],
    ["concurrency 1.5", { a: () => 1 }, { concurrency: 1.5 }],
    ["concurrency NaN", { a: () => 1 }, { concurrency: Number.NaN }],
    ["a version with a line break", { a: () => 1 }, { version: "1\n2" }],
    ["an empty description", { a: () => 1 }, { description: "" }],
  ])("%s is invalid, and nothing is served", async (_, service, options) => {
    await expect(started(service, options)).rejects.toMatchObject({ code: "invalid" });
    expect(near.accept).toBeUndefined();
  });

  it("at a bad address is invalid, and closed once the bus closes", async () => {
    await expect(serve(near.context, "a..b", { a: () => 1 })).rejects.toMatchObject({ code: "invalid" });
    near.open = false;
    await expect(started({ a: () => 1 })).rejects.toMatchObject({ code: "closed" });
  });
});

describe("a call", () => {
  it("is answered with the method's value, awaited where it is a promise, undefined included", async () => {
    const server = await started({
      add: (a: number, b: number) => a + b,
      later: async () => "x",
      nothing: () => undefined,
    });
    expect(await new Caller(near, "add", [1, 2]).atLeast(1)).toEqual([["value", 3]]);
    expect(await new Caller(near, "later", []).atLeast(1)).toEqual([["value", "x"]]);
    expect(await new Caller(near, "nothing", []).atLeast(1)).toEqual([["value", undefined]]);
    await turns();
    expect(server.handled).toBe(3);
  });

  it("of an unknown method is refused with the names there are, also of those of every object", async () => {
    await started({ add: () => 1, sub: () => 2 });
    for (const method of ["mul", "constructor", "__proto__", "toString", "then"]) {
      expect(await new Caller(near, method, []).atLeast(1)).toEqual([
        [
          "error",
          expect.objectContaining({ code: "invalid", refused: true, message: expect.stringContaining("add, sub") }),
        ],
      ]);
    }
  });

  it("of a method that throws is answered with its name, message and own code", async () => {
    class Refused extends Error {
      override readonly name = "Refused";
      readonly code = "E_NO";
    }
    await started({
      plain: () => {
        throw new TypeError("bad");
      },
      coded: async () => {
        throw new Refused("no");
      },
      text: () => {
        throw "just text";
      },
      bus: () => {
        throw new BusError("conflict", "mine");
      },
      hostile: () => {
        throw {
          get message(): string {
            throw new Error("!");
          },
        };
      },
      long: () => {
        throw new Error("x".repeat(100_000));
      },
    });
    const failure = async (method: string): Promise<unknown> =>
      ((await new Caller(near, method, []).atLeast(1)) as unknown[][])[0]![1];
    expect(await failure("plain")).toEqual({ name: "TypeError", message: "bad" });
    expect(await failure("coded")).toEqual({ name: "Refused", message: "no", code: "E_NO" });
    expect(await failure("text")).toEqual({ name: "Error", message: "just text" });
    expect(await failure("bus")).toEqual({ name: "BusError", message: "mine", code: "conflict" });
    expect(await failure("hostile")).toMatchObject({ name: "Error" });
    expect(((await failure("long")) as Error).message.length).toBeLessThan(10_000);
  });

  it("whose arguments cannot be read is refused with codec, the method not run", async () => {
    const add = vi.fn();
    await started({ add });
    const broken = new Caller(near, "add", [], { body: Uint8Array.of(0x7b) });
    const single = new Caller(near, "add", 5);
    for (const caller of [broken, single]) {
      expect(await caller.atLeast(1)).toEqual([["error", expect.objectContaining({ code: "codec", refused: true })]]);
    }
    expect(add).not.toHaveBeenCalled();
  });

  it("whose result cannot be carried is refused with codec or too-large", async () => {
    await started({
      bigint: () => 1n,
      big: () => "x".repeat(2_000),
      *sync() {
        yield 1;
      },
      promised: async () => (async function* (): AsyncGenerator<number> {})(),
    });
    const code = async (method: string): Promise<unknown> => {
      const [frame] = (await new Caller(near, method, []).atLeast(1)) as [string, { code: string; refused: boolean }][];
      return [frame![0], frame![1].code, frame![1].refused];
    };
    expect(await code("bigint")).toEqual(["error", "codec", true]);
    expect(await code("big")).toEqual(["error", "too-large", true]);
    expect(await code("sync")).toEqual(["error", "codec", true]);
    expect(await code("promised")).toEqual(["error", "codec", true]);
  });

  it("of one Uint8Array is that method's argument", async () => {
    await started({ size: (data: Uint8Array) => data.length, none: (...args: unknown[]) => args.length });
    const body = { contentType: bytes.contentType, body: Uint8Array.of(1, 2, 3) };
    expect(await new Caller(near, "size", [], body).atLeast(1)).toEqual([["value", 3]]);
    const empty = { contentType: "", body: new Uint8Array(0) };
    expect(await new Caller(near, "none", [], empty).atLeast(1)).toEqual([["value", 0]]);
  });
});

describe("the context of a call", () => {
  it("tells address, method, headers and deadline inside the method, and nothing outside", async () => {
    let context: ReturnType<typeof callContext>;
    await started({
      look: async () => {
        await turns(1);
        context = callContext();
      },
    });
    const before = Date.now();
    await new Caller(near, "look", [], { headers: { "x-user": "ü" }, timeoutMs: 60_000 }).atLeast(1);
    expect(context).toMatchObject({ address: "calc", method: "look", headers: { "x-user": "ü" } });
    expect(context!.deadline.getTime()).toBeGreaterThanOrEqual(before + 60_000);
    expect(context!.signal.aborted).toBe(false);
    expect(callContext()).toBeUndefined();
    await new Caller(near, "look", [], { timeoutMs: Number.POSITIVE_INFINITY }).atLeast(1);
    expect(Number.isNaN(context!.deadline.getTime())).toBe(false);
  });

  it("stands in the asynchronous context in which the service was served, whoever calls, and outlasts other calls", async () => {
    const storage = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    const look = async (): Promise<void> => {
      seen.push([storage.getStore(), callContext()?.method]);
      await turns(1);
      seen.push([storage.getStore(), callContext()?.method]);
    };
    await storage.run("served", () => started({ first: look, second: look }));
    await storage.run("called", async () => {
      const calls = ["first", "second"].map((method) => new Caller(near, method, []));
      expect(callContext()).toBeUndefined();
      await Promise.all(calls.map((call) => call.atLeast(1)));
    });
    expect(seen).toEqual([
      ["served", "first"],
      ["served", "second"],
      ["served", "first"],
      ["served", "second"],
    ]);
  });

  it("is there in a generator, at each step", async () => {
    const methods: unknown[] = [];
    await started({
      async *steps() {
        methods.push(callContext()?.method);
        yield 1;
        await turns(1);
        methods.push(callContext()?.method);
        yield 2;
      },
    });
    await new Caller(near, "steps", []).atLeast(3);
    expect(methods).toEqual(["steps", "steps"]);
  });

  it("aborts when the caller gives up, also where it is first looked at later", async () => {
    const signals: AbortSignal[] = [];
    const { promise: go, resolve } = Promise.withResolvers<void>();
    await started({
      early: () => {
        signals.push(callContext()!.signal);
        return go;
      },
      late: async () => {
        await go;
        signals.push(callContext()!.signal);
      },
    });
    const early = new Caller(near, "early", []);
    const late = new Caller(near, "late", []);
    early.control!.cancel();
    late.control!.cancel();
    expect(signals[0]!.aborted).toBe(true);
    resolve();
    await turns();
    expect(signals[1]!.aborted).toBe(true);
    expect(signals[1]!.reason).toMatchObject({ code: "aborted" });
    expect([...early.frames, ...late.frames]).toEqual([]);
  });

  it("aborts at the deadline, by this side's clock, and ends the call", async () => {
    await started({
      wait: () => new Promise((resolve) => callContext()!.signal.addEventListener("abort", () => resolve("late"))),
    });
    const caller = new Caller(near, "wait", [], { timeoutMs: 5 });
    expect(await caller.atLeast(1)).toEqual([["error", expect.objectContaining({ code: "timeout", refused: true })]]);
    await turns();
    expect(caller.frames).toHaveLength(1);
  });
});

describe("a stream", () => {
  it("sends as many items as there is credit for, runs no further, and goes on when granted", async () => {
    let produced = 0;
    const server = await started({
      async *count() {
        while (produced < 10) yield produced++;
      },
    });
    const caller = new Caller(near, "count", [], { credit: 3 });
    await caller.atLeast(3);
    await turns();
    expect(caller.frames).toHaveLength(3);
    expect(produced).toBe(3);
    caller.control!.credit(2);
    await caller.atLeast(5);
    await turns();
    expect(produced).toBe(5);
    caller.control!.credit(100);
    const frames = await caller.atLeast(11);
    expect(frames.slice(0, 10)).toEqual(Array.from({ length: 10 }, (_, i) => ["item", i]));
    expect(frames[10]).toEqual(["end", undefined]);
    await turns();
    expect(server.handled).toBe(1);
  });

  it("that is left runs the generator's finally, whether it waits for credit or for a source", async () => {
    const ended: string[] = [];
    await started({
      async *paused() {
        try {
          yield 1;
          yield 2;
        } finally {
          ended.push("paused");
        }
      },
      waiting: () => ({
        [Symbol.asyncIterator]() {
          let end: (result: IteratorResult<number>) => void = () => undefined;
          return {
            next: () =>
              new Promise<IteratorResult<number>>((resolve) => {
                end = resolve;
              }),
            return: async () => {
              ended.push("waiting");
              end({ value: undefined, done: true });
              return { value: undefined, done: true as const };
            },
          };
        },
      }),
      async *cooperating() {
        const { signal } = callContext()!;
        try {
          await new Promise((resolve) => signal.addEventListener("abort", resolve));
        } finally {
          ended.push("cooperating");
        }
        yield 1;
      },
    });
    const paused = new Caller(near, "paused", [], { credit: 1 });
    await paused.atLeast(1);
    const waiting = new Caller(near, "waiting", []);
    const cooperating = new Caller(near, "cooperating", []);
    await turns(1);
    for (const caller of [paused, waiting, cooperating]) caller.control!.cancel();
    await vi.waitFor(() => expect([...new Set(ended)].sort()).toEqual(["cooperating", "paused", "waiting"]));
    expect([...waiting.frames, ...cooperating.frames]).toEqual([]);
    expect(paused.frames).toHaveLength(1);
  });

  it("that throws after items tells so after them", async () => {
    await started({
      async *count() {
        yield 1;
        throw new RangeError("enough");
      },
    });
    expect(await new Caller(near, "count", []).atLeast(2)).toEqual([
      ["item", 1],
      ["error", { name: "RangeError", message: "enough" }],
    ]);
  });

  it("with an item that cannot be carried ends there, its generator too", async () => {
    let ended = false;
    await started({
      async *count() {
        try {
          yield 1n;
          yield 2;
        } finally {
          ended = true;
        }
      },
    });
    const caller = new Caller(near, "count", []);
    expect(await caller.atLeast(1)).toEqual([["error", expect.objectContaining({ code: "codec" })]]);
    await vi.waitFor(() => expect(ended).toBe(true));
    expect(caller.frames).toHaveLength(1);
  });

  it("has the deadline for each item, and none while it waits for credit", async () => {
    await started({
      async *slow() {
        yield 1;
        await new Promise((resolve) => callContext()!.signal.addEventListener("abort", resolve));
        yield 2;
      },
    });
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const caller = new Caller(near, "slow", [], { credit: 1, timeoutMs: 20 });
    await caller.atLeast(1);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(caller.frames).toHaveLength(1);
    caller.control!.credit(1);
    await vi.advanceTimersByTimeAsync(20);
    expect((await caller.atLeast(2))[1]).toEqual(["error", expect.objectContaining({ code: "timeout" })]);
  });
});

describe("concurrency", () => {
  /** A service whose calls the test ends one by one. */
  function gates(): {
    readonly service: { work(name: string): Promise<string> };
    readonly begun: string[];
    end(name: string): void;
  } {
    const ends = new Map<string, () => void>();
    const begun: string[] = [];
    return {
      begun,
      service: {
        work: (name) => {
          begun.push(name);
          return new Promise((resolve) => ends.set(name, () => resolve(name)));
        },
      },
      end: (name) => ends.get(name)!(),
    };
  }

  it("1 runs calls one after another, in order", async () => {
    const { service, begun, end } = gates();
    await started(service, { concurrency: 1 });
    const callers = ["a", "b", "c"].map((name) => new Caller(near, "work", [name]));
    for (const [i, name] of ["a", "b", "c"].entries()) {
      await vi.waitFor(() => expect(begun).toHaveLength(i + 1));
      end(name);
      expect(await callers[i]!.atLeast(1)).toEqual([["value", name]]);
    }
    expect(begun).toEqual(["a", "b", "c"]);
  });

  it("drops calls that were given up or whose time is over before they start", async () => {
    const { service, begun, end } = gates();
    await started(service, { concurrency: 1 });
    const first = new Caller(near, "work", ["a"]);
    const left = new Caller(near, "work", ["left"]);
    const late = new Caller(near, "work", ["late"], { timeoutMs: 0 });
    const last = new Caller(near, "work", ["b"]);
    left.control!.cancel();
    end("a");
    await first.atLeast(1);
    await vi.waitFor(() => expect(begun).toEqual(["a", "b"]));
    end("b");
    await last.atLeast(1);
    expect(left.frames).toEqual([]);
    expect(await late.atLeast(1)).toEqual([["error", expect.objectContaining({ code: "timeout" })]]);
  });

  it("holds at most 10 000 waiting calls", async () => {
    const { service, end } = gates();
    await started(service, { concurrency: 1 });
    const first = new Caller(near, "work", ["a"]);
    const waiting = Array.from({ length: 10_000 }, () => new Caller(near, "work", ["b"]));
    const surplus = new Caller(near, "work", ["c"]);
    expect(await surplus.atLeast(1)).toEqual([["error", expect.objectContaining({ code: "overflow", refused: true })]]);
    for (const caller of waiting) caller.control!.cancel();
    end("a");
    await first.atLeast(1);
  });
});

describe("the end of a server", () => {
  it("stops the intake, hands back what waits, and lets running calls finish", async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const server = await started({ work: () => promise }, { concurrency: 1 });
    const running = new Caller(near, "work", []);
    const waiting = new Caller(near, "work", []);
    const disposed = server[Symbol.asyncDispose]();
    expect(server[Symbol.asyncDispose]()).toBe(disposed);
    expect(waiting.refused).toBe(1);
    const late = new Caller(near, "work", []);
    expect(late.refused).toBe(1);
    expect(near.closed).toBe(1);
    expect(near.tracked.size).toBe(1);
    resolve("done");
    expect(await running.atLeast(1)).toEqual([["value", "done"]]);
    await disposed;
    expect(near.tracked.size).toBe(0);
    expect(server.handled).toBe(1);
    expect([...waiting.frames, ...late.frames]).toEqual([]);
  });

  it("that cannot wait tells callers that the outcome is unknown, and methods to stop", async () => {
    let signal: AbortSignal | undefined;
    await started({
      stuck: () => {
        signal = callContext()!.signal;
        return new Promise(() => undefined);
      },
    });
    const caller = new Caller(near, "stuck", []);
    const [work] = near.tracked;
    const drained = work!.drain();
    work!.abandon();
    await drained;
    expect(await caller.atLeast(1)).toEqual([
      ["error", expect.objectContaining({ code: "indefinite", refused: true })],
    ]);
    expect(signal!.aborted).toBe(true);
    expect(near.closed).toBeGreaterThan(0);
  });
});
