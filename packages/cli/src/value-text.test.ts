import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CommandFailure } from "./failure.ts";
import { fromTagged, parseArgument, parseLine, plainText, valueText } from "./value-text.ts";

function field(): fc.Arbitrary<unknown> {
  return fc.letrec((tie) => ({
    leaf: fc.oneof(fc.constant(null), fc.boolean(), fc.double(), fc.bigInt(), fc.string(), fc.uint8Array()),
    record: fc.dictionary(
      fc.oneof(fc.string(), fc.constantFrom("$bigint", "$$bigint", "$bytes", "$number", "__proto__")),
      tie("any"),
      { maxKeys: 3, noNullPrototype: true },
    ),
    any: fc.oneof({ maxDepth: 4 }, tie("leaf"), fc.array(tie("any"), { maxLength: 3 }), tie("record")),
  })).any;
}

test("every field of a tuple survives the command line", () => {
  fc.assert(
    fc.property(field(), (value) => {
      const text = valueText(value);
      expect(text).not.toContain("\n");
      expect(normal(fromTagged(JSON.parse(text)))).toEqual(normal(value));
    }),
    { numRuns: 500 },
  );
});

/** Without the sign of zeros, which JSON drops. */
function normal(value: unknown): unknown {
  if (value === 0) return 0;
  if (Array.isArray(value)) return value.map(normal);
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
  return Object.entries(value).map(([key, inner]) => [key, normal(inner)]);
}

describe("what JSON lacks", () => {
  test.each([
    [12n, '{"$bigint":"12"}'],
    [new Uint8Array([104, 105]), '{"$bytes":"aGk="}'],
    [Buffer.from("hi"), '{"$bytes":"aGk="}'],
    [Number.NaN, '{"$number":"NaN"}'],
    [Number.NEGATIVE_INFINITY, '{"$number":"-Infinity"}'],
    [new Date(0), '"1970-01-01T00:00:00.000Z"'],
    [new Map([["a", 1n]]), '[["a",{"$bigint":"1"}]]'],
    [new Set([1, 2]), "[1,2]"],
    [undefined, "null"],
    [{ $bigint: "12" }, '{"$$bigint":"12"}'],
    [{ $bigint: "12", b: 1 }, '{"$bigint":"12","b":1}'],
  ])("%s", (value, text) => {
    expect(valueText(value)).toBe(text);
  });

  test.each(['{"$bigint":"twelve"}', '{"$bytes":"***"}', '{"$number":"1"}', '{"$bigint":12}'])(
    "%s is refused",
    (text) => {
      expect(() => fromTagged(JSON.parse(text))).toThrow(CommandFailure);
    },
  );

  test("strings as they are, everything else as JSON", () => {
    expect(plainText("a b")).toBe("a b");
    expect(plainText(["a b"])).toBe('["a b"]');
  });
});

test("an argument that is no JSON is refused with the way to write it; a line with its number", () => {
  expect(() => parseArgument("the body", "it's")).toThrow(
    `the body: it's is no JSON; a string is written '"it'\\''s"'`,
  );
  expect(() => parseLine(3, "{")).toThrow("stdin, line 3: { is no JSON");
  expect(() => parseArgument("the body", "x".repeat(1_000))).toThrow(/^.{0,300}$/);
});
