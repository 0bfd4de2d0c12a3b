import { describe, expect, test } from "vitest";
import { Bodies } from "./body.ts";
import { bytes, json, maxDepth } from "./codec.ts";
import { checkHeaders, noHeaders } from "./headers.ts";

const code = (name: string): unknown => expect.objectContaining({ code: name });

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < depth; i++) value = i % 2 === 0 ? [value] : { a: value };
  return value;
}

describe("json", () => {
  test("is what JSON.stringify makes of a value", () => {
    const value = { a: 1, gone: undefined, at: new Date(0), nan: Number.NaN, text: "é\ud800", list: [undefined, -0] };
    expect(json.decode(json.encode(value))).toEqual(JSON.parse(JSON.stringify(value)));
  });

  test("keeps keys that are hazardous elsewhere, as own members", () => {
    const value = JSON.parse('{"__proto__":{"polluted":1},"constructor":2,"prototype":3}');
    const decoded = json.decode(json.encode(value)) as object;
    expect(Object.keys(decoded)).toEqual(["__proto__", "constructor", "prototype"]);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });

  test.each([
    ["undefined", undefined],
    ["a function", () => 1],
    ["a symbol", Symbol("x")],
    ["a bigint", 1n],
    ["a bigint inside", { a: [1n] }],
    [
      "a throwing getter",
      {
        get a(): number {
          throw new Error("no");
        },
      },
    ],
    [
      "a throwing toJSON",
      {
        toJSON: () => {
          throw new Error("no");
        },
      },
    ],
  ])("%s is codec", (_, value) => {
    expect(() => json.encode(value)).toThrow(code("codec"));
  });

  test("a cycle is codec", () => {
    const value: unknown[] = [];
    value.push(value);
    expect(() => json.encode(value)).toThrow(code("codec"));
  });

  test("depth is bounded both ways, brackets in strings do not count", () => {
    expect(json.decode(json.encode(nested(maxDepth)))).toEqual(nested(maxDepth));
    expect(() => json.encode(nested(maxDepth + 1))).toThrow(code("codec"));
    expect(() => json.decode(Buffer.from("[".repeat(1_000_000)))).toThrow(code("codec"));
    expect(() => json.decode(Buffer.from(JSON.stringify(nested(maxDepth + 1))))).toThrow(code("codec"));
    const text = `${"[{".repeat(200)}\\" \\\\`;
    expect(json.decode(json.encode([text, { [text]: [[text]] }]))).toEqual([text, { [text]: [[text]] }]);
    expect(json.decode(json.encode(Array.from({ length: 500 }, () => ({ a: [1] }))))).toHaveLength(500);
  });

  test("bytes that are no JSON are codec", () => {
    for (const text of ["", "{", "nope", '{"a":}']) expect(() => json.decode(Buffer.from(text))).toThrow(code("codec"));
    expect(() => json.decode(new Uint8Array([0xff, 0xfe]))).toThrow(code("codec"));
  });
});

describe("bytes", () => {
  test("are copied both ways", () => {
    const given = Buffer.from("abc");
    const encoded = bytes.encode(given);
    given[0] = 0;
    expect(Buffer.from(encoded).toString()).toBe("abc");
    const decoded = bytes.decode(encoded) as Uint8Array;
    encoded[0] = 0;
    expect(Buffer.from(decoded).toString()).toBe("abc");
    expect(decoded.constructor).toBe(Uint8Array);
    expect(() => bytes.encode("abc")).toThrow(code("codec"));
  });
});

describe("bodies", () => {
  test("are decoded by their content type, by the connection's codec where it is unknown", () => {
    const bodies = new Bodies(json, [json, bytes], 100);
    expect(bodies.decode("application/octet-stream", new Uint8Array([1]))).toEqual(new Uint8Array([1]));
    expect(bodies.decode("", Buffer.from("[1]"))).toEqual([1]);
    expect(bodies.decode("text/other", Buffer.from("[1]"))).toEqual([1]);
  });

  test("have a limit", () => {
    const bodies = new Bodies(json, [json], 10);
    expect(bodies.encode("12345678")).toHaveLength(10);
    expect(() => bodies.encode("123456789")).toThrow(code("too-large"));
  });

  test("a codec that throws whatever it likes is codec", () => {
    const broken = {
      contentType: "x/y",
      encode: () => {
        throw new RangeError("no");
      },
      decode: () => {
        throw "no";
      },
    };
    const bodies = new Bodies(broken, [], 10);
    expect(() => bodies.encode(1)).toThrow(code("codec"));
    expect(() => bodies.decode("", new Uint8Array())).toThrow(code("codec"));
  });
});

describe("headers", () => {
  test("are copied and kept, hazardous names included", () => {
    const given = Object.fromEntries([
      ["__proto__", "a"],
      ["X-Trace", "größe 😀"],
    ]);
    const checked = checkHeaders(given);
    expect(Object.entries(checked)).toEqual(Object.entries(given));
    expect(checked).not.toBe(given);
    expect(checkHeaders(undefined)).toBe(noHeaders);
    expect(checkHeaders({})).toBe(noHeaders);
  });

  test.each([
    [{ "": "a" }],
    [{ "a:b": "a" }],
    [{ "a b": "a" }],
    [{ "a\r\n": "a" }],
    [{ "a\0": "a" }],
    [{ größe: "a" }],
    [{ "nats-expected": "a" }],
    [{ "Quadrant-id": "a" }],
    [{ a: "x\r\nb: c" }],
    [{ a: "x\0" }],
    [{ a: "\ud800" }],
    [{ a: 1 as unknown as string }],
    ["text" as unknown as Record<string, string>],
  ])("%j is invalid", (headers) => {
    expect(() => checkHeaders(headers as Record<string, string>)).toThrow(code("invalid"));
  });

  test("have a limit in all", () => {
    expect(() => checkHeaders({ a: "x".repeat(20_000) })).toThrow(code("too-large"));
  });
});
