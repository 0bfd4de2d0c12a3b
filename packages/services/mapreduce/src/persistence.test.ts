import { BusError } from "@quadrant/bus";
import { describe, expect, it } from "vitest";
import { isPassing, persist } from "./persistence.ts";

const unavailable = new BusError("unavailable", "away");

describe("persist", () => {
  const never = new AbortController().signal;

  it("repeats what may succeed later", async () => {
    let attempts = 0;
    const operation = async (): Promise<string> => {
      if (++attempts < 3) throw unavailable;
      return "done";
    };
    expect(await persist(operation, never)).toBe("done");
    expect(attempts).toBe(3);
  });

  it("does not repeat what cannot", async () => {
    for (const error of [new BusError("invalid", "wrong"), new BusError("stale", "lost"), new TypeError("broken")]) {
      let attempts = 0;
      const operation = async (): Promise<void> => {
        attempts++;
        throw error;
      };
      await expect(persist(operation, never)).rejects.toBe(error);
      expect(attempts).toBe(1);
    }
  });

  it("ends with the signal, also while it waits", async () => {
    const stop = new AbortController();
    const waiting = persist(async () => {
      setImmediate(() => stop.abort());
      throw unavailable;
    }, stop.signal);
    await expect(waiting).rejects.toMatchObject({ code: "aborted" });
    await expect(persist(() => Promise.reject(unavailable), AbortSignal.abort())).rejects.toBe(unavailable);
  });
});

describe("isPassing", () => {
  it("tells failures of the work from those around it", () => {
    const open = new AbortController().signal;
    expect(isPassing(unavailable, open)).toBe(true);
    expect(isPassing(new BusError("stale", "lost"), open)).toBe(true);
    expect(isPassing(new TypeError("broken"), open)).toBe(false);
    expect(isPassing(new BusError("too-large", "much"), open)).toBe(false);
    expect(isPassing(new TypeError("broken"), open, AbortSignal.abort())).toBe(true);
  });
});
