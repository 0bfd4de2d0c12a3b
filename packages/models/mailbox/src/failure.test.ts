import { BusError } from "@quadrant/contract";
import { expect, test } from "vitest";
import { failureOf } from "./failure.ts";

test("a failure tells an error's own code, else its name", () => {
  expect(failureOf(new BusError("codec", "unreadable"))).toEqual({ code: "codec", message: "unreadable" });
  expect(failureOf(Object.assign(new Error("no file"), { code: "ENOENT" }))).toEqual({
    code: "ENOENT",
    message: "no file",
  });
  expect(failureOf(new TypeError("no function"))).toEqual({ code: "TypeError", message: "no function" });
  expect(failureOf(Object.assign(new Error("x"), { code: 20 }))).toEqual({ code: "Error", message: "x" });
});

test("a failure is short and well-formed whatever was thrown", () => {
  expect(failureOf("just text")).toEqual({ code: "Error", message: "just text" });
  expect(failureOf(undefined)).toEqual({ code: "Error", message: "undefined" });
  const long = failureOf(new Error(`${"x".repeat(1023)}😀`));
  expect(long.message).toHaveLength(1024);
  expect(long.message.isWellFormed()).toBe(true);
});
