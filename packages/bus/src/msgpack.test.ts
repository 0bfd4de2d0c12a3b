import { BusError, json } from "@quadrant/contract";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { msgpack } from "./msgpack.ts";

function roundTrip(value: unknown): unknown {
  return msgpack.decode(msgpack.encode(value));
}

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return error instanceof BusError ? error.code : `not a BusError: ${String(error)}`;
  }
  return "nothing thrown";
}

function nested(levels: number): unknown {
  let value: unknown = [];
  for (let i = 1; i < levels; i++) value = [value];
  return value;
}

class Point {
  x = 1;
}

describe("msgpack carries", () => {
  it.each([
    ["a date", new Date(1_234_567_890_123)],
    ["a date before 1970", new Date(-1_234_567_890_123)],
    ["the latest date", new Date(8.64e15)],
    ["the earliest date", new Date(-8.64e15)],
    ["an int64", -(2n ** 63n)],
    ["a uint64", 2n ** 64n - 1n],
    ["a bigint of 200 bits", -(3n ** 126n)],
    ["a small bigint", 1n],
    ["binary", new Uint8Array([0, 255, 7])],
    ["empty binary", new Uint8Array()],
    [
      "a Map",
      new Map<unknown, unknown>([
        ["a", 1],
        [2, new Map([[null, []]])],
      ]),
    ],
    ["a Set", new Set([1, "1", new Set()])],
    ["undefined", undefined],
    ["undefined inside", { a: undefined, b: [undefined] }],
    ["NaN", Number.NaN],
    ["-0", -0],
    ["-0 inside", { a: [-0, new Map([[1, -0]])] }],
    ["infinity", Number.NEGATIVE_INFINITY],
    ["awkward keys", { constructor: 1, hasOwnProperty: 2, toJSON: 3, "": 4, prototype: 5 }],
    ["many keys", Object.fromEntries(Array.from({ length: 70_000 }, (_, i) => [`k${i}`, i]))],
    ["64 levels", nested(64)],
    ["a long text", "ü€😀".repeat(30_000)],
  ])("%s", (_, value) => {
    const back = roundTrip(value);
    expect(back).toStrictEqual(value);
  });

  it("a record without prototype, as one with", () => {
    expect(roundTrip(Object.assign(Object.create(null), { a: 1 }))).toStrictEqual({ a: 1 });
  });

  it("an invalid date as one", () => {
    expect(roundTrip(new Date(Number.NaN))).toStrictEqual(new Date(Number.NaN));
  });

  it("binary as a plain copy, whether it was a Buffer or is one", () => {
    const bytes = msgpack.encode(Buffer.from([1, 2, 3]));
    const back = msgpack.decode(Buffer.from(bytes)) as Uint8Array;
    expect(back.constructor).toBe(Uint8Array);
    bytes.fill(0);
    expect([...back]).toEqual([1, 2, 3]);
  });

  it("whatever fast-check thinks of, unchanged and leaving the original alone", () => {
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      key: fc.string({ unit: "binary" }).filter((key) => key !== "__proto__" && key.isWellFormed()),
      values: [
        fc.string({ unit: "binary" }).filter((text) => text.isWellFormed()),
        fc.double(),
        fc.integer(),
        fc.boolean(),
        fc.constantFrom(null, undefined, -0),
        fc.bigInt(),
        fc.uint8Array(),
      ],
    });
    fc.assert(
      fc.property(anything, (value) => {
        expect(roundTrip(value)).toStrictEqual(value);
      }),
      { numRuns: 500 },
    );
  });
});

describe("msgpack refuses with codec", () => {
  const cycle: unknown[] = [];
  cycle.push(cycle);
  const holes = [1, 2, 3];
  delete holes[1];
  it.each([
    ["a function", () => 1],
    ["a function inside", { f: () => 1 }],
    ["a symbol", Symbol("x")],
    ["a class instance", new Point()],
    ["an Error", new Error("x")],
    ["a RegExp", /x/],
    ["a Promise", Promise.resolve()],
    ["another typed array", new Float64Array(2)],
    ["an ArrayBuffer", new ArrayBuffer(2)],
    ["a symbol key", { [Symbol("x")]: 1 }],
    ["a __proto__ key", JSON.parse('{"__proto__": 1}')],
    ["holes", holes],
    ["a lone surrogate", "\ud800"],
    ["a lone surrogate in a key", { "\ud800": 1 }],
    ["a cycle", cycle],
    ["65 levels", nested(65)],
  ])("%s", (_, value) => {
    expect(codeOf(() => msgpack.encode(value))).toBe("codec");
  });

  it.each([
    ["no bytes", []],
    ["trailing bytes", [0xc0, 0xc0]],
    ["a text that ends early", [0xa5, 0x61]],
    ["an array of 4 G items", [0xdd, 0xff, 0xff, 0xff, 0xff]],
    ["a map of 4 G items", [0xdf, 0xff, 0xff, 0xff, 0xff]],
    ["binary of 4 GB", [0xc6, 0xff, 0xff, 0xff, 0xff]],
    ["0xc1", [0xc1]],
    ["a record definition", [0xd4, 0x72, 0x40, 0x91, 0xa1, 0x61, 0x01]],
    ["an Error extension", [0xd4, 0x65, 0x00, 0x92, 0xa1, 0x61, 0xa1, 0x62]],
    ["a RegExp extension", [0xd4, 0x78, 0x00, 0x92, 0xa1, 0x61, 0xa0]],
    ["a typed array", [0xc7, 0x02, 0x74, 0x01, 0x05]],
    ["a reference", [0xd6, 0x70, 0, 0, 0, 1]],
    ["bundled strings", [0xd6, 0x62, 0, 0, 0, 1]],
    ["a Set of msgpackr", [0xd4, 0x73, 0x00, 0x91, 0x05]],
    ["a tag of a number", [0xd4, 0x51, 0x00, 0x05]],
    ["a tag at the end", [0xd4, 0x51, 0x00]],
    ["a box of nothing known", [0xd4, 0x51, 0x00, 0x91, 0x05]],
    ["a Map without a value", [0xd4, 0x51, 0x00, 0x92, 0xa3, 0x6d, 0x61, 0x70, 0x01]],
    ["a number for a key", [0x81, 0x01, 0x02]],
    ["a __proto__ key", [0x81, 0xa9, ...Buffer.from("__proto__"), 0x80]],
    ["invalid UTF-8", [0xa2, 0xc3, 0x28]],
    ["65 levels", [...Array<number>(65).fill(0x91), 0xc0]],
    ["a million levels", [...Array<number>(1_000_000).fill(0x91), 0xc0]],
  ])("the bytes of %s", (_, bytes) => {
    const body = Uint8Array.from(bytes);
    expect(
      codeOf(() => {
        try {
          msgpack.decode(body);
        } catch (error) {
          throw error instanceof BusError ? error : new BusError("codec", String(error));
        }
      }),
    ).toBe("codec");
  });

  it("random bytes, or reads them, but never harms the prototype or the next value", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          msgpack.decode(bytes);
        } catch (error) {
          expect((error as BusError).code).toBe("codec");
        }
        expect(roundTrip({ a: [1, new Map([[1, 2]])] })).toStrictEqual({ a: [1, new Map([[1, 2]])] });
      }),
      { numRuns: 2_000 },
    );
    expect(Object.keys(Object.prototype)).toEqual([]);
  });
});

it("plain values are plain MessagePack", () => {
  expect([...msgpack.encode({ a: [1, "x", null, true] })]).toEqual([0x81, 0xa1, 0x61, 0x94, 1, 0xa1, 0x78, 0xc0, 0xc3]);
  expect(msgpack.contentType).toBe("application/msgpack");
  expect(json.contentType).not.toBe(msgpack.contentType);
});
