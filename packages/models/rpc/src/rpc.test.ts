/** Both sides together, over a driver. */
import { type Bus, type BusError, callContext, connect, msgpack } from "@quadrant/bus";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

class Calc {
  #calls = 0;
  add(a: number, b: number): number {
    this.#calls++;
    return a + b;
  }
  async calls(): Promise<number> {
    return this.#calls;
  }
  divide(a: number, b: number): number {
    if (b === 0) throw Object.assign(new RangeError("division by zero"), { code: "E_ZERO" });
    return a / b;
  }
  async *count(to: number): AsyncGenerator<number> {
    for (let i = 0; i < to; i++) yield i;
  }
}

let bus: Bus;
let other: Bus;
let name = 0;
beforeEach(async () => {
  const url = `memory:rpc-${process.pid}-${name++}`;
  bus = await connect(url);
  other = await connect(url);
});
afterEach(async () => {
  await bus.close({ drainMs: 0 });
  await other.close({ drainMs: 0 });
});

async function codeOf(promise: PromiseLike<unknown>): Promise<string> {
  return Promise.resolve(promise).then(
    () => "resolved",
    (error: BusError) => error.code,
  );
}

describe("calls", () => {
  it("reach a served object's methods, and come back", async () => {
    await using server = await bus.serve("calc", new Calc());
    const calc = other.client<Calc>("calc");
    expect(await calc.add(1, 2)).toBe(3);
    expect(await Promise.all(Array.from({ length: 5_000 }, (_, i) => calc.add(i, i)))).toEqual(
      Array.from({ length: 5_000 }, (_, i) => 2 * i),
    );
    expect(await calc.calls()).toBe(5_001);
    expect(server.handled).toBeGreaterThanOrEqual(5_001);
    const seen: number[] = [];
    for await (const n of calc.count(100)) seen.push(n);
    expect(seen).toEqual(Array.from({ length: 100 }, (_, i) => i));
  });

  it("tell remote errors, missing methods and missing servers apart", async () => {
    const calc = other.client<Calc & { mul(a: number): number }>("calc");
    expect(await codeOf(calc.add(1, 2))).toBe("no-responder");
    await using _server = await bus.serve("calc", new Calc());
    await expect(calc.divide(1, 0)).rejects.toMatchObject({
      code: "remote",
      remote: { name: "RangeError", message: "division by zero", code: "E_ZERO" },
    });
    await expect(calc.mul(1)).rejects.toMatchObject({ code: "invalid", message: expect.stringContaining("divide") });
  });

  it("are shared by the servers of an address, and listed in the directory", async () => {
    const one = await bus.serve("calc", new Calc(), { version: "1" });
    const two = await other.serve("calc", new Calc());
    const calc = other.client<Calc>("calc");
    for (let i = 0; i < 10; i++) await calc.add(i, i);
    await vi.waitFor(() => expect([one.handled, two.handled]).toEqual([5, 5]));
    const listed = await bus.services();
    expect(listed.map((info) => info.instance).sort()).toEqual([one.instance, two.instance].sort());
    expect(listed.find((info) => info.instance === one.instance)).toMatchObject({
      address: "calc",
      version: "1",
      methods: ["add", "calls", "divide", "count"],
      handled: 5,
      failed: 0,
    });
    await one[Symbol.asyncDispose]();
    expect((await other.services()).map((info) => info.instance)).toEqual([two.instance]);
    expect(await calc.add(1, 1)).toBe(2);
    await two[Symbol.asyncDispose]();
    expect(await codeOf(calc.add(1, 1))).toBe("no-responder");
  });

  it("carry what the caller's codec carries", async () => {
    await using server = await bus.serve("echo", { echo: (value: unknown) => value });
    expect(server.address).toBe("echo");
    await using rich = await connect(bus.url, { codec: msgpack });
    // The answer is in the server's codec.
    expect(await rich.client<{ echo(value: unknown): unknown }>("echo").echo(new Date(0))).toBe(
      "1970-01-01T00:00:00.000Z",
    );
    await using richer = await rich.serve("rich", { echo: (value: unknown) => value });
    expect(richer.address).toBe("rich");
    const value = new Map([[1n, new Set([new Date(0)])]]);
    expect(await rich.client<{ echo(value: unknown): unknown }>("rich").echo(value)).toEqual(value);
  });

  it("carry the trace from call to call", async () => {
    const traceparent = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;
    const traces: unknown[] = [];
    await using _inner = await bus.serve("inner", { look: () => void traces.push(callContext()?.headers.traceparent) });
    await using _outer = await bus.serve("outer", {
      pass: () => bus.client<{ look(): void }>("inner").look(),
    });
    await other.client<{ pass(): void }>("outer", { headers: { traceparent } }).pass();
    expect(traces).toEqual([traceparent]);
  });
});

describe("giving up", () => {
  it("reaches the server: by signal, by deadline, by leaving the loop, by the caller's end", async () => {
    const ended: string[] = [];
    await using _server = await bus.serve("slow", {
      wait: (why: string) =>
        new Promise<void>((resolve) => {
          callContext()!.signal.addEventListener("abort", () => {
            ended.push(why);
            resolve();
          });
        }),
      async *stream(why: string) {
        try {
          for (let i = 0; ; i++) yield i;
        } finally {
          ended.push(why);
        }
      },
    });
    interface Slow {
      wait(why: string): Promise<void>;
      stream(why: string): AsyncIterable<number>;
    }
    const slow = other.client<Slow>("slow");
    const controller = new AbortController();
    const aborted = codeOf(slow.$with({ signal: controller.signal }).wait("aborted"));
    const timedOut = codeOf(slow.$with({ timeoutMs: 10 }).wait("timeout"));
    for await (const n of slow.stream("left")) if (n === 100) break;
    controller.abort();
    expect(await aborted).toBe("aborted");
    expect(await timedOut).toBe("timeout");
    await vi.waitFor(() => expect(ended.sort()).toEqual(["aborted", "left", "timeout"]));
    const closed = codeOf(slow.wait("closed"));
    await other.close({ drainMs: 0 });
    expect(await closed).toBe("closed");
    await vi.waitFor(() => expect(ended).toContain("closed"));
  });

  it("on the server's side tells the callers: finished where it could be, indefinite where not", async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    await bus.serve("work", { finish: () => promise, hang: () => new Promise(() => undefined) });
    const work = other.client<{ finish(): string; hang(): void }>("work");
    const finished = codeOf(work.finish());
    const hanging = codeOf(work.hang());
    await vi.waitFor(async () => expect((await other.services()).length).toBe(1));
    const closing = bus.close({ drainMs: 100 });
    resolve("done");
    expect(await finished).toBe("resolved");
    expect(await hanging).toBe("indefinite");
    await closing;
    expect(await codeOf(work.finish())).toBe("no-responder");
  });

  it("does not happen to a caller that drains", async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    await using _server = await bus.serve("work", { finish: () => promise });
    const answer = other.client<{ finish(): string }>("work").finish();
    const closing = other.close();
    resolve("done");
    expect(await answer).toBe("done");
    await closing;
  });
});

it("back-pressure reaches the generator", async () => {
  let produced = 0;
  await using _server = await bus.serve("flood", {
    async *numbers() {
      while (true) yield produced++;
    },
  });
  const numbers = other.client<{ numbers(): AsyncIterable<number> }>("flood").numbers()[Symbol.asyncIterator]();
  for (let i = 0; i < 50; i++) expect((await numbers.next()).value).toBe(i);
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
  expect(produced).toBeLessThanOrEqual(50 + 16);
  await numbers.return?.();
});
