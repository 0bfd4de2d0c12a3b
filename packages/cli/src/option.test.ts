import { InvalidArgumentError } from "commander";
import { describe, expect, test } from "vitest";
import { count, duration, header, sequence, start } from "./option.ts";

describe("durations", () => {
  test.each([
    ["500", 500],
    ["500ms", 500],
    ["2s", 2_000],
    ["1.5m", 90_000],
    ["1h", 3_600_000],
    ["1d", 86_400_000],
    ["0", 0],
  ])("%s", (text, ms) => {
    expect(duration(text)).toBe(ms);
  });

  test.each(["", "s", "-1", "1e3", "1 s", "Infinity", "NaN", "1w", "0x10", `${"9".repeat(400)}d`])("not %s", (text) => {
    expect(() => duration(text)).toThrow(InvalidArgumentError);
  });
});

describe("counts", () => {
  test("from one", () => {
    expect(count("7")).toBe(7);
    expect(sequence("0")).toBe(0);
  });

  test.each(["0", "-1", "1.5", "", "ten", "1e3", "99999999999999999999"])("not %s", (text) => {
    expect(() => count(text)).toThrow(InvalidArgumentError);
  });
});

describe("where to begin", () => {
  test.each([
    ["first", "first"],
    ["new", "new"],
    ["17", { seq: 17 }],
    ["2026-01-31T12:00:00Z", { time: new Date("2026-01-31T12:00:00Z") }],
    ["2026-01-31", { time: new Date("2026-01-31") }],
  ])("%s", (text, from) => {
    expect(start(text)).toEqual(from);
  });

  test.each(["", "last", "0", "-1", "yesterday", "2026-13-01", "12:00"])("not %s", (text) => {
    expect(() => start(text)).toThrow(InvalidArgumentError);
  });
});

test("headers are gathered, and may hold an equals sign", () => {
  expect(header("b=2=3", header("a=1"))).toEqual({ a: "1", b: "2=3" });
  expect(() => header("a")).toThrow(InvalidArgumentError);
  expect(() => header("=a")).toThrow(InvalidArgumentError);
});
