import { setTimeout as pause } from "node:timers/promises";
import { expect } from "vitest";

/** How long a clause waits for a condition before it fails. Generous: it tells "never" from "not yet", nothing more. */
export const guardMs: number = 20_000;

/** The promise's result, or a failure that says what was waited for. */
export async function guard<T>(promise: PromiseLike<T>, what: string, ms: number = guardMs): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${ms} ms in vain for ${what}`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Asks again until the answer is neither undefined nor false; returns it. */
export async function eventually<T>(
  what: string,
  probe: () => Promise<T | undefined | false> | T | undefined | false,
): Promise<T> {
  const end = performance.now() + guardMs;
  for (;;) {
    const answer = await guard(Promise.resolve(probe()), what);
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > end) expect.fail(`waited ${guardMs} ms in vain for ${what}`);
    await pause(5);
  }
}

/** Resolves once the signal is aborted. */
export async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener("abort", () => resolve(), { once: true });
  await guard(promise, "a signal to be aborted");
}

/** A promise to be settled from outside. */
export interface Gate {
  readonly opened: Promise<void>;
  open(): void;
}

export function gate(): Gate {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}
