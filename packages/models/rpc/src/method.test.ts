import { describe, expect, it } from "vitest";
import { checkMethodName, isReserved, methodsOf } from "./method.ts";

const f = (): number => 1;

class Base {
  inherited(): string {
    return "base";
  }
  replaced(): string {
    return "base";
  }
}
class Derived extends Base {
  own = (): string => "own";
  value = 5;
  override replaced(): string {
    return `${this.value}`;
  }
  get accessor(): () => string {
    throw new Error("looked at");
  }
  static no(): void {}
  #hidden(): void {}
  touch(): void {
    this.#hidden();
  }
  [Symbol.iterator](): void {}
}

describe("the methods of a service", () => {
  it("are those of the object and its classes, the nearest first; accessors and symbols are none", () => {
    const service = new Derived();
    const methods = methodsOf(service);
    expect([...methods.keys()].sort()).toEqual(["inherited", "own", "replaced", "touch"]);
    expect(methods.get("replaced")!.apply(service)).toBe("5");
    expect(methods.get("inherited")!.apply(service)).toBe("base");
  });

  it("of an object without prototype are its own", () => {
    expect([...methodsOf(Object.assign(Object.create(null), { a: () => 1, b: 2 })).keys()]).toEqual(["a"]);
  });

  it.each([
    ["no methods", {}],
    ["values only", { a: 1 }],
    // biome-ignore lint/suspicious/noThenProperty: it is what is refused
    ["a then", { then: f }],
    ["a catch", { a: f, catch: f }],
    ["a finally", { a: f, finally: f }],
    ["a toJSON", { toJSON: f }],
    ["a $with", { $with: f }],
    ["a toString", { toString: () => "x" }],
    ["a constructor of its own", { constructor: f }],
    ["a promise", Promise.resolve({ a: f })],
    ["a class", Derived],
    ["an array", [f]],
    ["null", null],
    ["nothing", undefined],
    ["a text", "x"],
    ["a name with a space", { "a b": f }],
    ["an empty name", { "": f }],
  ])("of %s are invalid", (_, service) => {
    expect(() => methodsOf(service)).toThrow(expect.objectContaining({ code: "invalid" }));
  });
});

it("names that are visible are methods' names; those of the language and of stubs are kept", () => {
  for (const name of ["add", "a.b", "$inc", "größe", "_x", "then2"]) {
    checkMethodName(name);
    expect(isReserved(name)).toBe(false);
  }
  for (const name of ["", "a b", "a\n", "x".repeat(256)]) {
    expect(() => checkMethodName(name)).toThrow(expect.objectContaining({ code: "invalid" }));
  }
  for (const name of ["then", "catch", "finally", "toJSON", "$with", "constructor", "__proto__", "hasOwnProperty"]) {
    expect(isReserved(name)).toBe(true);
  }
});
