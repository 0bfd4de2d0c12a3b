import { setTimeout as pause } from "node:timers/promises";
import { guardMs } from "./guard.ts";

/** A timer that is so late tells of a machine that has more to do than it can. */
const busyMs = 15;
const tickMs = 10;
/** For those who end in the last moment that they have. */
const momentMs = 30;

/** Passes so much time; resolves with whether the machine was busy meanwhile. */
async function passed(ms: number): Promise<boolean> {
  const end = performance.now() + ms;
  let latest = 0;
  for (let now = performance.now(); now < end; now = performance.now()) {
    const tick = Math.min(tickMs, end - now);
    await pause(tick);
    latest = Math.max(latest, performance.now() - now - tick);
  }
  return latest > busyMs;
}

/**
 * Resolves when an operation that was given `ms` must have ended: after that plus max(100 ms, 10 %), as the API has it. Where
 * the machine was busy the time is given again, as drivers do, so this tells "late" only on one that is not.
 */
export async function overdue(ms: number): Promise<void> {
  const allowedMs = Math.max(100, ms / 10) + momentMs;
  const end = performance.now() + guardMs;
  let busy = await passed(ms + allowedMs);
  while (busy && performance.now() < end) busy = await passed(allowedMs);
}
