/** Puts numbered items, and remembers what became of each. */
import { setTimeout as pause } from "node:timers/promises";
import { defineRole, nowMs, type Role } from "../../site/role.ts";
import { type Inlet, inletOf, isFailure } from "../coupling.ts";
import type { Model } from "../experiment.ts";

export interface SenderInput {
  readonly model: Model;
  readonly by: string;
}

export interface Sending {
  readonly name: string;
  readonly from: number;
  readonly count: number;
  /** Between two items. */
  readonly gapMs?: number | undefined;
  /** Items under way at once; default 1: each is awaited. */
  readonly inFlight?: number | undefined;
  /** Bytes that each is filled up with. */
  readonly pad?: number | undefined;
}

/** What became of the items, by their numbers. */
export interface Outcomes {
  readonly accepted: readonly number[];
  /** Rejected, and not done. */
  readonly refused: readonly { readonly n: number; readonly code: string }[];
  /** It may or may not have happened. */
  readonly unknown: readonly number[];
}

const sender: Role<SenderInput> = defineRole((bus, { model, by }) => {
  const inlets = new Map<string, Promise<Inlet>>();
  const inlet = (name: string): Promise<Inlet> => {
    const known = inlets.get(name) ?? inletOf(model, bus, name);
    inlets.set(name, known);
    return known;
  };
  return {
    /** Resolves once it can put at once. */
    ready: async (name: string) => void (await inlet(name)),
    send: async ({ name, from, count, gapMs = 0, inFlight = 1, pad = 0 }: Sending): Promise<Outcomes> => {
      const to = await inlet(name);
      const accepted: number[] = [];
      const refused: { n: number; code: string }[] = [];
      const unknown: number[] = [];
      const filler = "x".repeat(pad);
      let next = from;
      const lane = async (): Promise<void> => {
        while (next < from + count) {
          const n = next++;
          try {
            await to.put({ n, by, sentMs: nowMs(), pad: filler });
            accepted.push(n);
          } catch (error) {
            if (isFailure(error, "indefinite", "timeout")) unknown.push(n);
            else if (isFailure(error)) refused.push({ n, code: error.code });
            else throw error;
          }
          if (gapMs > 0) await pause(gapMs);
        }
      };
      await Promise.all(Array.from({ length: inFlight }, lane));
      return { accepted, refused, unknown };
    },
  };
});
export default sender;
