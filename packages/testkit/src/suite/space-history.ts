import { any, type Bus, type TupleSpace } from "@quadrant/contract";
import { expect } from "vitest";
import { check } from "../history/check.ts";
import { record } from "../history/record.ts";
import { MemoryRecording } from "../history/recording.ts";
import { type Clause, clause } from "./clause.ts";
import { range } from "./range.ts";
import type { Scene } from "./scene.ts";

/** A small generator, so that every run asks for other orders; a failing one is told by its history. */
function pick(count: number): number {
  return Math.floor(Math.random() * count);
}

/** What a taker or a reader may be told. A broker on a busy machine may not answer in time. */
const takerCodes: readonly string[] = ["timeout", "indefinite", "unavailable"];
const putterCodes: readonly string[] = ["indefinite"];

async function within(codes: readonly string[], operation: Promise<unknown>): Promise<void> {
  await operation.catch((error: { code: string }) => expect(codes).toContain(error.code));
}

function ask(n: number, end: TupleSpace): Promise<unknown> {
  switch (pick(6)) {
    case 0:
      return end.in(["t", n], { timeoutMs: pick(3) });
    case 1:
      return end.inp(["t", n]);
    case 2:
      return end.rd(["t", n], { timeoutMs: pick(3) });
    case 3:
      return end.inp(["t", Number]);
    default:
      return end.rdp(["t", n]);
  }
}

async function linearizable(scene: Scene): Promise<void> {
  const name = scene.name();
  const history = new MemoryRecording();
  const recorded = (bus: Bus): Promise<TupleSpace> => record(bus, { to: history }).space(name);
  const ends = await Promise.all([scene.bus, scene.other, await scene.connect()].map(recorded));
  const count = scene.rounds(1_000);
  for (let from = 0; from < count; from += 25) {
    const batch = range(Math.min(25, count - from)).map((n) => from + n);
    const askers = range(8).map(async () => {
      for (const _ of range(25)) await within(takerCodes, ask(from + pick(batch.length), ends[pick(3)]!));
    });
    const putters = batch.map(async (n) => {
      for (const _ of range(pick(20))) await Promise.resolve();
      await within(putterCodes, ends[pick(3)]!.out(["t", n]));
    });
    await Promise.all([...askers, ...putters]);
  }
  // What was put is taken, or still there.
  await ends[0]!.rdAll(["t", any]);
  const { violations } = check(history.events);
  expect(violations.slice(0, 5)).toEqual([]);
}

export const spaceHistoryClauses: readonly Clause[] = [
  clause(
    "history/linearizable",
    "each operation takes effect at one moment between its call and its answer, and nothing is lost",
    linearizable,
  ),
];
