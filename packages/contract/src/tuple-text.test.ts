import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileTemplate } from "./compiled-template.ts";
import { encodeTemplate } from "./template-text.ts";
import { TextFields } from "./text-fields.ts";
import { any, between, type Field, oneOf, partial, prefix } from "./tuple.ts";
import { decodeField, decodeTuple, encodeField, encodeTuple } from "./tuple-text.ts";

const code = (name: string): unknown => expect.objectContaining({ code: name });

function matches(template: unknown, tuple: unknown): boolean {
  return compileTemplate(encodeTemplate(template)).matches(encodeTuple(tuple));
}

const { field } = fc.letrec<{ field: Field }>((tie) => ({
  field: fc.oneof(
    { depthSize: "small" },
    fc.constant(null),
    fc.boolean(),
    fc.double(),
    fc.integer(),
    fc.bigInt(),
    fc.string({ unit: "grapheme" }),
    fc.uint8Array({ maxLength: 10 }),
    fc.array(tie("field"), { maxLength: 4 }),
    fc.dictionary(
      fc.oneof(fc.string({ unit: "grapheme", maxLength: 5 }), fc.constantFrom("__proto__", "constructor")),
      tie("field"),
      { maxKeys: 4 },
    ),
  ),
}));

/** -0 is 0 in a tuple. */
function normal(value: unknown): unknown {
  if (value === 0) return 0;
  if (value instanceof Uint8Array || typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(normal);
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, normal(part)]));
}

describe("canonical text", () => {
  test("a field comes out equal, a copy of its own", () => {
    fc.assert(
      fc.property(field, (value) => {
        const text = encodeField(value);
        expect(decodeField(text)).toEqual(normal(value));
        expect(encodeField(decodeField(text))).toBe(text);
      }),
    );
  });

  test("the order of a record's keys does not matter, everything else does", () => {
    expect(encodeField({ b: 1, a: 2 })).toBe(encodeField({ a: 2, b: 1 }));
    const different: readonly Field[] = [
      null,
      "null",
      true,
      "true",
      1,
      "1",
      1n,
      "",
      [],
      {},
      [[]],
      [""],
      [null],
      ["1"],
      [1],
      ["a", "b"],
      ["ab"],
      ["a,b"],
      { a: "b" },
      { ab: "" },
      new Uint8Array(),
      new Uint8Array([0]),
      "AA==",
      Number.NaN,
      "NaN",
      Number.POSITIVE_INFINITY,
      0,
      false,
    ];
    expect(new Set(different.map((value) => encodeField(value))).size).toBe(different.length);
  });

  test("-0 is 0, NaN is NaN, bytes go by content, not by view", () => {
    expect(encodeField(-0)).toBe(encodeField(0));
    expect(encodeField(Number.NaN)).toBe(encodeField(0 / 0));
    expect(encodeField(Buffer.from("xabcx").subarray(1, 4))).toBe(encodeField(new Uint8Array([97, 98, 99])));
  });

  test.each([
    ["undefined", [undefined]],
    ["a hole", new Array(1)],
    ["a function", [() => 1]],
    ["a symbol", [Symbol("x")]],
    ["a date", [new Date()]],
    ["a map", [new Map()]],
    [
      "a class's instance",
      [
        new (class Point {
          x = 1;
        })(),
      ],
    ],
    ["a lone surrogate", ["\ud800"]],
    ["a lone surrogate as key", { "\ud800": 1 }],
    ["a symbol as key", { [Symbol("x")]: 1 }],
  ])("%s is codec", (_, tuple) => {
    expect(() => encodeTuple(tuple)).toThrow(code("codec"));
  });

  test.each([
    "a",
    "a1",
    "a1:",
    "a1:1",
    "a1:2:z",
    "a1:01:z",
    "a01:1:z",
    "a1:1:zz",
    "a2:1:z",
    "o1:1:a",
    "o1:1:a1:",
    "x1:1:z",
  ])("%s does not come apart", (text) => {
    expect(() => decodeTuple(text)).toThrow(code("codec"));
    expect(() => new TextFields().readTuple(text)).toThrow(code("codec"));
    expect(() => compileTemplate(text)).toThrow(code("codec"));
  });

  test("the places of fields are where they are", () => {
    const fields = new TextFields();
    fc.assert(
      fc.property(fc.oneof(fc.array(field), fc.dictionary(fc.string({ unit: "grapheme" }), field)), (tuple) => {
        fields.readTuple(encodeTuple(tuple));
        const values = Array.isArray(tuple)
          ? tuple
          : Object.keys(tuple)
              .sort()
              .map((key) => tuple[key]);
        expect(Array.from({ length: fields.count }, (_, i) => fields.field(i))).toEqual(
          values.map((each) => encodeField(each)),
        );
        if (!Array.isArray(tuple))
          expect(fields.count === 0 || fields.key(0)).toBe(fields.count === 0 || Object.keys(tuple).sort()[0]);
      }),
    );
  });

  test("numbers come out as they went in, however many digits they have", () => {
    for (const value of [
      0,
      7,
      -7,
      10 ** 15 - 1,
      10 ** 15,
      2 ** 53 - 1,
      -(2 ** 53),
      1e21,
      1.5,
      -1e-7,
      Infinity,
      -Infinity,
    ]) {
      expect(decodeField(encodeField(value))).toBe(value);
    }
  });

  test("a cycle, or what is nested too deep, is codec", () => {
    const cycle: unknown[] = [];
    cycle.push(cycle);
    expect(() => encodeTuple(cycle)).toThrow(code("codec"));
    expect(() => encodeTemplate(cycle)).toThrow(code("codec"));
    let deep = "z";
    for (let i = 0; i < 100; i++) deep = `a1:${deep.length}:${deep}`;
    expect(() => decodeField(deep)).toThrow(code("codec"));
    const holes = deep.replaceAll("a1", "A1");
    expect(() => compileTemplate(holes)).toThrow(code("codec"));
  });

  test.each([[any], [String], [between(1, 2)], [oneOf(1)], [prefix("a")], [partial({})]])(
    "a formal in a tuple is invalid",
    (formal) => {
      expect(() => encodeTuple(["a", formal])).toThrow(code("invalid"));
    },
  );

  test.each([["text"], [1], [null], [undefined], [new Uint8Array()], [() => []]])("%s is no tuple", (value) => {
    expect(() => encodeTuple(value)).toThrow(code("invalid"));
    expect(() => encodeTemplate(value)).toThrow(code("invalid"));
  });

  test("a member named __proto__ stays a member", () => {
    const tuple = decodeTuple(encodeTuple(JSON.parse('{"__proto__":{"polluted":true}}')));
    expect(Object.keys(tuple)).toEqual(["__proto__"]);
    expect(Object.getPrototypeOf(tuple)).toBe(Object.prototype);
    expect((tuple as { polluted?: boolean }).polluted).toBeUndefined();
  });

  test("any text either is a field's or is codec", () => {
    fc.assert(
      fc.property(field, fc.nat(), fc.constantFrom(..."zsntfiao:09?"), (value, at, character) => {
        const text = encodeField(value);
        const mutated = text.slice(0, at % text.length) + character + text.slice((at % text.length) + 1);
        for (const candidate of [mutated, text.slice(0, at % text.length), `${text}x`]) {
          try {
            decodeField(candidate);
            compileTemplate(candidate);
          } catch (error) {
            expect(error).toEqual(code("codec"));
          }
        }
      }),
      { numRuns: 3_000 },
    );
  });
});

describe("templates", () => {
  test.each<[unknown, unknown, boolean]>([
    [["a", 1], ["a", 1], true],
    [["a", 1], ["a", 2], false],
    [["a"], ["a", 1], false],
    [["a", any], ["a", null], true],
    [["a", any], ["a"], false],
    [[null], [null], true],
    [[null], [0], false],
    [[Number], [1], true],
    [[Number], ["1"], false],
    [[Number], [1n], false],
    [[Number], [Number.NaN], true],
    [[Number.NaN], [Number.NaN], true],
    [[-0], [0], true],
    [[1n], [1], false],
    [[BigInt], [1n], true],
    [[String], [""], true],
    [[Boolean], [false], true],
    [[Boolean], [true], true],
    [[Boolean], [null], false],
    [[Uint8Array], [new Uint8Array()], true],
    [[new Uint8Array([1])], [Buffer.from([1])], true],
    [[Array], [[]], true],
    [[Array], [{}], false],
    [[Object], [{}], true],
    [[Object], [[]], false],
    [[Object], [null], false],
    [[between(1, 3)], [3], true],
    [[between(1, 3)], [3.1], false],
    [[between(1, 3)], [2n], false],
    [[between(1n, 3n)], [3n], true],
    [[between("a", "c")], ["bzz"], true],
    [[between("a", "c")], ["ca"], false],
    [[between(-Infinity, Infinity)], [Number.NaN], false],
    [[oneOf(1, "x", null)], ["x"], true],
    [[oneOf(1, "x", null)], [null], true],
    [[oneOf(1, "x")], [1n], false],
    [[oneOf()], [1], false],
    [[prefix("ab")], ["abc"], true],
    [[prefix("ab")], ["a"], false],
    [[prefix("")], [""], true],
    [[prefix("1")], [1], false],
    [[["a", any]], [["a", 1]], true],
    [[["a", any]], [["b", 1]], false],
    [[{ a: Number }], [{ a: 1 }], true],
    [[{ a: Number }], [{ a: 1, b: 2 }], false],
    [[partial({ a: Number })], [{ b: 2, a: 1 }], true],
    [[partial({ a: Number })], [[1]], false],
    [{ a: 1 }, { a: 1 }, true],
    [{ a: 1 }, { a: 1, b: 2 }, false],
    [{ a: any, b: any }, { a: 1 }, false],
    [{ a: any }, [1], false],
    [[any], { 0: 1 }, false],
    [partial({ a: 1 }), { a: 1, b: 2 }, true],
    [partial({ a: 1 }), { b: 2 }, false],
    [partial({}), { b: 2 }, true],
    [partial({}), [], false],
    [[], [], true],
    [{}, {}, true],
    [[], {}, false],
    [{ ["__proto__"]: Number }, JSON.parse('{"__proto__":1}'), true],
  ])("%o against %o: %s", (template, tuple, expected) => {
    expect(matches(template, tuple)).toBe(expected);
  });

  test("every tuple matches itself, and itself with any field any, and no tuple of another length", () => {
    fc.assert(
      fc.property(fc.array(field, { minLength: 1, maxLength: 5 }), fc.nat(), (tuple, at) => {
        expect(matches(tuple, tuple)).toBe(true);
        expect(matches(tuple.with(at % tuple.length, any as never), tuple)).toBe(true);
        expect(matches([...tuple, any], tuple)).toBe(false);
        expect(matches([...tuple, null], tuple)).toBe(false);
      }),
    );
  });

  test("a template without holes is the text of a tuple", () => {
    fc.assert(
      fc.property(fc.array(field), (tuple) => {
        expect(encodeTemplate(tuple)).toBe(encodeTuple(tuple));
      }),
    );
  });

  test("formals with nonsense are invalid", () => {
    expect(() => between(1, "a" as never)).toThrow(code("invalid"));
    expect(() => between(Number.NaN, 1)).toThrow(code("invalid"));
    expect(() => between(null as never, null as never)).toThrow(code("invalid"));
    expect(() => prefix(1 as never)).toThrow(code("invalid"));
    expect(() => partial([1] as never)).toThrow(code("invalid"));
    expect(() => encodeTemplate(between(1, 2))).toThrow(code("invalid"));
    expect(() => encodeTemplate([() => 1])).toThrow(code("codec"));
  });
});
