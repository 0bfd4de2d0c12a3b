import { AsyncLocalStorage } from "node:async_hooks";
import type { CallContext } from "@quadrant/contract";

const scopes = new AsyncLocalStorage<CallContext>();

/** Runs `work` as the execution of a call. */
export function inCall<T>(scope: CallContext, work: () => T): T {
  return scopes.run(scope, work);
}

/** Inside a served method, what is known of the call; undefined elsewhere. */
export function callContext(): CallContext | undefined {
  return scopes.getStore();
}
