/** Takes items, counts them, and measures how long each was on its way. */
import { setTimeout as pause } from "node:timers/promises";
import { build, encodeIntoCompressedBase64 } from "hdr-histogram-js";
import { defineRole, nowMs, type Role } from "../../site/role.ts";
import { type Item, outletOf } from "../coupling.ts";
import type { ReceiverInput } from "./receiver.ts";

export interface Tally {
  /** Different ones. */
  readonly count: number;
  readonly repeated: number;
  /** Of the first and the last, on the clock that all share. */
  readonly firstMs: number;
  readonly lastMs: number;
  /** Microseconds on the way: an HDR histogram, compressed, in base64. */
  readonly latency: string;
}

/** Up to ten minutes, in microseconds. */
const longestUs = 600_000_000;

const loadReceiver: Role<ReceiverInput> = defineRole(async (bus, { model, name, handleMs = 0, ...terms }) => {
  const latency = build({ highestTrackableValue: longestUs, numberOfSignificantValueDigits: 3 });
  const seen = new Map<string, Set<number>>();
  let [count, repeated, firstMs, lastMs] = [0, 0, 0, 0];
  let [wanted, reached] = [Number.POSITIVE_INFINITY, (): void => undefined];
  const take = async ({ n, by, sentMs }: Item): Promise<void> => {
    if (handleMs > 0) await pause(handleMs);
    const atMs = nowMs();
    const numbers = seen.get(by) ?? new Set();
    seen.set(by, numbers);
    if (numbers.has(n)) {
      repeated++;
      return;
    }
    numbers.add(n);
    if (count++ === 0) firstMs = atMs;
    lastMs = atMs;
    latency.recordValue(Math.min(longestUs, Math.max(0, Math.round((atMs - sentMs) * 1_000))));
    if (count >= wanted) reached();
  };
  await outletOf(model, bus, name, terms, take);
  return {
    /** Resolves once so many have come, or none has for `quietMs`. */
    reach: async ({ count: due, quietMs }: { count: number; quietMs: number }): Promise<void> => {
      wanted = due;
      const enough = new Promise<void>((resolve) => {
        reached = resolve;
      });
      for (let before = -1; count < due && before !== count; ) {
        before = count;
        const ending = new AbortController();
        await Promise.race([enough, pause(quietMs, undefined, { signal: ending.signal }).catch(() => undefined)]);
        ending.abort();
      }
    },
    /** Forgets what it has measured so far, as after a warm-up; not which it has seen. */
    reset: () => {
      latency.reset();
      [count, repeated, firstMs, lastMs] = [0, 0, 0, 0];
    },
    tally: (): Tally => ({ count, repeated, firstMs, lastMs, latency: encodeIntoCompressedBase64(latency) }),
  };
});
export default loadReceiver;
