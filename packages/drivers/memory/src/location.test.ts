import type { DriverOptions } from "@quadrant/contract";
import { describe, expect, test } from "vitest";
import { assertOptions, readLocation } from "./location.ts";

const options: DriverOptions = {
  name: "test",
  timeoutMs: 1000,
  requestTimeoutMs: 1000,
  maxPayloadBytes: 1000,
  outboxBytes: 1000,
};

describe("a memory: URL", () => {
  test.each([
    ["memory:", ""],
    ["memory:?", ""],
    ["memory:jobs", "jobs"],
    ["memory:jobs/today", "jobs/today"],
    ["memory://jobs", "//jobs"],
    ["memory:größe", "gr%C3%B6%C3%9Fe"],
  ])("%s names %j", (url, name) => {
    expect(readLocation(new URL(url))).toBe(name);
  });

  test.each([
    ["memory:?require=durable", "unsupported"],
    ["memory:jobs?require=durable", "unsupported"],
    ["memory:jobs?require=fast", "invalid"],
    ["memory:?sync=full", "invalid"],
    ["memory:?replicas=3", "invalid"],
    ["memory:jobs#part", "invalid"],
    ["memory://user:secret@host", "unsupported"],
  ])("%s is %s", (url, code) => {
    expect(() => readLocation(new URL(url))).toThrowError(expect.objectContaining({ code, driver: "memory" }));
  });
});

test.each([
  [{ auth: { user: "u", password: "secret" } }, "unsupported"],
  [{ tls: {} }, "unsupported"],
  [{ signal: AbortSignal.abort() }, "aborted"],
])("options that would have no effect are refused: %o", (more, code) => {
  expect(() => assertOptions("memory", { ...options, ...more })).toThrowError(expect.objectContaining({ code }));
  expect(() => assertOptions("memory", options)).not.toThrow();
});
