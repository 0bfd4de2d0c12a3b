import { expect, test, vi } from "vitest";
import { Directory } from "./directory.ts";

test("the servers of an address take turns", () => {
  const directory = new Directory();
  directory.heard("a", ["x", "y", "z"]);
  const turns = [1, 2, 3, 4].map(() => directory.next("a"));
  expect(new Set(turns)).toEqual(new Set(["x", "y", "z"]));
  expect(turns[3]).toBe(turns[0]);
  expect(directory.next("b")).toBeUndefined();
});

test("what was heard is forgotten after a second, when told to, and where nobody serves any more", () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  try {
    const directory = new Directory();
    directory.heard("a", ["x"]);
    directory.heard("b", ["y"]);
    directory.heard("c", ["z"]);
    directory.forget("b");
    directory.heard("c", []);
    expect(["a", "b", "c"].map((address) => directory.next(address))).toEqual(["x", undefined, undefined]);
    vi.advanceTimersByTime(1_000);
    expect(directory.next("a")).toBeUndefined();
  } finally {
    vi.useRealTimers();
  }
});
