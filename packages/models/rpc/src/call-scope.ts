import { AsyncLocalStorage } from "node:async_hooks";
import type { CallContext } from "@quadrant/contract";

const scopes = new AsyncLocalStorage<CallContext>();

/** Runs `work` as the execution of a call. */
export type InCall = <T>(scope: CallContext, work: () => T) => T;

/**
 * Of calls whose work has the asynchronous context of now, and its call's scope in it. A snapshot puts back what was
 * there before as it was; `run` makes a copy of it each time.
 */
export function callsFromHere(): InCall {
  const here = AsyncLocalStorage.snapshot();
  return (scope, work) => here(enter, scope, work);
}

function enter<T>(scope: CallContext, work: () => T): T {
  scopes.enterWith(scope);
  return work();
}

/** Inside a served method, what is known of the call; undefined elsewhere. */
export function callContext(): CallContext | undefined {
  return scopes.getStore();
}
