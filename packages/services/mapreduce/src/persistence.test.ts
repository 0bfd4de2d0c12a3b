import { BusError } from "@quadrant/bus";
import { describe, expect, it } from "vitest";
import { isPassing, keepDoing, persist } from "./persistence.ts";

const unavailable = new BusError("unavailable", "away");
const never = new AbortController().signal;

describe("persist", () => {
  it("repeats what may succeed later", async () => {
    let attempts = 0;
    const operation = async (): Promise<string> => {
      if (++attempts < 3) throw unavailable;
      return "done";
    };
    expect(await persist(operation, never)).toBe("done");
    expect(attempts).toBe(3);
  });

  it("does not repeat what cannot, and nothing when its patience is at an end", async () => {
    for (const error of [new BusError("invalid", "wrong"), new BusError("stale", "lost"), new TypeError("broken")]) {
      let attempts = 0;
      const operation = async (): Promise<void> => {
        attempts++;
        throw error;
      };
      await expect(persist(operation, never)).rejects.toBe(error);
      expect(attempts).toBe(1);
    }
    await expect(persist(() => Promise.reject(unavailable), never, -1)).rejects.toBe(unavailable);
  });

  it("ends with its signal", async () => {
    const stop = new AbortController();
    const failing = persist(() => {
      setImmediate(() => stop.abort());
      return Promise.reject(unavailable);
    }, stop.signal);
    await expect(failing).rejects.toMatchObject({ code: "aborted" });
  });
});

it("keepDoing goes on after failures until its signal", async () => {
  const stop = new AbortController();
  let times = 0;
  await keepDoing(async () => {
    if (++times === 3) stop.abort();
    throw new Error("again");
  }, stop.signal);
  expect(times).toBe(3);
});

it("a failure is passing when it says nothing about the work", () => {
  const aborted = AbortSignal.abort();
  expect(isPassing(unavailable)).toBe(true);
  expect(isPassing(new BusError("stale", "lost"))).toBe(true);
  expect(isPassing(new TypeError("broken"))).toBe(false);
  expect(isPassing(new BusError("invalid", "wrong"))).toBe(false);
  expect(isPassing(new TypeError("broken"), aborted)).toBe(true);
});
