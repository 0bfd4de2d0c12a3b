import { BusError, type Claim } from "@quadrant/bus";
import { describe, expect, it } from "vitest";
import { whileHeld } from "./held-claim.ts";

interface Log {
  readonly extended: number[];
  naks: number;
}

function claimOf(extend: (time: number) => Promise<void>, signal: AbortSignal = never): Claim<string> & Log {
  const log: Log = { extended: [], naks: 0 };
  return Object.assign(log, {
    tuple: "tuple",
    signal,
    ack: async () => undefined,
    nak: async () => {
      log.naks++;
    },
    extend: (leaseMs: number) => {
      log.extended.push(leaseMs);
      return extend(log.extended.length);
    },
    [Symbol.asyncDispose]: async () => undefined,
  });
}

const never = new AbortController().signal;
const aborted = (signal: AbortSignal): Promise<unknown> =>
  new Promise((resolve) => signal.addEventListener("abort", () => resolve(signal.reason)));

describe("whileHeld", () => {
  it("renews the lease until the work is done, also after a renewal that failed", async () => {
    const twice = Promise.withResolvers<void>();
    const claim = claimOf(async (time) => {
      if (time === 1) throw new BusError("unavailable", "away");
      twice.resolve();
    });
    expect(await whileHeld(claim, 6, never, () => twice.promise.then(() => "done"))).toBe("done");
    expect(claim.extended[0]).toBe(6);
    expect(claim.naks).toBe(0);
  });

  it("tells the work when the claim was lost, as a renewal learns or as the claim itself does", async () => {
    const stale = new BusError("stale", "lost");
    const refused = claimOf(() => Promise.reject(stale));
    expect(await whileHeld(refused, 6, never, aborted)).toBe(stale);
    const lost = new AbortController();
    const claim = claimOf(async () => undefined, lost.signal);
    expect(
      await whileHeld(claim, 1_000, never, (signal) => {
        const reason = aborted(signal);
        lost.abort(stale);
        return reason;
      }),
    ).toBe(stale);
  });

  it("gives the tuple back when the work fails", async () => {
    const claim = claimOf(async () => undefined);
    const error = new Error("broken");
    await expect(whileHeld(claim, 1_000, never, () => Promise.reject(error))).rejects.toBe(error);
    expect(claim.naks).toBe(1);
  });
});
