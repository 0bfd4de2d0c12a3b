/** Claims and leases by the clock of this side, against a driver that is the test itself. */
import { BusError, type ClaimSettlement, type Context, type Drainable, type Tuples } from "@quadrant/contract";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { HeldClaim } from "./held-claim.ts";
import { StoredLease } from "./stored-lease.ts";

let settlements: ClaimSettlement[];
let answer: () => Promise<BusError | undefined>;
let renewed: () => Promise<{ id: string; expiresInMs: number }>;
let cancelled: () => Promise<void>;
let open: boolean;
let tracked: Set<Drainable>;

const stale = (): BusError => new BusError("stale", "lost");
const tuples = {
  settleClaim: (_: string, settlement: ClaimSettlement) => {
    settlements.push(settlement);
    return answer();
  },
  renew: () => renewed(),
  cancel: () => cancelled(),
} as unknown as Tuples;
const context = {
  driver: { name: "memory" },
  assertOpen: () => {
    if (!open) throw new BusError("closed", "closed");
  },
  track: (work: Drainable) => {
    tracked.add(work);
    return () => void tracked.delete(work);
  },
} as unknown as Context;

function claim(leaseMs = 1_000): HeldClaim<string> {
  return new HeldClaim({ context, tuples, space: "s" }, "tuple", "token", leaseMs);
}

beforeEach(() => {
  vi.useFakeTimers();
  settlements = [];
  answer = () => Promise.resolve(undefined);
  renewed = () => Promise.resolve({ id: "1", expiresInMs: 5_000 });
  cancelled = () => Promise.resolve();
  open = true;
  tracked = new Set();
});
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

describe("a claim", () => {
  it.each(["ack", "nak"] as const)("is settled once by %s, however often it is asked for", async (kind) => {
    const held = claim();
    await Promise.all([held[kind](), held[kind]()]);
    await held[kind]();
    await held[Symbol.asyncDispose]();
    expect(settlements).toEqual([{ kind, token: "token" }]);
    await expect(kind === "ack" ? held.nak() : held.ack()).rejects.toMatchObject({ code: "stale" });
    await expect(held.extend(1_000)).rejects.toMatchObject({ code: "stale" });
    expect(settlements).toHaveLength(1);
    expect(held.signal.aborted).toBe(false);
    expect(tracked.size).toBe(0);
  });

  it("that is disposed unsettled is given back, twice disposed once", async () => {
    const held = claim();
    await held[Symbol.asyncDispose]();
    await held[Symbol.asyncDispose]();
    expect(settlements).toEqual([{ kind: "nak", token: "token" }]);
  });

  it("whose lease ends aborts its signal, and is stale without asking", async () => {
    const held = claim(1_000);
    await vi.advanceTimersByTimeAsync(999);
    expect(held.signal.aborted).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(held.signal.reason).toMatchObject({ code: "stale" });
    for (const settle of [held.ack(), held.nak(), held.extend(1_000)]) {
      await expect(settle).rejects.toMatchObject({ code: "stale" });
    }
    await held[Symbol.asyncDispose]();
    expect(settlements).toEqual([]);
    expect(tracked.size).toBe(0);
  });

  it("that is extended lives on from when the request was sent", async () => {
    const held = claim(1_000);
    await vi.advanceTimersByTimeAsync(900);
    answer = async () => {
      await new Promise((resolve) => setTimeout(resolve, 50));
      return undefined;
    };
    const extended = held.extend(2_000);
    await vi.advanceTimersByTimeAsync(50);
    await extended;
    expect(settlements).toEqual([{ kind: "extend", token: "token", leaseMs: 2_000 }]);
    await vi.advanceTimersByTimeAsync(1_949);
    expect(held.signal.aborted).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(held.signal.aborted).toBe(true);
  });

  it.each(["ack", "nak", "extend"] as const)("that the broker calls stale on %s is lost at once", async (kind) => {
    const held = claim();
    answer = async () => stale();
    await expect(kind === "extend" ? held.extend(9) : held[kind]()).rejects.toMatchObject({ code: "stale" });
    expect(held.signal.aborted).toBe(true);
    await expect(held.ack()).rejects.toMatchObject({ code: "stale" });
    expect(settlements).toHaveLength(1);
  });

  it("whose settlement failed may be settled again", async () => {
    const held = claim();
    answer = () => Promise.reject(new BusError("unavailable", "gone"));
    await expect(held.ack()).rejects.toMatchObject({ code: "unavailable" });
    answer = () => Promise.resolve(undefined);
    await held.nak();
    expect(settlements.map(({ kind }) => kind)).toEqual(["ack", "nak"]);
  });

  it.each([[undefined], [0], [-1], [Number.NaN], [Number.POSITIVE_INFINITY]])(
    "extended by %s is invalid",
    async (leaseMs) => {
      const held = claim();
      await expect(held.extend(leaseMs as number)).rejects.toMatchObject({ code: "invalid" });
      await held.ack();
      expect(settlements).toHaveLength(1);
    },
  );

  it("is waited for by a drain until it is settled or lost", async () => {
    const acked = claim();
    const lost = claim(1_000);
    const drained = Promise.all([acked.drain(), lost.drain()]);
    await acked.ack();
    await vi.advanceTimersByTimeAsync(1_000);
    await drained;
    await acked.drain();
  });

  it("that is abandoned tells its holder that the bus is closed", async () => {
    const held = claim();
    open = false;
    held.abandon();
    expect(held.signal.reason).toMatchObject({ code: "closed" });
    await expect(held.ack()).rejects.toMatchObject({ code: "closed" });
    await held.drain();
  });
});

describe("a lease", () => {
  function lease(expiresInMs: number): StoredLease {
    return new StoredLease({ context, tuples, space: "s" }, { id: "1", expiresInMs }, performance.now());
  }

  it("counts down, to nothing", async () => {
    const stored = lease(1_000);
    expect(stored.expiresInMs).toBe(1_000);
    await vi.advanceTimersByTimeAsync(400);
    expect(stored.expiresInMs).toBe(600);
    await vi.advanceTimersByTimeAsync(4_000);
    expect(stored.expiresInMs).toBe(0);
    expect(lease(Number.POSITIVE_INFINITY).expiresInMs).toBe(Number.POSITIVE_INFINITY);
  });

  it("renewed counts from when the request was sent; a failure leaves it as it was", async () => {
    const stored = lease(1_000);
    renewed = async () => {
      await new Promise((resolve) => setTimeout(resolve, 50));
      return { id: "1", expiresInMs: 5_000 };
    };
    const done = stored.renew(5_000);
    await vi.advanceTimersByTimeAsync(50);
    await done;
    expect(stored.expiresInMs).toBe(4_950);
    renewed = () => Promise.reject(new BusError("unavailable", "gone"));
    await expect(stored.renew(9_000)).rejects.toMatchObject({ code: "unavailable" });
    expect(stored.expiresInMs).toBe(4_950);
    renewed = () => Promise.reject(stale());
    await expect(stored.renew(9_000)).rejects.toMatchObject({ code: "stale" });
    expect(stored.expiresInMs).toBe(0);
  });

  it("cancelled is over, also where the tuple was gone before", async () => {
    for (const outcome of [() => Promise.resolve(), () => Promise.reject(stale())]) {
      cancelled = outcome;
      const stored = lease(1_000);
      await stored.cancel();
      expect(stored.expiresInMs).toBe(0);
    }
    cancelled = () => Promise.reject(new BusError("unavailable", "gone"));
    await expect(lease(1_000).cancel()).rejects.toMatchObject({ code: "unavailable" });
  });

  it("after the end of the bus is closed; a bad renewal invalid", async () => {
    await expect(lease(1_000).renew(-1)).rejects.toMatchObject({ code: "invalid" });
    await expect(lease(1_000).renew(undefined as never)).rejects.toMatchObject({ code: "invalid" });
    open = false;
    await expect(lease(1_000).renew(1)).rejects.toMatchObject({ code: "closed" });
    await expect(lease(1_000).cancel()).rejects.toMatchObject({ code: "closed" });
  });
});
