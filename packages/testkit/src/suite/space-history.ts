import type { TupleSpace } from "@quadrant/contract";
import { expect } from "vitest";
import { type Clause, clause } from "./clause.ts";
import { range } from "./range.ts";
import type { Scene } from "./scene.ts";
import { spaces } from "./space.ts";

/** An operation on one tuple, with the moments between which it took effect. */
interface Event {
  readonly kind: "out" | "in" | "inp" | "rd" | "rdp";
  readonly began: number;
  readonly ended: number;
  /** Whether it got, or put, the tuple; "unknown" where the broker did not answer in time: it may have, then or later. */
  readonly found: boolean | "unknown";
}

/**
 * What is wrong with the history of one tuple that is put once: linearizable exactly when it is taken at most once, no
 * operation sees it before it was put or after it was taken, and none misses it while it was certainly there. What is
 * unknown may have happened or not: it is wrong only when it is wrong either way.
 */
export function faultOf(history: readonly Event[]): string | undefined {
  const known = history.filter((event) => event.found !== "unknown");
  const fault = faultOfKnown(known);
  const unknownTakes = history.filter((event) => event.found === "unknown" && event.kind.startsWith("in"));
  if (fault === undefined || unknownTakes.length === 0) return fault;
  const either = unknownTakes.map((take) => faultOfKnown([...known, { ...take, ended: Infinity, found: true }]));
  return either.includes(undefined) ? undefined : fault;
}

function faultOfKnown(history: readonly Event[]): string | undefined {
  const put = history.find((event) => event.kind === "out")!;
  const takes = history.filter((event) => event.found && (event.kind === "in" || event.kind === "inp"));
  if (takes.length > 1) return `taken ${takes.length} times`;
  const [take] = takes;
  for (const event of history) {
    if (event === put) continue;
    if (event === take) {
      if (event.ended < put.began) return "taken before it was put";
    } else if (event.found) {
      if (event.ended < put.began) return "read before it was put";
      if (take !== undefined && event.began > take.ended) return "read after it was taken";
    } else if (event.began > put.ended && (take === undefined || event.ended < take.began)) {
      return `missed by ${event.kind} while it was there`;
    }
  }
  return undefined;
}

/** A small generator, so that every run asks for other orders and a failing one can be told from its history. */
function pick(count: number): number {
  return Math.floor(Math.random() * count);
}

async function linearizable(scene: Scene): Promise<void> {
  const { space, same } = await spaces(scene);
  const ends = [space, same, await (await scene.connect()).space(space.name)];
  const count = scene.rounds(1_000);
  const histories = range(count).map(() => [] as Event[]);
  const timed = async (n: number, kind: Event["kind"], operation: Promise<unknown>): Promise<void> => {
    const began = performance.now();
    const found = await operation.then(
      (tuple) => kind === "out" || tuple !== undefined,
      (error: { code: string }) => {
        // A broker on a busy machine may not answer in time: what is "unavailable" took nothing and saw nothing.
        expect(["timeout", "indefinite", ...(kind === "out" ? [] : ["unavailable"])]).toContain(error.code);
        return error.code === "timeout" ? false : error.code === "indefinite" ? ("unknown" as const) : undefined;
      },
    );
    if (found === undefined) return;
    histories[n]!.push({ kind, began, ended: performance.now(), found });
  };
  const ask = (n: number, end: TupleSpace): Promise<void> => {
    switch (pick(5)) {
      case 0:
        return timed(n, "in", end.in(["t", n], { timeoutMs: pick(3) }));
      case 1:
        return timed(n, "inp", end.inp(["t", n]));
      case 2:
        return timed(n, "rd", end.rd(["t", n], { timeoutMs: pick(3) }));
      default:
        return timed(n, "rdp", end.rdp(["t", n]));
    }
  };
  for (let from = 0; from < count; from += 25) {
    const batch = range(Math.min(25, count - from)).map((n) => from + n);
    const askers = range(8).map(async () => {
      for (const _ of range(25)) await ask(from + pick(batch.length), ends[pick(3)]!);
    });
    const putters = batch.map(async (n) => {
      for (const _ of range(pick(20))) await Promise.resolve();
      await timed(n, "out", ends[pick(3)]!.out(["t", n]));
    });
    await Promise.all([...askers, ...putters]);
  }
  for (const [n, history] of histories.entries()) {
    expect(faultOf(history), `tuple ${n}: ${JSON.stringify(history)}`).toBeUndefined();
  }
  // Put is taken plus what remains.
  const takers = histories.map((history) => history.filter(({ kind }) => kind.startsWith("in")));
  const taken = takers.filter((takes) => takes.some(({ found }) => found === true)).length;
  const unknown = takers.filter((takes) => takes.some(({ found }) => found === "unknown")).length;
  const remaining = await space.count(["t", Number]);
  expect(taken + remaining).toBeLessThanOrEqual(count);
  expect(taken + remaining).toBeGreaterThanOrEqual(count - unknown);
}

export const spaceHistoryClauses: readonly Clause[] = [
  clause(
    "history/linearizable",
    "each operation takes effect at one moment between its call and its answer",
    linearizable,
  ),
];
