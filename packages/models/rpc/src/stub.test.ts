/**
 * The caller's side, against a server that sends exactly the frames that a test tells it to. Over 500 lines, so that this
 * server stands here once for everything that may come.
 */
import {
  Bodies,
  BusError,
  bytes,
  type CallRequest,
  type Client,
  type Context,
  type Drainable,
  type Driver,
  json,
  type ReplyFrame,
  type ReplySink,
} from "@quadrant/contract";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { client } from "./stub.ts";

interface Sent {
  readonly request: CallRequest;
  readonly sink: ReplySink;
  readonly credits: number[];
  cancelled: number;
}

interface Far {
  readonly context: Context;
  readonly sent: Sent[];
  readonly tracked: Set<Drainable>;
  open: boolean;
  /** Runs inside `call`, before it returns. */
  onCall: ((sent: Sent) => void) | undefined;
}

function farSide(codec = json): Far {
  const far: Far = {
    sent: [],
    tracked: new Set(),
    open: true,
    onCall: undefined,
    context: {
      driver: {
        name: "memory",
        calls: {
          call: (request: CallRequest, sink: ReplySink) => {
            const sent: Sent = { request, sink, credits: [], cancelled: 0 };
            far.sent.push(sent);
            far.onCall?.(sent);
            return {
              credit: (items: number) => void sent.credits.push(items),
              cancel: () => {
                sent.cancelled++;
              },
            };
          },
          serve: () => Promise.reject(new Error("not served here")),
          services: () => Promise.resolve([]),
        },
      } as unknown as Driver,
      bodies: new Bodies(codec, [json, bytes], 1_000),
      requestTimeoutMs: 5_000,
      assertOpen: () => {
        if (!far.open) throw new BusError("closed", "closed");
      },
      assertIntake: () => undefined,
      track: (work) => {
        far.tracked.add(work);
        return () => void far.tracked.delete(work);
      },
      report: () => undefined,
    },
  };
  return far;
}

interface Calc {
  add(a: number, b: number): number;
  count(to: number): AsyncIterable<number>;
  [method: string]: (...args: never[]) => unknown;
}

function frame(kind: ReplyFrame["kind"], value?: unknown): ReplyFrame {
  if (value === undefined) return { kind, contentType: "", body: new Uint8Array(0) };
  return { kind, contentType: json.contentType, body: json.encode(value) };
}

let far: Far;
let calc: Client<Calc>;
beforeEach(() => {
  far = farSide();
  calc = client<Calc>(far.context, "calc");
});

describe("a call", () => {
  it("is sent at once, with its arguments as an array, and its value awaited", async () => {
    const sum = calc.add(1, 2);
    const { request, sink } = far.sent[0]!;
    expect(request).toMatchObject({
      address: "calc",
      method: "add",
      timeoutMs: 5_000,
      contentType: "application/json",
    });
    expect(json.decode(request.body)).toEqual([1, 2]);
    expect(request.credit).toBeGreaterThan(0);
    sink.reply(frame("value", 3));
    expect(await sum).toBe(3);
    expect(await sum).toBe(3);
    expect(far.tracked.size).toBe(0);
  });

  it("may return undefined, and leaves trailing undefined arguments out", async () => {
    const result = calc.add(1, undefined as never);
    expect(json.decode(far.sent[0]!.request.body)).toEqual([1]);
    far.sent[0]!.sink.reply(frame("value"));
    expect(await result).toBeUndefined();
  });

  it("gets its frames even before the call to the driver returned", async () => {
    far.onCall = ({ sink }) => sink.reply(frame("value", 3));
    expect(await calc.add(1, 2)).toBe(3);
    far.onCall = ({ sink }) => sink.fail(new BusError("no-responder", "nobody"));
    await expect(calc.add(1, 2)).rejects.toMatchObject({ code: "no-responder" });
    expect(far.tracked.size).toBe(0);
  });

  it("rejects with what the method threw", async () => {
    const sum = calc.add(1, 2);
    far.sent[0]!.sink.reply(frame("error", { name: "TypeError", message: "not a number", code: "E_NAN" }));
    await expect(sum).rejects.toMatchObject({
      code: "remote",
      message: "calc.add threw TypeError: not a number",
      remote: { name: "TypeError", message: "not a number", code: "E_NAN" },
    });
  });

  it("rejects with a refusal's own code, and with remote for whatever an error frame may hold", async () => {
    const codes = [
      { name: "BusError", message: "no such method", code: "invalid", refused: true },
      { name: "BusError", message: "mine", code: "invalid" },
      { message: 5, code: "closed", refused: true },
      null,
    ].map((body) => {
      const sum = calc.add(1, 2);
      far.sent.at(-1)!.sink.reply(frame("error", body));
      return Promise.resolve(sum).catch((error: BusError) => error.code);
    });
    const broken = calc.add(1, 2);
    far.sent.at(-1)!.sink.reply({ kind: "error", contentType: "x", body: Uint8Array.of(0xff) });
    await expect(broken).rejects.toMatchObject({ code: "remote" });
    expect(await Promise.all(codes)).toEqual(["invalid", "remote", "remote", "remote"]);
  });

  it("rejects with codec what cannot be encoded, unsent, or decoded", async () => {
    await expect(calc.add(1n as never, 2)).rejects.toMatchObject({ code: "codec" });
    await expect(calc.add("x".repeat(1_000) as never, 2)).rejects.toMatchObject({ code: "too-large" });
    expect(far.sent).toEqual([]);
    const sum = calc.add(1, 2);
    far.sent[0]!.sink.reply({ kind: "value", contentType: "application/json", body: Uint8Array.of(0x7b) });
    await expect(sum).rejects.toMatchObject({ code: "codec" });
  });

  it("whose method has an impossible name is invalid, unsent", async () => {
    await expect(calc[""]!()).rejects.toMatchObject({ code: "invalid" });
    await expect(calc["a b"]!()).rejects.toMatchObject({ code: "invalid" });
    await expect(calc["x".repeat(256)]!()).rejects.toMatchObject({ code: "invalid" });
    expect(far.sent).toEqual([]);
  });

  it("after the end is closed, unsent", async () => {
    far.open = false;
    await expect(calc.add(1, 2)).rejects.toMatchObject({ code: "closed" });
    expect(far.sent).toEqual([]);
  });

  it("more than a connection may have unanswered is overflow, until some are answered", async () => {
    const calls = Array.from({ length: 65_536 }, () => calc.add(1, 2));
    await expect(calc.add(1, 2)).rejects.toMatchObject({ code: "overflow", retryable: true });
    expect(far.sent).toHaveLength(65_536);
    for (const { sink } of far.sent) sink.reply(frame("value", 3));
    await Promise.all(calls);
    far.onCall = ({ sink }) => sink.reply(frame("value", 4));
    expect(await calc.add(1, 2)).toBe(4);
  });

  it("that nobody looks at leaves no unhandled rejection", async () => {
    const unhandled = vi.fn();
    process.on("unhandledRejection", unhandled);
    try {
      calc.add(1, 2);
      far.sent[0]!.sink.reply(frame("error", { name: "Error", message: "x" }));
      far.open = false;
      calc.add(1, 2);
      await new Promise((resolve) => setImmediate(resolve));
      await new Promise((resolve) => setImmediate(resolve));
      expect(unhandled).not.toHaveBeenCalled();
    } finally {
      process.off("unhandledRejection", unhandled);
    }
  });

  it("answers like a promise", async () => {
    const sum = calc.add(1, 2);
    far.sent[0]!.sink.reply(frame("value", 3));
    const seen = vi.fn();
    expect(await sum.then((value) => value + 1)).toBe(4);
    expect(await sum.finally(seen)).toBe(3);
    expect(seen).toHaveBeenCalledOnce();
    const bad = calc.add(1, 2);
    far.sent[1]!.sink.reply(frame("error", { name: "Error", message: "x" }));
    expect(await bad.catch((error: BusError) => error.code)).toBe("remote");
    expect(await Promise.allSettled([sum, bad])).toMatchObject([{ status: "fulfilled" }, { status: "rejected" }]);
  });

  it("over the bytes codec carries one Uint8Array, or none", async () => {
    far = farSide(bytes);
    const echo = client<Calc>(far.context, "calc");
    const back = echo.echo!(Uint8Array.of(1, 2) as never) as Promise<Uint8Array>;
    expect(far.sent[0]!.request).toMatchObject({ contentType: bytes.contentType, body: Uint8Array.of(1, 2) });
    far.sent[0]!.sink.reply({ kind: "value", contentType: bytes.contentType, body: Uint8Array.of(3) });
    expect(await back).toEqual(Uint8Array.of(3));
    void echo.ping!();
    expect(far.sent[1]!.request.body).toHaveLength(0);
    await expect(echo.echo!(...([Uint8Array.of(1), Uint8Array.of(2)] as never[]))).rejects.toMatchObject({
      code: "codec",
    });
  });
});

describe("giving up", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("a deadline ends the call with timeout, tells the server, and drops late frames", async () => {
    const sum = calc.$with({ timeoutMs: 100 }).add(1, 2);
    const outcome = Promise.resolve(sum).catch((error: BusError) => error.code);
    await vi.advanceTimersByTimeAsync(100);
    expect(await outcome).toBe("timeout");
    expect(far.sent[0]!.cancelled).toBe(1);
    far.sent[0]!.sink.reply(frame("value", 3));
    await expect(sum).rejects.toMatchObject({ code: "timeout" });
    expect(vi.getTimerCount()).toBe(0);
    expect(far.tracked.size).toBe(0);
  });

  it("an answer leaves no timer", async () => {
    const sum = calc.add(1, 2);
    far.sent[0]!.sink.reply(frame("value", 3));
    expect(await sum).toBe(3);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("a signal ends the call at once and tells the server; one aborted before sends nothing", async () => {
    const controller = new AbortController();
    const sum = calc.$with({ signal: controller.signal }).add(1, 2);
    const outcome = Promise.resolve(sum).catch((error: BusError) => error);
    controller.abort(new Error("enough"));
    expect(await outcome).toMatchObject({ code: "aborted", cause: new Error("enough") });
    expect(far.sent[0]!.cancelled).toBe(1);
    await expect(calc.$with({ signal: controller.signal }).add(1, 2)).rejects.toMatchObject({ code: "aborted" });
    expect(far.sent).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("a stream's deadline is for each item that is waited for, not while its consumer thinks", async () => {
    const iterator = calc.$with({ timeoutMs: 100 }).count(9)[Symbol.asyncIterator]();
    const { sink } = far.sent[0]!;
    for (let i = 0; i < 5; i++) {
      const next = iterator.next();
      await vi.advanceTimersByTimeAsync(90);
      sink.reply(frame("item", i));
      expect((await next).value).toBe(i);
      await vi.advanceTimersByTimeAsync(500);
    }
    const last = iterator.next().catch((error: BusError) => error.code);
    await vi.advanceTimersByTimeAsync(100);
    expect(await last).toBe("timeout");
    expect(far.sent[0]!.cancelled).toBe(1);
    expect((await iterator.next()).done).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("a stream that nobody iterates is cancelled when its time is over, and keeps what had come", async () => {
    const items = calc.$with({ timeoutMs: 100 }).count(9);
    const { sink } = far.sent[0]!;
    await vi.advanceTimersByTimeAsync(90);
    sink.reply(frame("item", 0));
    await vi.advanceTimersByTimeAsync(90);
    expect(far.sent[0]!.cancelled).toBe(0);
    await vi.advanceTimersByTimeAsync(10);
    expect(far.sent[0]!.cancelled).toBe(1);
    const iterator = items[Symbol.asyncIterator]();
    expect((await iterator.next()).value).toBe(0);
    await expect(iterator.next()).rejects.toMatchObject({ code: "timeout" });
  });
});

describe("a stream", () => {
  it("yields what came before the loop and after, then ends", async () => {
    const items = calc.count(3);
    const { sink } = far.sent[0]!;
    sink.reply(frame("item", 0));
    const seen: number[] = [];
    for await (const item of items) {
      seen.push(item);
      if (item === 0) sink.reply(frame("item", 1));
      else if (item === 1) sink.reply(frame("end"));
    }
    expect(seen).toEqual([0, 1]);
    expect(far.tracked.size).toBe(0);
    expect(far.sent[0]!.cancelled).toBe(0);
  });

  it("may yield undefined, and serves several who wait in order", async () => {
    const iterator = calc.count(3)[Symbol.asyncIterator]();
    const results = [iterator.next(), iterator.next(), iterator.next(), iterator.next()];
    const { sink } = far.sent[0]!;
    sink.reply(frame("item", 1));
    sink.reply(frame("item"));
    sink.reply(frame("end"));
    expect(await Promise.all(results)).toEqual([
      { value: 1, done: false },
      { value: undefined, done: false },
      { value: undefined, done: true },
      { value: undefined, done: true },
    ]);
  });

  it("grants credit in halves of the window, as items are taken", async () => {
    const iterator = calc.count(99)[Symbol.asyncIterator]();
    const { sink, request, credits } = far.sent[0]!;
    for (let i = 0; i < request.credit; i++) sink.reply(frame("item", i));
    expect(credits).toEqual([]);
    for (let i = 0; i < request.credit / 2 - 1; i++) await iterator.next();
    expect(credits).toEqual([]);
    await iterator.next();
    expect(credits).toEqual([request.credit / 2]);
    for (let i = 0; i < request.credit / 2; i++) await iterator.next();
    expect(credits).toEqual([request.credit / 2, request.credit / 2]);
  });

  it("that sends more than it was granted is cancelled with overflow", async () => {
    const iterator = calc.count(99)[Symbol.asyncIterator]();
    const { sink, request } = far.sent[0]!;
    for (let i = 0; i <= request.credit; i++) sink.reply(frame("item", i));
    await expect(iterator.next()).rejects.toMatchObject({ code: "overflow" });
    expect(far.sent[0]!.cancelled).toBe(1);
  });

  it("that floods before the call even returned is cancelled too", async () => {
    far.onCall = ({ sink, request }) => {
      for (let i = 0; i <= request.credit; i++) sink.reply(frame("item", i));
    };
    const items = calc.count(99);
    expect(far.sent[0]!.cancelled).toBe(1);
    await expect(items[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: "overflow" });
  });

  it("throws the server's error after the items before it", async () => {
    const items = calc.count(3);
    const { sink } = far.sent[0]!;
    sink.reply(frame("item", 0));
    sink.reply(frame("item", 1));
    sink.reply(frame("error", { name: "Error", message: "boom" }));
    const seen: number[] = [];
    await expect(
      (async () => {
        for await (const item of items) seen.push(item);
      })(),
    ).rejects.toMatchObject({ code: "remote", remote: { message: "boom" } });
    expect(seen).toEqual([0, 1]);
  });

  it("that is left is cancelled; late items are dropped", async () => {
    const items = calc.count(3);
    far.sent[0]!.sink.reply(frame("item", 0));
    for await (const item of items) {
      expect(item).toBe(0);
      break;
    }
    expect(far.sent[0]!.cancelled).toBe(1);
    far.sent[0]!.sink.reply(frame("item", 1));
    expect(() => items[Symbol.asyncIterator]()).toThrow(expect.objectContaining({ code: "invalid" }));
  });

  it("that is left while an item is awaited ends that wait", async () => {
    const iterator = calc.count(3)[Symbol.asyncIterator]();
    const next = iterator.next();
    await iterator.return?.();
    expect(await next).toEqual({ value: undefined, done: true });
    expect(far.sent[0]!.cancelled).toBe(1);
  });

  it("with an item that cannot be read ends with codec and is cancelled", async () => {
    const iterator = calc.count(3)[Symbol.asyncIterator]();
    far.sent[0]!.sink.reply({ kind: "item", contentType: "application/json", body: Uint8Array.of(0x7b) });
    await expect(iterator.next()).rejects.toMatchObject({ code: "codec" });
    expect(far.sent[0]!.cancelled).toBe(1);
    expect((await iterator.next()).done).toBe(true);
  });

  it("that is aborted throws at once, dropping what waits", async () => {
    const controller = new AbortController();
    const iterator = calc.$with({ signal: controller.signal }).count(3)[Symbol.asyncIterator]();
    far.sent[0]!.sink.reply(frame("item", 0));
    controller.abort();
    await expect(iterator.next()).rejects.toMatchObject({ code: "aborted" });
    expect((await iterator.next()).done).toBe(true);
  });

  it.each([["item"], ["end"]] as const)("that is awaited rejects with invalid at its first frame, %s", async (kind) => {
    const before = calc.count(3) as unknown as Promise<unknown>;
    far.sent[0]!.sink.reply(frame(kind, kind === "item" ? 1 : undefined));
    await expect(before).rejects.toMatchObject({ code: "invalid", message: expect.stringContaining("for await") });
    const after = calc.count(3) as unknown as Promise<unknown>;
    const outcome = Promise.resolve(after).catch((error: BusError) => error.code);
    await Promise.resolve();
    far.sent[1]!.sink.reply(frame(kind, kind === "item" ? 1 : undefined));
    expect(await outcome).toBe("invalid");
    if (kind === "item") expect(far.sent.map((sent) => sent.cancelled)).toEqual([1, 1]);
  });

  it("a value that is iterated throws invalid", async () => {
    const sum = calc.add(1, 2) as unknown as AsyncIterable<number>;
    far.sent[0]!.sink.reply(frame("value", 3));
    await expect(sum[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: "invalid",
      message: expect.stringContaining("await it"),
    });
  });
});

describe("a stub", () => {
  it("forwards neither promise methods, nor symbols, nor what every object has", async () => {
    const stub = calc as unknown as Record<string | symbol, unknown>;
    for (const name of ["then", "catch", "finally", "toJSON"]) expect(stub[name]).toBeUndefined();
    expect(stub[Symbol.iterator]).toBeUndefined();
    expect(stub.toString).toBe(Object.prototype.toString);
    expect(stub.constructor).toBe(Object);
    expect(`${stub}`).toBe("[object Object]");
    expect(JSON.stringify(stub)).toBe("{}");
    expect("add" in stub).toBe(false);
    const through = await (async (): Promise<Client<Calc>> => calc)();
    expect(through).toBe(calc);
    expect(() => {
      stub.add = 1;
    }).toThrow(TypeError);
    expect(far.sent).toEqual([]);
  });

  it("$with lays options over those there are", () => {
    const controller = new AbortController();
    const base = client<Calc>(far.context, "calc", { timeoutMs: 100, headers: { a: "1", b: "1" } });
    const derived = base.$with({ headers: { b: "2" }, signal: controller.signal, timeoutMs: undefined });
    void derived.add(1, 2);
    void base.add(1, 2);
    expect(far.sent.map(({ request }) => [request.timeoutMs, request.headers])).toEqual([
      [100, { a: "1", b: "2" }],
      [100, { a: "1", b: "1" }],
    ]);
  });

  it.each([
    ["", {}],
    ["a b", {}],
    ["a.*", {}],
    ["calc", { timeoutMs: -1 }],
    ["calc", { timeoutMs: Number.NaN }],
    ["calc", { headers: { "a:b": "1" } }],
    ["calc", { headers: { "quadrant-x": "1" } }],
    ["calc", { signal: 5 }],
    ["calc", null],
  ])("for %j with %j is invalid", (address, options) => {
    expect(() => client<Calc>(far.context, address, options as never)).toThrow(
      expect.objectContaining({ code: "invalid" }),
    );
  });
});

describe("draining", () => {
  it("waits for calls that are awaited, and gives up streams that nobody reads", async () => {
    const sum = calc.add(1, 2);
    const unread = calc.count(3);
    far.sent[1]!.sink.reply(frame("item", 0));
    const drained = Promise.all([...far.tracked].map((work) => work.drain()));
    expect(far.sent[1]!.cancelled).toBe(1);
    await expect(unread[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: "closed" });
    far.sent[0]!.sink.reply(frame("value", 3));
    await drained;
    expect(await sum).toBe(3);
  });

  it("that took too long abandons calls with closed", async () => {
    const sum = calc.add(1, 2);
    for (const work of far.tracked) work.abandon();
    await expect(sum).rejects.toMatchObject({ code: "closed" });
    expect(far.sent[0]!.cancelled).toBe(1);
  });
});
