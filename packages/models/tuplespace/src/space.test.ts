/** The model over a driver: values in, values out, and everything that ends a wait. */
import {
  any,
  type Bus,
  type BusError,
  between,
  connect,
  partial,
  type Template,
  type Tuple,
  type TupleSpace,
} from "@quadrant/bus";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

let bus: Bus;
let space: TupleSpace;
beforeEach(async () => {
  bus = await connect("memory:", { maxPayloadBytes: 10_000 });
  space = await bus.space("s");
});
afterEach(() => bus.close({ drainMs: 0 }));

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => "resolved",
    (error: BusError) => error.code,
  );
}

describe("opening", () => {
  it.each<[string, object]>([
    ["pick", { pick: "first" }],
    ["capacity", { capacity: 0 }],
    ["capacity", { capacity: 1.5 }],
    ["whenFull", { whenFull: "drop" }],
    ["maxScan", { maxScan: -1 }],
    ["history", { history: Number.NaN }],
  ])("with a bad %s is invalid: %j", async (_, options) => {
    expect(await codeOf(bus.space("x", options))).toBe("invalid");
    expect(await bus.list("space")).toEqual(["s"]);
  });

  it("by a bad name is invalid, by other options a conflict, by the same none", async () => {
    for (const name of ["", "a.b", "a b", "*", "$x"]) expect(await codeOf(bus.space(name))).toBe("invalid");
    await bus.space("bounded", { capacity: 5 });
    expect(await codeOf(bus.space("bounded", { capacity: 6 }))).toBe("conflict");
    await bus.space("bounded", { capacity: 5, pick: undefined });
    await bus.space("bounded");
  });
});

describe("tuples", () => {
  it("come back as equal copies, of every kind", async () => {
    const tuple = ["t", 1, -1.5, Number.NaN, 7n, true, null, Uint8Array.of(1, 2), [["x"]], { a: { b: 1 } }] as const;
    await space.out(tuple);
    const read = await space.rd(["t", any, any, any, any, any, any, any, any, any]);
    expect(read).toEqual(tuple);
    (read[8] as unknown as string[][])[0]![0] = "changed";
    (read[7] as Uint8Array)[0] = 9;
    expect(await space.in(["t", Number, Number, Number, BigInt, Boolean, null, Uint8Array, Array, Object])).toEqual(
      tuple,
    );
  });

  it("are not touched by what becomes of the original", async () => {
    const original = { kind: "job", list: [1] };
    await space.out(original);
    original.list.push(2);
    expect(await space.in(partial({ kind: "job" }))).toEqual({ kind: "job", list: [1] });
  });

  it("that are none are refused, nothing put out", async () => {
    const bad: readonly [unknown, string][] = [
      ["text", "invalid"],
      [null, "invalid"],
      [new Uint8Array(1), "invalid"],
      [[any], "invalid"],
      [[String], "invalid"],
      [[between(1, 2)], "invalid"],
      [[undefined], "codec"],
      [[() => 1], "codec"],
      [[new Date()], "codec"],
      [["\ud800"], "codec"],
      [["x".repeat(10_001)], "too-large"],
      [["ü".repeat(6_000)], "too-large"],
    ];
    for (const [i, [tuple, code]] of bad.entries()) {
      expect(await codeOf(space.out(tuple as Tuple)), `tuple ${i}`).toBe(code);
      expect(await codeOf(space.outMany([["fine"], tuple as Tuple])), `tuple ${i}`).toBe(code);
    }
    expect(await space.count([any])).toBe(0);
  });

  it("are asked for by templates that are bounded as they are", async () => {
    const long = "x".repeat(10_001);
    const large: readonly Template[] = [
      [long],
      ["ü".repeat(6_000)],
      { [long]: any },
      partial({ a: long }),
      new Array(4_000).fill(any),
    ];
    for (const [i, template] of large.entries()) {
      for (const ask of [space.in(template), space.rd(template), space.inp(template), space.rdp(template)]) {
        expect(await codeOf(ask), `template ${i}`).toBe("too-large");
      }
      expect(await codeOf(space.count(template)), `template ${i}`).toBe("too-large");
    }
    expect(await space.inp(["x".repeat(9_000)])).toBeUndefined();
  });

  it("in many: all or none, some, every one, counted", async () => {
    await space.outMany(Array.from({ length: 10 }, (_, i) => ["n", i]));
    await space.outMany([]);
    expect(await space.count(["n", Number])).toBe(10);
    expect(await space.inMany(["n", between(2, 9)], { max: 3 })).toEqual([
      ["n", 2],
      ["n", 3],
      ["n", 4],
    ]);
    expect(await space.rdAll(["n", between(0, 6)])).toEqual([
      ["n", 0],
      ["n", 1],
      ["n", 5],
      ["n", 6],
    ]);
    expect(await space.inp(["n", 99])).toBeUndefined();
    expect(await space.rdp(["n", 9])).toEqual(["n", 9]);
    expect(await space.inp(["n", 9])).toEqual(["n", 9]);
    expect(await codeOf(space.inMany(["n", any], {} as never))).toBe("invalid");
    expect(await codeOf(space.inMany(["n", any], { max: 0 }))).toBe("invalid");
    expect(await codeOf(space.outMany("x" as never))).toBe("invalid");
  });
});

describe("waiting", () => {
  it("is ended by a match, a timeout, a signal, or the end of the bus", async () => {
    const controller = new AbortController();
    const matched = space.in(["m"]);
    const timedOut = codeOf(space.rd(["t"], { timeoutMs: 5 }));
    const aborted = codeOf(space.in(["a"], { signal: controller.signal }));
    const closed = [space.in(["c"]), space.rd(["c"]), space.claim(["c"])].map(codeOf);
    const withSignal = codeOf(space.in(["c"], { signal: new AbortController().signal, timeoutMs: 60_000 }));
    await space.out(["m"]);
    expect(await matched).toEqual(["m"]);
    expect(await timedOut).toBe("timeout");
    controller.abort();
    expect(await aborted).toBe("aborted");
    await bus.close();
    expect(await Promise.all([...closed, withSignal])).toEqual(["closed", "closed", "closed", "closed"]);
    expect(await codeOf(space.in(["c"]))).toBe("closed");
    expect(await codeOf(space.out(["c"]))).toBe("closed");
    expect(await codeOf(space.inp(["c"]))).toBe("closed");
    expect(await codeOf(space.inAll([["c"]]))).toBe("closed");
  });

  it("ends as soon as the bus begins to close, while work in flight goes on to put out", async () => {
    const { promise, resolve } = Promise.withResolvers<Tuple>();
    const other = await connect("memory:drain-of-spaces");
    const shared = await other.space("s");
    const keeper = await connect("memory:drain-of-spaces");
    const { done } = await shared.eval(() => promise);
    const waiting = codeOf(shared.in(["never"]));
    const closing = other.close();
    expect(await waiting).toBe("closed");
    await keeper.space("s");
    resolve(["result"]);
    expect(await done).toEqual(["result"]);
    await closing;
    expect(await (await keeper.space("s")).inp(["result"])).toEqual(["result"]);
    await keeper.close();
  });

  it("with timeoutMs 0 looks once; with an aborted signal not at all", async () => {
    expect(await codeOf(space.in(["x"], { timeoutMs: 0 }))).toBe("timeout");
    await space.out(["x"]);
    expect(await codeOf(space.in(["x"], { signal: AbortSignal.abort() }))).toBe("aborted");
    expect(await space.in(["x"], { timeoutMs: 0 })).toEqual(["x"]);
  });

  it("by many at once all ends", async () => {
    const waits = Array.from({ length: 500 }, (_, i) => space.in(["many", i]));
    for (let i = 0; i < 250; i++) await space.out(["many", i]);
    expect(await Promise.all(waits.slice(0, 250))).toHaveLength(250);
    const rest = waits.slice(250).map(codeOf);
    await bus.close();
    expect(new Set(await Promise.all(rest))).toEqual(new Set(["closed"]));
  });

  it.each([[{ timeoutMs: -1 }], [{ timeoutMs: Number.NaN }], [{ signal: 5 }], [5], [null]])(
    "with %j is invalid",
    async (options) => {
      for (const wait of [
        space.in(["x"], options as never),
        space.rd(["x"], options as never),
        space.claim(["x"], options as never),
        space.out(["x"], options as never),
      ]) {
        expect(await codeOf(wait)).toBe("invalid");
      }
      expect(await space.count(["x"])).toBe(0);
    },
  );

  it("for what is no template is refused at once", async () => {
    for (const template of ["x", null, between(1, 2), [() => 1], [undefined]]) {
      expect(["invalid", "codec"]).toContain(await codeOf(space.in(template as never)));
    }
  });

  it("for room in a full space is ended by room, a timeout or a signal", async () => {
    const full = await bus.space("full", { capacity: 1 });
    await full.out([1]);
    const controller = new AbortController();
    const waiting = full.out([2]);
    expect(await codeOf(full.out([3], { timeoutMs: 5 }))).toBe("timeout");
    const aborted = codeOf(full.out([4], { signal: controller.signal }));
    controller.abort();
    expect(await aborted).toBe("aborted");
    expect(await full.in([1])).toEqual([1]);
    await waiting;
    expect(await full.rdAll([Number])).toEqual([[2]]);
    const rejecting = await bus.space("rejecting", { capacity: 1, whenFull: "reject" });
    await rejecting.out([1]);
    expect(await codeOf(rejecting.out([2]))).toBe("overflow");
  });
});

describe("leases", () => {
  it("end, are renewed and cancelled", async () => {
    const lease = await space.out(["l"], { leaseMs: 60_000 });
    expect(lease.expiresInMs).toBeLessThanOrEqual(60_000);
    await lease.renew(120_000);
    expect(lease.expiresInMs).toBeGreaterThan(60_000);
    await lease.cancel();
    expect(await space.rdp(["l"])).toBeUndefined();
    expect(await codeOf(lease.renew(1))).toBe("stale");
    await lease.cancel();
    expect((await space.out(["for ever"], { leaseMs: Number.POSITIVE_INFINITY })).expiresInMs).toBe(
      Number.POSITIVE_INFINITY,
    );
    await space.out(["short"], { leaseMs: 1 });
    await vi.waitFor(async () => expect(await space.count(["short"])).toBe(0));
  });

  it("of a tuple that nobody keeps are over from the start", async () => {
    const waiting = space.in(["w"]);
    const taken = await space.out(["w"], { leaseMs: 60_000 });
    await waiting;
    const pulse = await space.out(["p"], { leaseMs: 0 });
    for (const lease of [taken, pulse]) {
      expect(await codeOf(lease.renew(60_000))).toBe("stale");
      await lease.cancel();
    }
    expect(pulse.expiresInMs).toBe(0);
    expect(await space.count(["p"])).toBe(0);
  });

  it.each([[-1], [Number.NaN], ["5"]])("of %s are invalid", async (leaseMs) => {
    expect(await codeOf(space.out(["x"], { leaseMs: leaseMs as number }))).toBe("invalid");
    expect(await codeOf(space.outMany([["x"]], { leaseMs: leaseMs as number }))).toBe("invalid");
    expect(await codeOf(space.claim(["x"], { leaseMs: leaseMs as number, timeoutMs: 0 }))).toBe("invalid");
    expect(await space.count(["x"])).toBe(0);
  });
});

describe("claims", () => {
  it("hide the tuple, then remove it or put it back in its place", async () => {
    await space.outMany([
      ["c", 1],
      ["c", 2],
    ]);
    const first = await space.claim(["c", Number]);
    expect(first.tuple).toEqual(["c", 1]);
    expect(await space.rdAll(["c", Number])).toEqual([["c", 2]]);
    await first.nak();
    expect(await space.rdp(["c", Number])).toEqual(["c", 1]);
    {
      await using again = await space.claim(["c", 1]);
      expect(again.signal.aborted).toBe(false);
    }
    const last = await space.claim(["c", Number], { leaseMs: 60_000 });
    await last.ack();
    expect(await space.rdAll(["c", Number])).toEqual([["c", 2]]);
  });

  it("come back when their lease ends, and are stale then", async () => {
    await space.out(["c"]);
    const held = await space.claim(["c"], { leaseMs: 5 });
    expect(await space.in(["c"])).toEqual(["c"]);
    await expect(held.ack()).rejects.toMatchObject({ code: "stale" });
    await vi.waitFor(() => expect(held.signal.aborted).toBe(true));
  });

  it("are given back by a close that cannot wait for them", async () => {
    const other = await connect("memory:claims-of-the-closed");
    const keeper = await connect("memory:claims-of-the-closed");
    await (await keeper.space("s")).out(["c"]);
    const held = await (await other.space("s")).claim(["c"]);
    await other.close({ drainMs: 0 });
    expect(held.signal.aborted).toBe(true);
    expect(await codeOf(held.ack())).toBe("closed");
    await held[Symbol.asyncDispose]();
    expect(await (await keeper.space("s")).in(["c"])).toEqual(["c"]);
    await keeper.close();
  });
});

describe("active tuples", () => {
  it("become what their function returns, now or later", async () => {
    const { done } = await space.eval(async () => ["square", 49]);
    expect(await space.in(["square", Number])).toEqual(["square", 49]);
    expect(await done).toEqual(["square", 49]);
    expect(await (await space.eval(() => ({ a: 1 }))).done).toEqual({ a: 1 });
  });

  it("become an error tuple when it throws, or returns what is none", async () => {
    const failing = await space.eval(() => {
      throw new RangeError("too far");
    });
    expect(await failing.done).toEqual(["eval-error", "RangeError", "too far"]);
    expect(await space.in(["eval-error", "RangeError", String])).toEqual(["eval-error", "RangeError", "too far"]);
    expect(await (await space.eval(() => "x" as never)).done).toMatchObject([
      "eval-error",
      "BusError",
      expect.stringContaining("array"),
    ]);
    expect(await (await space.eval(() => Promise.reject("plain"))).done).toEqual(["eval-error", "Error", "plain"]);
    const large = await (await space.eval(() => ["x".repeat(20_000)])).done;
    expect(large).toMatchObject(["eval-error", "BusError", expect.stringContaining("20")]);
    expect(await codeOf(space.eval(5 as never))).toBe("invalid");
  });

  it("are told when the bus cannot wait for them", async () => {
    let signal: AbortSignal | undefined;
    const { done } = await space.eval((given) => {
      signal = given;
      return new Promise(() => undefined);
    });
    const outcome = codeOf(done);
    await bus.close({ drainMs: 0 });
    expect(await outcome).toBe("closed");
    expect(signal!.aborted).toBe(true);
  });
});

it("what is not in this release says so", async () => {
  expect(await codeOf(space.transaction())).toBe("unsupported");
});

it("a destroyed space is gone for all who use it", async () => {
  await space.out(["x"]);
  const waiting = codeOf(space.in(["y"]));
  await space.destroy();
  expect(await bus.list("space")).toEqual([]);
  expect(await waiting).toBe("conflict");
  expect(await (await bus.space("s")).count(["x"])).toBe(0);
});
