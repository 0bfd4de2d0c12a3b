import { BusError, type BusErrorCode } from "@quadrant/contract";
import { expect } from "vitest";
import { guard } from "./guard.ts";

/** Asserts that the operation rejects with a BusError of one of the codes; returns it. */
export async function rejection(operation: PromiseLike<unknown>, ...codes: readonly BusErrorCode[]): Promise<BusError> {
  const outcome = await guard(
    Promise.resolve(operation).then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    ),
    `a rejection with ${codes.join(" or ")}`,
  );
  if (!("error" in outcome)) expect.fail(`resolved with ${String(outcome.value)} where ${codes.join(" or ")} was due`);
  return checked(outcome.error, codes);
}

/**
 * Asserts that a wait ends with the code. A broker on a loaded machine may not answer in time: that is "indefinite", proves
 * nothing, and the wait is begun anew.
 */
export async function decided(code: "timeout" | "aborted", wait: () => PromiseLike<unknown>): Promise<void> {
  for (let attempt = 0; attempt < 20; attempt++) {
    const error = await rejection(wait(), code, "indefinite");
    if (error.code === code) return;
  }
  expect.fail(`"indefinite" 20 times where ${code} was due`);
}

/** What a wait does whose signal is aborted once it has begun. */
export function abortedLater(wait: (signal: AbortSignal) => PromiseLike<unknown>): PromiseLike<unknown> {
  const controller = new AbortController();
  const waiting = wait(controller.signal);
  setImmediate(() => controller.abort());
  return waiting;
}

/** The same of a call that throws at once. */
export function thrown(call: () => unknown, ...codes: readonly BusErrorCode[]): BusError {
  let value: unknown;
  try {
    value = call();
  } catch (error) {
    return checked(error, codes);
  }
  return expect.fail(`returned ${String(value)} where ${codes.join(" or ")} was due`);
}

function checked(error: unknown, codes: readonly BusErrorCode[]): BusError {
  if (!(error instanceof BusError)) {
    throw new Error(`failed with something that is no BusError: ${String(error)}`, { cause: error });
  }
  if (!codes.includes(error.code)) {
    throw new Error(`failed with "${error.code}" where ${codes.join(" or ")} was due: ${error.message}`, {
      cause: error,
    });
  }
  expect(error.message).not.toBe("");
  return error;
}
