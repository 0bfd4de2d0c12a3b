import { BusError } from "./errors.ts";

/** The longest delay that setTimeout takes; beyond it, it fires at once. */
const maxTimerMs = 2_147_483_647;

/** Throws "invalid" unless `value` is undefined or a number of milliseconds, at least `least`. Infinity is "never". */
export function checkDuration(name: string, value: number | undefined, least: number = 0): void {
  if (value === undefined) return;
  if (typeof value !== "number" || Number.isNaN(value) || value < least) {
    throw new BusError("invalid", `${name}: ${String(value)} is no duration; give milliseconds, at least ${least}`);
  }
}

/** As checkDuration, for a lease that is to end: at least 1 ms, and not "never". */
export function checkLease(name: string, value: number | undefined): void {
  checkDuration(name, value, 1);
  if (value === Number.POSITIVE_INFINITY)
    throw new BusError("invalid", `${name}: a lease that never ends would outlive its holder; give milliseconds`);
}

/** Throws "invalid" unless `value` is undefined or a whole number, at least `least`. */
export function checkCount(name: string, value: number | undefined, least: number = 1): void {
  if (value === undefined) return;
  if (!Number.isSafeInteger(value) || value < least) {
    throw new BusError("invalid", `${name}: ${String(value)} is no count; give a whole number, at least ${least}`);
  }
}

/** Calls back once after `ms`, however long that is, never for Infinity. Returns what cancels it. */
export function after(ms: number, callback: () => void): () => void {
  if (ms === Number.POSITIVE_INFINITY) return () => undefined;
  const end = performance.now() + ms;
  let timer: NodeJS.Timeout;
  const arm = (left: number): void => {
    timer = setTimeout(
      () => (left > maxTimerMs ? arm(end - performance.now()) : callback()),
      Math.min(left, maxTimerMs),
    );
  };
  arm(ms);
  return () => clearTimeout(timer);
}
