/** Takes items under a name, and remembers each with its time; may end in the middle of one, without a word. */
import { setTimeout as pause } from "node:timers/promises";
import { defineRole, nowMs, type Role } from "../../site/role.ts";
import { type Item, type Outlet, outletOf, Refusal, type TakeTerms } from "../coupling.ts";
import type { Model } from "../experiment.ts";

export interface ReceiverInput extends TakeTerms {
  readonly model: Model;
  readonly name: string;
  /** What handling one takes. */
  readonly handleMs?: number | undefined;
  /** Which item is not handled when it comes first, but given back. */
  readonly fails?: number | undefined;
}

export interface Taken {
  readonly n: number;
  readonly by: string;
  readonly sentMs: number;
  /** When it was handled. */
  readonly atMs: number;
}

const receiver: Role<ReceiverInput> = defineRole(async (bus, { model, name, handleMs = 0, fails, ...terms }) => {
  const taken: Taken[] = [];
  let wanted = Number.POSITIVE_INFINITY;
  let reached: (() => void) | undefined;
  /** At which item it stands still for ever, and whether before it is handled or after. */
  let halt: { readonly n: number; readonly moment: "before" | "during" | "after" } | undefined;
  const halted = Promise.withResolvers<void>();
  const standStill = (): Promise<never> => {
    halted.resolve();
    return new Promise<never>(() => undefined);
  };
  let failed = false;
  const take = async ({ n, by, sentMs }: Item): Promise<void> => {
    if (n === fails && !failed) {
      failed = true;
      throw new Refusal();
    }
    const moment = halt?.n === n ? halt.moment : undefined;
    if (moment === "before") await standStill();
    if (handleMs > 0) await pause(handleMs);
    if (moment === "during") await standStill();
    taken.push({ n, by, sentMs, atMs: nowMs() });
    if (taken.length >= wanted) reached?.();
    if (moment === "after") await standStill();
  };
  const outlet: Outlet = await outletOf(model, bus, name, terms, take);
  return {
    taken: () => taken,
    /** Resolves once so many have been taken, at the latest after `withinMs`; with how many there are. */
    reach: async ({ count, withinMs }: { count: number; withinMs: number }): Promise<number> => {
      if (taken.length < count) {
        wanted = count;
        const enough = new Promise<void>((resolve) => {
          reached = resolve;
        });
        const ending = new AbortController();
        await Promise.race([enough, pause(withinMs, undefined, { signal: ending.signal }).catch(() => undefined)]);
        ending.abort();
      }
      return taken.length;
    },
    /** From now on it stands still at that item; `halted` resolves when it does. */
    haltAt: (at: NonNullable<typeof halt>) => {
      halt = at;
    },
    halted: () => halted.promise,
    /** In good order. */
    leave: () => outlet.close(),
  };
});
export default receiver;
